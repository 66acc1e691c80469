"""Huber's loss: half the squared error up to delta, and linear beyond."""

from kernels.components.declarations import Case, Loss, Setting
from kernels.lanes.arithmetic import Lanes, absolute, select

DELTA = Setting("delta", 1.0, "error beyond which the loss huber is linear", "output", above=0, case=Case((0.5,)))


def term(u: Lanes, y: Lanes, target: Lanes, delta: Lanes) -> Lanes:
    error = y - target
    size = absolute(error)
    return select(size <= delta, (error * error) * 0.5, delta * (size - 0.5 * delta))


def slope(y: Lanes, target: Lanes, delta: Lanes) -> Lanes:
    error = y - target
    return select(error > delta, delta, select(error < -delta, -delta, error))  # NaN stays NaN


COMPONENT = Loss(term, slope, settings=(DELTA,), source="Huber 1964; torch.nn.HuberLoss", also=("huber_loss",))
