"""The smooth ReLU log(1 + e^z)."""

from kernels.simd.functions import Lanes, sigmoid, softplus
from kernels.words.records import Activation


def value(z: Lanes) -> Lanes:
    return softplus(z)


def value_and_slope(z: Lanes) -> tuple[Lanes, Lanes]:
    return softplus(z), sigmoid(z)


WORD = Activation(value, value_and_slope, elementary=True, source="Dugas et al. 2001")
