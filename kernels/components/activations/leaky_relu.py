"""ReLU with a slope below 0, which is also its slope at 0."""

from kernels.components.declarations import Activation, Case, Setting
from kernels.lanes.arithmetic import Lanes, select

NEGATIVE_SLOPE = Setting("negative_slope", 0.01, "slope of leaky_relu below 0", case=Case((0.1, -0.5, 0.0, 2.0)))


def value(z: Lanes, negative_slope: Lanes) -> Lanes:
    return select(z < 0.0, negative_slope * z, z)


def value_and_slope(z: Lanes, negative_slope: Lanes) -> tuple[Lanes, Lanes]:
    return select(z < 0.0, negative_slope * z, z), select(z > 0.0, 1.0, negative_slope)


COMPONENT = Activation(
    value, value_and_slope, settings=(NEGATIVE_SLOPE,), source="Maas, Hannun and Ng 2013", also=("lrelu",)
)
