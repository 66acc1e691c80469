"""A run ends after ``patience`` evaluations in a row without an improvement by ``min_delta`` or more.

Each is compared with the best one so far, as in scikit-learn.
"""

from kernels.components.declarations import StoppingRule
from kernels.components.stopping_rules.patience import SETTINGS
from kernels.lanes.arithmetic import Lanes, Mask, select


def update(
    score: Lanes, loss: Lanes, is_new: Lanes, best: Lanes, waited: Lanes, patience: Lanes, min_delta: Lanes
) -> tuple[Lanes, Lanes]:
    improves = score <= best - min_delta
    return select(score < best, score, best), select(improves, 0.0, waited + is_new)


def ends(best: Lanes, waited: Lanes, patience: Lanes, min_delta: Lanes) -> Mask:
    return waited >= patience


COMPONENT = StoppingRule(
    update,
    ends,
    states=(float("inf"), 0.0),
    settings=SETTINGS,
    meaning="as many evaluations as the patience bring no improvement of min_delta or more on the best one so far, so "
    "smaller gains do not add up",
    source="n_iter_no_change and tol of scikit-learn's MLPClassifier, whose training ends one evaluation later",
)
