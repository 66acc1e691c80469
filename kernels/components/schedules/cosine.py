"""Half a cosine wave, from 1 to 0, where it stays."""

from kernels.components.declarations import Schedule
from kernels.elementary.lane_functions import sin_cos
from kernels.lanes.arithmetic import Lanes, select

PI = 3.141592653589793


def advance(t: Lanes, steps: Lanes) -> Lanes:
    part = (t - 1.0) / steps
    _, cosine = sin_cos(PI * select(part < 1.0, part, 1.0))
    return (1.0 + cosine) / 2.0


COMPONENT = Schedule(
    advance,
    has_length=True,
    source="torch.optim.lr_scheduler.CosineAnnealingLR",
    also=("cosine_annealing", "cosine_decay"),
)
