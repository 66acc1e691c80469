"""Half a wave of the cosine, from 1 towards 0."""

from kernels.simd.functions import Lanes, sin_cos
from kernels.words.records import Schedule

PI = 3.141592653589793


def advance(t: Lanes, steps: Lanes) -> tuple[Lanes]:
    _, cosine = sin_cos(PI * ((t - 1.0) / steps))
    return ((1.0 + cosine) / 2.0,)


WORD = Schedule(advance, source="torch.optim.lr_scheduler.CosineAnnealingLR", also=("cosine_annealing", "cosine_decay"))
