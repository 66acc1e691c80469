"""The sigmoid linear unit, also called swish: z times its logistic function."""

from kernels.components.declarations import Activation
from kernels.elementary.lane_functions import sigmoid
from kernels.lanes.arithmetic import Lanes


def value(z: Lanes) -> Lanes:
    return z * sigmoid(z)


def value_and_slope(z: Lanes) -> tuple[Lanes, Lanes]:
    s = sigmoid(z)
    return z * s, s * (1.0 + z * (1.0 - s))


COMPONENT = Activation(value, value_and_slope, elementary=True, source="Elfwing, Uchibe and Doya 2018", also=("swish",))
