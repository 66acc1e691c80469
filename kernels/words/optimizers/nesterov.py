"""Gradient descent with a velocity that is looked ahead along."""

from kernels.simd.functions import Lanes
from kernels.words.optimizers.momentum import MOMENTUM
from kernels.words.records import Optimizer


def update(p: Lanes, g: Lanes, v: Lanes, rate: Lanes, mu: Lanes) -> tuple[Lanes, Lanes]:
    v = mu * v + g
    return p - rate * (g + mu * v), v


WORD = Optimizer(
    update, states=(0.0,), settings=(MOMENTUM,), operations=6, source="torch.optim.SGD, nesterov", also=("nag",)
)
