"""Components of the studies whose names begin with xor-tests: what libraries compute unlike textbooks."""

import sweep
from sweep.lanes import absolute, constant, log, select, sigmoid


@sweep.activation(surrogate=True)
def straight_sigmoid(z):
    """Sigmoid through which errors pass unchanged, as at the outputs of neataptic."""
    return sigmoid(z), constant(1.0, z)


@sweep.activation(surrogate=True)
def clipped_sigmoid(z):
    """Sigmoid whose slope is that of a value from 0.01 to 0.99, as in FANN."""
    a = sigmoid(z)
    near = select(a < 0.01, 0.01 + 0.0 * a, select(a > 0.99, 0.99 + 0.0 * a, a))
    return a, near * (1.0 - near)


@sweep.loss(surrogate=True)
def fann_error(y, target):
    """Squared error, with the doubled hyperbolic arctangent of the error, at most 17, as its slope."""
    error = y - target
    is_far = absolute(error) > 0.9999999
    near = select(is_far, 0.0 * error, error)
    end = select(error > 0.0, constant(17.0, y), -17.0)
    return error * error, select(is_far, end, log((1.0 + near) / (1.0 - near)))


@sweep.optimizer(states=(0.0, "learning_rate"), full_batch=True)
def fann_rprop(p, gradient, last, size, rate):
    """iRprop- of FANN, which adds the shortened step to a parameter whose gradient changed its sign."""
    known = select(size < 0.0001, 0.0001 + 0.0 * size, size)
    turned = last * gradient < 0.0
    longer = known * 1.2
    step = select(turned, known * 0.5, select(longer > 50.0, 50.0 + 0.0 * longer, longer))
    kept = select(turned, 0.0 * gradient, gradient)
    return p + select(kept > 0.0, -1.0 * step, step), kept, step
