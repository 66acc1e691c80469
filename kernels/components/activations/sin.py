"""The sine."""

from kernels.components.declarations import Activation
from kernels.elementary.lane_functions import sin, sin_cos
from kernels.lanes.arithmetic import Lanes


def value(z: Lanes) -> Lanes:
    return sin(z)


def value_and_slope(z: Lanes) -> tuple[Lanes, Lanes]:
    return sin_cos(z)


COMPONENT = Activation(value, value_and_slope, elementary=True, source="Sitzmann et al. 2020", also=("sine", "siren"))
