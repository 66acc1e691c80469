"""The sine."""

from kernels.simd.functions import Lanes, sin, sin_cos
from kernels.words.records import Activation


def value(z: Lanes) -> Lanes:
    return sin(z)


def value_and_slope(z: Lanes) -> tuple[Lanes, Lanes]:
    return sin_cos(z)


WORD = Activation(value, value_and_slope, elementary=True, also=("sine", "siren"))
