"""From 1 in equal steps to an end factor, which the update after the last would have."""

from kernels.components.declarations import Case, Schedule, Setting
from kernels.lanes.arithmetic import Lanes

END_FACTOR = Setting(
    "end_factor",
    0.0,
    "factor of the learning rates at the end of the schedule linear",
    at_least=0,
    case=Case((0.1, 0.5, 2.0)),
)


def advance(t: Lanes, steps: Lanes, end_factor: Lanes) -> Lanes:
    return 1.0 + (end_factor - 1.0) * ((t - 1.0) / steps)


COMPONENT = Schedule(
    advance, settings=(END_FACTOR,), source="torch.optim.lr_scheduler.LinearLR", also=("linear_decay",)
)
