"""The smooth ReLU log(1 + e^z)."""

from kernels.components.declarations import Activation
from kernels.elementary.lane_functions import sigmoid, softplus
from kernels.lanes.arithmetic import Lanes


def value(z: Lanes) -> Lanes:
    return softplus(z)


def value_and_slope(z: Lanes) -> tuple[Lanes, Lanes]:
    return softplus(z), sigmoid(z)


COMPONENT = Activation(value, value_and_slope, elementary=True, source="Dugas et al. 2001")
