"""Gradient descent."""

from kernels.components.declarations import Optimizer
from kernels.lanes.arithmetic import Lanes


def update(p: Lanes, g: Lanes, rate: Lanes) -> Lanes:
    return p - rate * g


COMPONENT = Optimizer(
    update, operations=2, source="torch.optim.SGD", also=("sgd", "gradient_descent", "vanilla", "bgd")
)
