"""Multiply by gamma after each update, by repeated products."""

from kernels.components.declarations import Case, Schedule, Setting
from kernels.lanes.arithmetic import Lanes

GAMMA = Setting(
    "gamma",
    0.999,
    "factor by which exponential multiplies the learning rates after each update, and step after each `every` updates",
    above=0,
    case=Case((0.99, 0.5)),
)


def advance(t: Lanes, steps: Lanes, power: Lanes, gamma: Lanes) -> tuple[Lanes, Lanes]:
    return power, power * gamma


COMPONENT = Schedule(advance, states=(1.0,), settings=(GAMMA,), source="torch.optim.lr_scheduler.ExponentialLR")
