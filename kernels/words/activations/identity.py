"""The identity, for linear networks."""

from kernels.simd.functions import Lanes
from kernels.words.records import Activation


def value(z: Lanes) -> Lanes:
    return z


def chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient


WORD = Activation(value, chain=chain, also=("linear", "none"))
