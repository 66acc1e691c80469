"""Components of the studies whose names begin with fahlman: those of CMU-CS-88-162, pages 7 to 14, and its programs."""

import sweep
from sweep.lanes import absolute, constant, log, select, sigmoid


@sweep.activation(surrogate=True)
def sigmoid_plus(z):
    """Sigmoid whose slope never gets below 0.1."""
    a = sigmoid(z)
    return a, a * (1.0 - a) + 0.1


@sweep.loss(surrogate=True)
def tolerant(y, target):
    """Half of the squared error, with a slope of 0 where the error is below 0.1."""
    error = y - target
    return 0.5 * error * error, select(absolute(error) < 0.1, 0.0 * error, error)


@sweep.loss(surrogate=True)
def hyper(y, target):
    """Half of the squared error, with the doubled hyperbolic arctangent of the error, at most 17, as its slope."""
    error = y - target
    size = absolute(error)
    near = select(size > 0.9999999, 0.0 * error, error)
    slope = select(size > 0.9999999, select(error > 0.0, constant(17.0, y), -17.0), log((1.0 + near) / (1.0 - near)))
    return 0.5 * error * error, slope


@sweep.optimizer(
    states=(0.0, 0.0),
    settings=(sweep.Setting("growth", 1.75, "most that a step grows from one update to the next", above=0),),
    full_batch=True,
)
def quickprop(p, gradient, step, slope, rate, growth):
    """Take the step to the minimum of a parabola through two slopes, at most growth times the last step."""
    new = 0.0 - gradient - 1e-4 * p
    downhill = rate * new
    most = growth / (1.0 + growth) * slope
    is_steep = ((step > 0.0) & (new > most)) | ((step < 0.0) & (new < most))
    to_minimum = select(is_steep, growth * step, step * new / (slope - new))
    is_ahead = ((step > 0.0) & (new > 0.0)) | ((step < 0.0) & (new < 0.0))
    change = select(step == 0.0, downhill, select(is_ahead, downhill, 0.0 * p) + to_minimum)
    return p + change, change, new
