"""PQ: a run ends when generalization loss / progress is above ``pq_threshold``.

The generalization loss is how far the held-out loss is above its lowest value, in percent. The progress is how far the
mean training loss of the last strip of epochs is above its lowest value in the strip, in thousandths.
"""

from kernels.components.declarations import Setting, StoppingRule
from kernels.lanes.arithmetic import Lanes, Mask, select

NEVER = float("inf")

STRIP = Setting(
    "strip",
    5.0,
    "epochs of a strip, at whose end the rules pq, up and gl_or_progress decide",
    "epochs",
    above=0,
    below=2**24,  # float32 counts no further
    multiple_of=1,
)


def update(
    score: Lanes,
    loss: Lanes,
    is_new: Lanes,
    lowest: Lanes,
    total: Lanes,
    least: Lanes,
    epochs: Lanes,
    quotient: Lanes,
    pq_threshold: Lanes,
    strip: Lanes,
) -> tuple[Lanes, Lanes, Lanes, Lanes, Lanes]:
    lowest = select(score < lowest, score, lowest)
    epochs = epochs + 1.0
    counts = epochs > 0.0  # not before the first epoch
    total = select(counts, total + loss, total)
    least = select(counts & (loss < least), loss, least)
    ends_strip = (is_new > 0.0) & (epochs >= strip)
    generalization_loss = 100.0 * (score / lowest - 1.0)
    progress = 1000.0 * (total / (epochs * least) - 1.0)
    quotient = select(ends_strip, generalization_loss / progress, quotient)
    total, least = select(ends_strip, 0.0, total), select(ends_strip, NEVER, least)
    return lowest, total, least, select(ends_strip, 0.0, epochs), quotient


def ends(
    lowest: Lanes, total: Lanes, least: Lanes, epochs: Lanes, quotient: Lanes, pq_threshold: Lanes, strip: Lanes
) -> Mask:
    return quotient > pq_threshold


COMPONENT = StoppingRule(
    update,
    ends,
    states=(NEVER, 0.0, NEVER, -1.0, 0.0),
    settings=(
        Setting(
            "pq_threshold",
            1.0,
            "quotient of generalization loss and training progress above which a run ends with status plateau",
            at_least=0,
        ),
        STRIP,
    ),
    needs_loss=True,
    meaning="the generalization loss is large for the progress of the training in the last strip",
    source="PQ of Prechelt, Early stopping - but when? (1998)",
)
