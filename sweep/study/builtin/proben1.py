"""Components of the studies whose names begin with proben1."""

import sweep
from sweep.lanes import select


@sweep.optimizer(states=(0.0, "learning_rate"), full_batch=True)
def plain_rprop(p, gradient, last, size, rate):
    """Rprop that always takes its step against the sign of the gradient.

    Steps are at most 50, and grow by 1.2 or shrink by 0.5.
    """
    agreement = gradient * last
    grown = select(agreement > 0.0, 1.2 * size, size)
    step = select(agreement < 0.0, 0.5 * size, select(grown > 50.0, 50.0 + 0.0 * size, grown))
    return p + select(gradient > 0.0, -1.0 * step, select(gradient < 0.0, step, 0.0 * step)), gradient, step
