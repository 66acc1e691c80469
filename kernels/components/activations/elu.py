"""The exponential linear unit: z above 0, else e^z - 1."""

from kernels.components.declarations import Activation
from kernels.elementary.lane_functions import elu, exp
from kernels.lanes.arithmetic import Lanes, select


def value(z: Lanes) -> Lanes:
    return elu(z)


def value_and_slope(z: Lanes) -> tuple[Lanes, Lanes]:
    return elu(z), select(z > 0.0, 1.0, exp(z))


COMPONENT = Activation(
    value, value_and_slope, elementary=True, source="Clevert, Unterthiner and Hochreiter 2015, alpha 1"
)
