"""The hyperbolic tangent."""

from kernels.simd.functions import Lanes, tanh
from kernels.words.records import Activation


def value(z: Lanes) -> Lanes:
    return tanh(z)


def chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient * (1.0 - a * a)


WORD = Activation(value, chain=chain, elementary=True)
