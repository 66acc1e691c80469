"""RMSprop: gradients are divided by the root of their mean square."""

from kernels.components.declarations import Case, Optimizer, Setting
from kernels.lanes.arithmetic import Lanes, sqrt

ALPHA = Setting(
    "alpha",
    0.99,
    "decay of the mean squared gradient",
    at_least=0,
    below=1,
    also=("rho",),
    case=Case((0.9, 0.5, 0.0)),
)
EPS = Setting(
    "eps",
    1e-8,
    "added to the root of the mean squared gradient",
    above=0,
    also=("epsilon",),
    case=Case((1e-3,), example="1e-6"),
)


def update(p: Lanes, g: Lanes, v: Lanes, rate: Lanes, alpha: Lanes, eps: Lanes) -> tuple[Lanes, Lanes]:
    v = alpha * v + (1.0 - alpha) * (g * g)
    return p - (rate * g) / (sqrt(v) + eps), v


COMPONENT = Optimizer(update, states=(0.0,), settings=(ALPHA, EPS), source="torch.optim.RMSprop")
