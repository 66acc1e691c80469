"""The hyperbolic tangent."""

from kernels.components.records import Activation
from kernels.simd.functions import Lanes, tanh


def value(z: Lanes) -> Lanes:
    return tanh(z)


def chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient * (1.0 - a * a)


COMPONENT = Activation(value, chain=chain, elementary=True, source="torch.tanh")
