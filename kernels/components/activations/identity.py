"""The identity, for linear networks."""

from kernels.components.declarations import Activation
from kernels.lanes.arithmetic import Lanes


def value(z: Lanes) -> Lanes:
    return z


def chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient


COMPONENT = Activation(value, chain=chain, also=("linear", "none"))
