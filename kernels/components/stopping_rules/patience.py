"""A run ends after ``patience`` evaluations in a row without an improvement by more than ``min_delta``.

Each is compared with the last improvement.
"""

from kernels.components.declarations import Setting, StoppingRule
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
        "number of evaluations (see 'sweep explain evaluation') in a row without an improvement (see min_delta) after "
        "which a run ends with status plateau",
        "evaluations",
        above=0,
        below=2**24,  # float32 counts no further
        multiple_of=1,
        also=("n_iter_no_change", "early_stopping_rounds"),
    ),
    Setting(
        "min_delta",
        0.0,
        "how much better an improvement must be. With patience, a loss must be below that of the last improvement by "
        "more than this, so small gains add up; the first evaluation is an improvement. With patience_best, it must be "
        "below the lowest loss so far by at least this: with 0, an equal loss counts. With patience_change, it must "
        "differ from the evaluation before by more than this. Of n_correct and accuracies, higher is better",
        "loss, outputs or share",
        at_least=0,
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
