"""A run ends after as many evaluations as its patience without an improvement on the last one."""

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
        "evaluations in a row without an improvement (see min_delta) after which a run ends with status plateau",
        "evaluations",
        above=0,
        below=2**24,  # float32 counts no further
        multiple_of=1,
        also=("n_iter_no_change", "early_stopping_rounds"),
    ),
    Setting(
        "min_delta",
        0.0,
        "an improvement is a loss below that of the last improvement by more than this, or with monitor n_correct "
        "or an accuracy a number above it by more than this; the first evaluation counts as one, and smaller gains add "
        "up. With patience_best it is a loss below the best so far by this or more, with patience_change one that "
        "differs from that of the evaluation before by more than this",
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
