"""The Gaussian error linear unit: z times the probability that a standard normal number is at most z."""

from kernels.components.declarations import Activation
from kernels.elementary.lane_functions import normal, normal_cdf
from kernels.lanes.arithmetic import Lanes


def value(z: Lanes) -> Lanes:
    return z * normal_cdf(z)


def value_and_slope(z: Lanes) -> tuple[Lanes, Lanes]:
    probability, density = normal(z)
    return z * probability, probability + z * density


COMPONENT = Activation(value, value_and_slope, elementary=True, source="Hendrycks and Gimpel 2016, exact form")
