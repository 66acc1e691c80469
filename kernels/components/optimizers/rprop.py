"""Rprop: steps grow while the gradient keeps its sign and shrink where it changes; its size does not matter."""

from kernels.components.declarations import LEARNING_RATE, Optimizer
from kernels.lanes.arithmetic import Lanes, constant, select


def update(p: Lanes, g: Lanes, previous: Lanes, step: Lanes, rate: Lanes) -> tuple[Lanes, Lanes, Lanes]:
    agreement = g * previous
    step = step * select(agreement > 0.0, 1.2, select(agreement < 0.0, constant(0.5, g), 1.0))
    step = select(step < 1e-6, 1e-6, step)
    step = select(step > 50.0, 50.0, step)
    g = select(agreement < 0.0, 0.0, g)
    sign = select(g > 0.0, 1.0, select(g < 0.0, -1.0, g))  # that of zero or NaN is itself
    return p - sign * step, g, step


COMPONENT = Optimizer(
    update,
    states=(0.0, LEARNING_RATE),
    keeps_infinity=False,
    full_batch=True,
    positive_rate=True,
    follows_rate=False,
    operations=12,
    source="torch.optim.Rprop",
)
