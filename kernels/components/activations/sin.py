"""The sine."""

from kernels.components.records import Activation
from kernels.simd.functions import Lanes, sin, sin_cos


def value(z: Lanes) -> Lanes:
    return sin(z)


def value_and_slope(z: Lanes) -> tuple[Lanes, Lanes]:
    return sin_cos(z)


COMPONENT = Activation(value, value_and_slope, elementary=True, source="Sitzmann et al. 2020", also=("sine", "siren"))
