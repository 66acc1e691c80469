"""Mish: z times the hyperbolic tangent of its softplus."""

from kernels.components.declarations import Activation
from kernels.elementary.lane_functions import sigmoid, softplus, tanh
from kernels.lanes.arithmetic import Lanes


def value(z: Lanes) -> Lanes:
    return z * tanh(softplus(z))


def value_and_slope(z: Lanes) -> tuple[Lanes, Lanes]:
    t = tanh(softplus(z))
    return z * t, t + z * ((1.0 - t * t) * sigmoid(z))


COMPONENT = Activation(value, value_and_slope, elementary=True, source="Misra 2019; torch.nn.Mish")
