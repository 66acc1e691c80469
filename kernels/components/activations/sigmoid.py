"""The logistic function 1 / (1 + e^-z)."""

from kernels.components.declarations import Activation
from kernels.elementary.lane_functions import sigmoid
from kernels.lanes.arithmetic import Lanes


def value(z: Lanes) -> Lanes:
    return sigmoid(z)


def chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient * (a * (1.0 - a))


COMPONENT = Activation(
    value,
    chain=chain,
    elementary=True,
    source="torch.sigmoid",
    also=("logistic", "sigm", "expit"),
)
