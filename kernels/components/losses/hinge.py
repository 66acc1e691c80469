"""The hinge loss max(0, 1 - target y) of targets -1 and 1."""

from kernels.components.declarations import Loss
from kernels.lanes.arithmetic import Lanes, constant, select


def term(u: Lanes, y: Lanes, target: Lanes) -> Lanes:
    margin = 1.0 - target * y
    return select(margin < 0.0, 0.0, margin)


def slope(y: Lanes, target: Lanes) -> Lanes:
    return select(target * y < 1.0, target * constant(-1.0, y), 0.0)


COMPONENT = Loss(
    term,
    slope,
    takes_target=lambda target: abs(target) == 1,
    targets="targets of -1 and 1; write -1 for 0, or with a task set target_low = -1",
    source="sklearn.metrics.hinge_loss",
)
