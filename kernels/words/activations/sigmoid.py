"""The logistic function 1 / (1 + e^-z)."""

from kernels.simd.functions import Lanes, sigmoid
from kernels.words.records import Activation


def value(z: Lanes) -> Lanes:
    return sigmoid(z)


def chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient * (a * (1.0 - a))


WORD = Activation(value, chain=chain, elementary=True, also=("logistic", "sigm", "expit"))
