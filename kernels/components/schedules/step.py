"""Multiply by gamma after every so many updates."""

from kernels.components.declarations import Case, Schedule, Setting
from kernels.components.schedules.exponential import GAMMA
from kernels.lanes.arithmetic import Lanes, select

EVERY = Setting(
    *("every", 1000.0, "updates after which the schedule step multiplies by gamma", "updates"),
    at_least=1,
    multiple_of=1,
    case=Case((3.0, 1.0), (("gamma", 0.5),), "500"),
)


def advance(
    t: Lanes, steps: Lanes, power: Lanes, count: Lanes, gamma: Lanes, every: Lanes
) -> tuple[Lanes, Lanes, Lanes]:
    count = count + 1.0
    full = count >= every
    return power, select(full, power * gamma, power), select(full, 0.0, count)


COMPONENT = Schedule(advance, states=(1.0, 0.0), settings=(GAMMA, EVERY), source="torch.optim.lr_scheduler.StepLR")
