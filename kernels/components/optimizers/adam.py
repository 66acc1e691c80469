"""Adam: mean gradients are divided by the root of their mean square, both corrected for their start at 0."""

from kernels.components.declarations import Case, Optimizer, Setting
from kernels.components.optimizers.rmsprop import EPS
from kernels.lanes.arithmetic import Lanes, sqrt

BETA1 = Setting("beta1", 0.9, "decay of the mean gradient", at_least=0, below=1, case=Case((0.8, 0.5, 0.0)))
BETA2 = Setting("beta2", 0.999, "decay of the mean squared gradient", at_least=0, below=1, case=Case((0.99, 0.9, 0.0)))


def tick(power1: Lanes, power2: Lanes, beta1: Lanes, beta2: Lanes, eps: Lanes) -> tuple[Lanes, Lanes]:
    return power1 * beta1, power2 * beta2


def factors(rate: Lanes, power1: Lanes, power2: Lanes, beta1: Lanes, beta2: Lanes, eps: Lanes) -> tuple[Lanes, Lanes]:
    root = sqrt(1.0 - power2)
    return (rate * root) / (1.0 - power1), eps * root


def update(
    p: Lanes, g: Lanes, m: Lanes, v: Lanes, step: Lanes, step_eps: Lanes, beta1: Lanes, beta2: Lanes, eps: Lanes
) -> tuple[Lanes, Lanes, Lanes]:
    m = beta1 * m + (1.0 - beta1) * g
    v = beta2 * v + (1.0 - beta2) * (g * g)
    return p - (step * m) / (sqrt(v) + step_eps), m, v


COMPONENT = Optimizer(
    update,
    states=(0.0, 0.0),
    settings=(BETA1, BETA2, EPS),
    clocks=(1.0, 1.0),
    tick=tick,
    factors=factors,
    n_factors=2,
    source="torch.optim.Adam",
)
