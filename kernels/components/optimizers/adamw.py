"""Adam with decoupled weight decay: weights shrink directly, not through their gradient."""

from kernels.components.optimizers import adam
from kernels.lanes.arithmetic import Lanes, select


def decay(p: Lanes, g: Lanes, rate: Lanes, weight_decay: Lanes) -> tuple[Lanes, Lanes]:
    return select(weight_decay > 0.0, p - (rate * weight_decay) * p, p), g


COMPONENT = adam.COMPONENT._replace(decay=decay, source="torch.optim.AdamW")
