"""Softsign: z divided by one plus its absolute value."""

from kernels.components.declarations import Activation
from kernels.lanes.arithmetic import Lanes, absolute


def value(z: Lanes) -> Lanes:
    return z / (1.0 + absolute(z))


def value_and_slope(z: Lanes) -> tuple[Lanes, Lanes]:
    d = 1.0 + absolute(z)
    q = 1.0 / d
    return z / d, q * q


COMPONENT = Activation(value, value_and_slope, source="torch.nn.Softsign; the sigmoid of PROBEN1 (Prechelt 1994)")
