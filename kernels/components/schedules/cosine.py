"""Half a cosine wave, from 1 to 0."""

from kernels.components.declarations import Schedule
from kernels.elementary.lane_functions import sin_cos
from kernels.lanes.arithmetic import Lanes

PI = 3.141592653589793


def advance(t: Lanes, steps: Lanes) -> Lanes:
    _, cosine = sin_cos(PI * ((t - 1.0) / steps))
    return (1.0 + cosine) / 2.0


COMPONENT = Schedule(
    advance,
    source="torch.optim.lr_scheduler.CosineAnnealingLR",
    also=("cosine_annealing", "cosine_decay"),
)
