"""Components of the study hinton-t-c."""

import sweep
from sweep.lanes import sigmoid


@sweep.activation
def pooled_sigmoid(z):
    """Sigmoid over 16, so that an output takes the mean over 16 positions."""
    a = sigmoid(z)
    return a / 16.0, a * (1.0 - a) / 16.0
