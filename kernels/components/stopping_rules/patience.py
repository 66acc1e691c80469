"""A run ends after ``patience`` evaluations in a row without an improvement by more than ``min_delta``.

Each is compared with the last improvement.
"""

from kernels.components.declarations import IS_SET, Case, Setting, StoppingRule
from kernels.lanes.arithmetic import Lanes, Mask, select


def update(
    score: Lanes, loss: Lanes, is_new: Lanes, to_beat: Lanes, waited: Lanes, patience: Lanes, min_delta: Lanes
) -> tuple[Lanes, Lanes]:
    improves = score < to_beat
    return select(improves, score - min_delta, to_beat), select(improves, 0.0, waited + is_new)


def ends(to_beat: Lanes, waited: Lanes, patience: Lanes, min_delta: Lanes) -> Mask:
    return waited >= patience


SETTINGS = (
    Setting(
        "patience",
        float("inf"),
        "a run ends with status plateau after this many evaluations in a row without an improvement (see 'sweep "
        "explain evaluation' and min_delta)",
        "evaluations",
        above=0,
        below=2**24,  # float32 counts no further
        multiple_of=1,
        also=("n_iter_no_change", "early_stopping_rounds"),
        case=Case((3.0, 1.0, 10.0), (("learning_rate", 0.5),), "50"),
    ),
    Setting(
        "min_delta",
        0.0,
        "how large an improvement of the monitored value must be. patience: more than this below the last improvement, "
        "so small gains add up. patience_best: at least this below the lowest value so far (with 0, an equal value "
        "counts). patience_change: more than this away from the evaluation before, in either direction. n_correct and "
        "accuracies improve upward: above the highest value, not below the lowest",
        "loss, outputs or share",
        at_least=0,
        case=Case((0.1,), (("patience", 2),), "1e-3"),
        used_with=(("patience", IS_SET),),
    ),
)

COMPONENT = StoppingRule(
    update,
    ends,
    states=(float("inf"), 0.0),
    settings=SETTINGS,
    meaning="as many evaluations as the patience bring no improvement on the last one",
    source="EarlyStopping of Keras and PyTorch Lightning",
)
