"""The hyperbolic tangent."""

from kernels.components.declarations import Activation
from kernels.elementary.lane_functions import tanh
from kernels.lanes.arithmetic import Lanes


def value(z: Lanes) -> Lanes:
    return tanh(z)


def chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient * (1.0 - a * a)


COMPONENT = Activation(value, chain=chain, elementary=True, source="torch.tanh")
