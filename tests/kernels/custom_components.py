"""Custom components for tests, some with built-in formulas. Tests load it as a user's file and never import it."""

import sweep
from sweep.lanes import absolute, select, sigmoid, sqrt, tanh

SQUARE = 2.0
MU = sweep.Setting("mu", 1.75, "most growth of a change", above=0)
STEEPNESS = sweep.Setting("steepness", 1.0, "factor within the sigmoid", "1/sum", above=0)
POWER = sweep.Setting("lean", 0.5, "weight of errors above the target", at_least=0, below=1)


@sweep.optimizer
def own_gd(p, g, rate):
    return p - rate * g


def tick(power1, power2, beta1, beta2, eps):
    return power1 * beta1, power2 * beta2


def factors(rate, power1, power2, beta1, beta2, eps):
    root = sqrt(1.0 - power2)
    return (rate * root) / (1.0 - power1), eps * root


@sweep.optimizer(
    states=(0.0, 0.0),
    settings=("beta1", "beta2", "eps"),
    clocks=(1.0, 1.0),
    tick=tick,
    factors=factors,
    keeps_infinity=True,
)
def own_adam(p, g, m, v, step, step_eps, beta1, beta2, eps):
    m = beta1 * m + (1.0 - beta1) * g
    v = beta2 * v + (1.0 - beta2) * (g * g)
    return p - (step * m) / (sqrt(v) + step_eps), m, v


@sweep.optimizer(
    states=(0.0, "learning_rate"), settings=("eta_minus", "eta_plus", "step_min", "step_max"), full_batch=True
)
def own_rprop(p, g, previous, step, rate, eta_minus, eta_plus, step_min, step_max):
    agreement = g * previous
    step = step * select(agreement > 0.0, eta_plus, select(agreement < 0.0, eta_minus, 1.0))
    step = select(step < step_min, step_min, step)
    step = select(step > step_max, step_max, step)
    g = select(agreement < 0.0, 0.0, g)
    sign = select(g > 0.0, 1.0, select(g < 0.0, -1.0, g))
    return p - sign * step, g, step


@sweep.optimizer(states=(0.0, 0.0), settings=(MU,))
def quickprop(p, g, slope, change, rate, mu):
    s, limit = -g, mu / (1.0 + mu) * slope
    grows = select(change > 0.0, s > limit, s < limit)
    jump = select(change == 0.0, 0.0, select(grows, mu * change, change * s / (slope - s)))
    against = select(change > 0.0, s <= 0.0, (change < 0.0) & (s >= 0.0))
    change = select(against, 0.0, rate * s) + jump
    return p + change, s, change


def chain(gradient, a):
    return gradient * (1.0 - a * a)


@sweep.activation(chain=chain)
def own_tanh(z):
    return tanh(z)


@sweep.activation(settings=("negative_slope",))
def own_leaky_relu(z, k):
    return select(z < 0.0, k * z, z), select(z > 0.0, 1.0, k)


@sweep.activation(settings=(STEEPNESS,))
def swish(z, steepness):
    q = sigmoid(steepness * z)
    return z * q, q + (steepness * z) * (q * (1.0 - q))


@sweep.loss
def own_squared(y, target):
    error = y - target
    return error * error, SQUARE * error


@sweep.loss(settings=(POWER,))
def expectile(y, target, lean):
    error = y - target
    weight = absolute(select(error > 0.0, lean, lean - 1.0))
    return weight * error * error, 2.0 * weight * error


@sweep.activation(surrogate=True)
def steep(z):
    a = sigmoid(z)
    return a, a * (1.0 - a) + 0.1


@sweep.loss(surrogate=True)
def tolerant(y, target):
    error = y - target
    return 0.5 * error * error, select(absolute(error) < 0.1, 0.0, error)


@sweep.loss
def capped(y, target):
    square = (y - target) * (y - target)
    is_near = square < 4.0  # an output that is NaN is not
    return select(is_near, square, 4.0), select(is_near, 2.0 * (y - target), 0.0)


@sweep.learning_rate_schedule(states=(1.0, 0.0), settings=("gamma", "every"))
def own_step(t, steps, power, count, gamma, every):
    count = count + 1.0
    full = count >= every
    return power, select(full, power * gamma, power), select(full, 0.0, count)


@sweep.learning_rate_schedule(
    settings=(
        sweep.Setting("rise", 3.0, "updates in which the rates rise", "updates", above=0),
        sweep.Setting("full", 5.0, "updates at the highest rates", "updates", at_least=0),
        sweep.Setting("fall", 20.0, "updates in which the rates fall", "updates", above=0),
        sweep.Setting("lowest", 0.125, "first factor", at_least=0),
        sweep.Setting("final", 0.25, "last factor", at_least=0),
    )
)
def trapezoid(t, steps, rise, full, fall, lowest, final):
    risen = lowest + (1.0 - lowest) * ((t - 1.0) / rise)
    fallen = 1.0 + (final - 1.0) * ((t - 1.0 - rise - full) / fall)
    return select(t - 1.0 < rise, risen, select(fallen < final, final, select(fallen < 1.0, fallen, 1.0)))
