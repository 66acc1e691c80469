"""Adam with decoupled weight decay: weights shrink by themselves, not by their gradient."""

from kernels.simd.functions import Lanes, select
from kernels.words.optimizers import adam


def decay(p: Lanes, g: Lanes, rate: Lanes, weight_decay: Lanes) -> tuple[Lanes, Lanes]:
    return select(weight_decay > 0.0, p - (rate * weight_decay) * p, p), g


WORD = adam.WORD._replace(decay=decay, needs_decay=True, source="torch.optim.AdamW")
