"""A run ends after ``patience`` evaluations in a row that each differ from the one before by ``min_delta`` or less."""

from kernels.components.declarations import StoppingRule
from kernels.components.stopping_rules.patience import SETTINGS
from kernels.lanes.arithmetic import Lanes, Mask, absolute, select


def update(
    score: Lanes, loss: Lanes, is_new: Lanes, previous: Lanes, unchanged: Lanes, patience: Lanes, min_delta: Lanes
) -> tuple[Lanes, Lanes]:
    is_near = absolute(score - previous) <= min_delta
    return select(is_new > 0.0, score, previous), select(is_near, unchanged + 1.0, unchanged * (1.0 - is_new))


def ends(previous: Lanes, unchanged: Lanes, patience: Lanes, min_delta: Lanes) -> Mask:
    return unchanged >= patience


COMPONENT = StoppingRule(
    update,
    ends,
    states=(float("inf"), 0.0),
    settings=SETTINGS,
    meaning="as many evaluations as the patience each differ from the one before by min_delta or less, up or down",
    source="Reed and Marks, Neural Smithing (1999)",
)
