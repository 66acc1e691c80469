"""Custom measures for tests. Tests load it as a user's file and never import it."""

import sweep
from sweep.lanes import absolute, log, select

LEAST = 1e-6


@sweep.measure(unit="weight")
def absolute_sum(total, weight, initial):
    """Sum of the absolute values of all weights.

    More text that no table shows.
    """
    return total + absolute(weight)


def mean(total, n):
    return total / n


@sweep.measure(over="outputs", finish=mean, label="mean cross entropy", unit="nat")
def entropy(total, y, target):
    p = select(y < LEAST, LEAST, select(y > 1.0 - LEAST, 1.0 - LEAST, y))
    return total - (target * log(p) + (1.0 - target) * log(1.0 - p))


def share(changed, largest, n):
    return changed / n + 0.0 * largest


@sweep.measure(start=(0.0, -1.0), finish=share, label="weights that changed sign", more_is_better=True)
def flipped(changed, largest, weight, initial):
    size = absolute(weight)
    return changed + select(weight * initial < 0.0, 1.0, 0.0 * size), select(size > largest, size, largest)
