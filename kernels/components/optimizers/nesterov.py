"""Gradient descent with a velocity and Nesterov's look-ahead."""

from kernels.components.declarations import Optimizer
from kernels.components.optimizers.momentum import MOMENTUM
from kernels.lanes.arithmetic import Lanes


def update(p: Lanes, g: Lanes, v: Lanes, rate: Lanes, mu: Lanes) -> tuple[Lanes, Lanes]:
    v = mu * v + g
    return p - rate * (g + mu * v), v


COMPONENT = Optimizer(
    update, states=(0.0,), settings=(MOMENTUM,), operations=6, source="torch.optim.SGD, nesterov", also=("nag",)
)
