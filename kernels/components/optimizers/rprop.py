"""iRprop-: steps grow while the gradient keeps its sign and shrink where it changes; its size does not matter."""

from kernels.components.declarations import LEARNING_RATE, Case, Optimizer, Setting
from kernels.lanes.arithmetic import Lanes, select

ETA_MINUS = Setting(
    "eta_minus",
    0.5,
    "factor of a step of rprop where the gradient changes its sign",
    above=0,
    below=1,
    case=Case((0.25,)),
)
ETA_PLUS = Setting(
    "eta_plus",
    1.2,
    "factor of a step of rprop where the gradient keeps its sign",
    at_least=1,
    case=Case((2.0,)),
)
STEP_MIN = Setting("step_min", 1e-6, "smallest step of rprop", "weight", at_least=0, case=Case((0.1, 0.01)))
STEP_MAX = Setting(
    "step_max", 50.0, "largest step of rprop", "weight", above=0, also=("delta_max",), case=Case((0.05,))
)


def update(
    p: Lanes,
    g: Lanes,
    previous: Lanes,
    step: Lanes,
    rate: Lanes,
    eta_minus: Lanes,
    eta_plus: Lanes,
    step_min: Lanes,
    step_max: Lanes,
) -> tuple[Lanes, Lanes, Lanes]:
    agreement = g * previous
    step = step * select(agreement > 0.0, eta_plus, select(agreement < 0.0, eta_minus, 1.0))
    step = select(step < step_min, step_min, step)
    step = select(step > step_max, step_max, step)
    g = select(agreement < 0.0, 0.0, g)
    sign = select(g > 0.0, 1.0, select(g < 0.0, -1.0, g))  # that of zero or NaN is itself
    return p - sign * step, g, step


COMPONENT = Optimizer(
    update,
    states=(0.0, LEARNING_RATE),
    settings=(ETA_MINUS, ETA_PLUS, STEP_MIN, STEP_MAX),
    keeps_infinity=False,
    full_batch=True,
    starts_at_rate=True,
    operations=12,
    source="Igel and Huesken 2000; torch.optim.Rprop",
)
