"""Own components, a measure and a statistic, as users write them."""

import sweep
from sweep.lanes import absolute, sqrt

DAMPING = sweep.Setting("damping", 0.1, "number added to the root of the sum of squares", above=0)


@sweep.activation
def bent(z):
    """Softsign with a steeper slope."""
    size = 1.0 + absolute(2.0 * z)
    return 2.0 * z / size, 2.0 / (size * size)


@sweep.loss
def quartic(y, target):
    error = y - target
    return error * error * error * error, 4.0 * error * error * error


@sweep.optimizer(states=(0.0,), settings=(DAMPING,))
def adagrad(p, gradient, total, rate, damping):
    total = total + gradient * gradient
    return p - rate * gradient / (sqrt(total) + damping), total


@sweep.learning_rate_schedule
def halved(t, steps):
    return 1.0 / (1.0 + t / steps)


@sweep.measure(label="sum of absolute weights", unit="weight")
def absolute_sum(total, weight, initial):
    """Sum of the absolute values of all weights."""
    return total + absolute(weight)


@sweep.statistic(label="share of easy runs", unit="fraction", more_is_better=True)
def easy(runs):
    """Share of runs that converged within 20 updates."""
    return ((runs["status"] == "converged") & (runs["steps"] <= 20)).mean()
