"""Adam with eps as in Keras and scikit-learn: added to the root of the mean square before it is corrected."""

from kernels.components.optimizers import adam
from kernels.lanes.arithmetic import Lanes, sqrt


def factors(rate: Lanes, power1: Lanes, power2: Lanes, beta1: Lanes, beta2: Lanes, eps: Lanes) -> tuple[Lanes, Lanes]:
    return (rate * sqrt(1.0 - power2)) / (1.0 - power1), eps


COMPONENT = adam.COMPONENT._replace(factors=factors, source="keras.optimizers.Adam")
