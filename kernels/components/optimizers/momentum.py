"""Gradient descent with a velocity, a sum of gradients that decay."""

from kernels.components.declarations import Case, Optimizer, Setting
from kernels.lanes.arithmetic import Lanes

MOMENTUM = Setting(
    "momentum",
    0.9,
    "share of the velocity that is kept",
    at_least=0,
    below=1,
    also=("mu",),
    case=Case((0.5, 0.99, 0.0)),
)


def update(p: Lanes, g: Lanes, v: Lanes, rate: Lanes, mu: Lanes) -> tuple[Lanes, Lanes]:
    v = mu * v + g
    return p - rate * v, v


COMPONENT = Optimizer(
    update,
    states=(0.0,),
    settings=(MOMENTUM,),
    operations=4,
    source="torch.optim.SGD, dampening 0",
    also=("heavy_ball", "sgdm"),
)
