"""UP: a run ends when its held-out loss has risen in ``up_strips`` strips of epochs in a row."""

from kernels.components.declarations import Setting, StoppingRule
from kernels.components.stopping_rules.pq import STRIP
from kernels.lanes.arithmetic import Lanes, Mask, select


def update(
    score: Lanes,
    loss: Lanes,
    is_new: Lanes,
    previous: Lanes,
    rises: Lanes,
    epochs: Lanes,
    up_strips: Lanes,
    strip: Lanes,
) -> tuple[Lanes, Lanes, Lanes]:
    is_first = epochs < 0.0
    epochs = epochs + 1.0
    ends_strip = (is_new > 0.0) & ((epochs >= strip) | is_first)
    rises = select(ends_strip, select(score <= previous, 0.0, rises + 1.0), rises)
    return select(ends_strip, score, previous), rises, select(ends_strip, 0.0, epochs)


def ends(previous: Lanes, rises: Lanes, epochs: Lanes, up_strips: Lanes, strip: Lanes) -> Mask:
    return rises >= up_strips


COMPONENT = StoppingRule(
    update,
    ends,
    states=(float("inf"), 0.0, -1.0),
    settings=(
        Setting(
            "up_strips",
            3.0,
            "number of successive strips, each with a higher held-out loss at its end than the one before, after which "
            "a run ends with status plateau",
            "strips",
            above=0,
            below=2**24,
            multiple_of=1,
        ),
        STRIP,
    ),
    needs_loss=True,
    meaning="the held-out loss has risen in several strips in a row",
    source="UP of Prechelt, Early stopping - but when? (1998)",
)
