"""Gradient descent."""

from kernels.simd.functions import Lanes
from kernels.words.records import Optimizer


def update(p: Lanes, g: Lanes, rate: Lanes) -> Lanes:
    return p - rate * g


WORD = Optimizer(update, operations=2, source="torch.optim.SGD", also=("sgd", "gradient_descent", "vanilla", "bgd"))
