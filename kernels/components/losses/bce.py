"""Binary cross-entropy of a logistic output, computed from its sum u."""

from kernels.components.declarations import Loss
from kernels.elementary.lane_functions import softplus
from kernels.lanes.arithmetic import Lanes, absolute, select


def term(u: Lanes, y: Lanes, target: Lanes) -> Lanes:
    """(max(u, 0) - target u) + log(1 + e^-|u|), which overflows for no u; NaN stays NaN."""
    return (select(u < 0.0, 0.0, u) - target * u) + softplus(-absolute(u))


def slope(y: Lanes, target: Lanes) -> Lanes:
    return y - target


COMPONENT = Loss(
    term,
    slope,
    output="sigmoid",
    takes_target=lambda target: 0 <= target <= 1,
    targets="targets from 0 to 1; give 0 for -1",
    source="torch.nn.BCEWithLogitsLoss",
    also=("binary_cross_entropy", "log_loss", "binary_crossentropy", "bce_with_logits"),
)
