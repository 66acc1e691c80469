"""Components of the study sonar."""

import sweep
from sweep.lanes import absolute, select


@sweep.loss(surrogate=True)
def lenient(y, target):
    """Half of the squared error, with a slope of 0 where the error is below 0.2."""
    error = y - target
    return 0.5 * error * error, select(absolute(error) < 0.2, 0.0 * error, error)
