"""A run ends when generalization loss is above ``gl_threshold`` or progress below ``progress_threshold``.

The generalization loss is how far the held-out loss is above its lowest value, in percent. The progress is how far the
mean training loss of a strip of epochs is above its lowest value in the strip, in thousandths. Both are compared at the
end of each strip.
"""

from kernels.components.declarations import Case, Setting, StoppingRule
from kernels.components.stopping_rules.gl import GL_THRESHOLD
from kernels.lanes.arithmetic import Lanes, Mask, select

NEVER = float("inf")


def update(
    score: Lanes,
    loss: Lanes,
    is_new: Lanes,
    lowest: Lanes,
    total: Lanes,
    least: Lanes,
    epochs: Lanes,
    is_over: Lanes,
    gl_threshold: Lanes,
    progress_threshold: Lanes,
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
    is_poor = (generalization_loss > gl_threshold) | (progress < progress_threshold)
    is_over = select(ends_strip & is_poor, 1.0, 0.0 * epochs)
    total, least = select(ends_strip, 0.0, total), select(ends_strip, NEVER, least)
    return lowest, total, least, select(ends_strip, 0.0, epochs), is_over


def ends(
    lowest: Lanes,
    total: Lanes,
    least: Lanes,
    epochs: Lanes,
    is_over: Lanes,
    gl_threshold: Lanes,
    progress_threshold: Lanes,
    strip: Lanes,
) -> Mask:
    return is_over > 0.0


COMPONENT = StoppingRule(
    update,
    ends,
    states=(NEVER, 0.0, NEVER, -1.0, 0.0),
    settings=(
        GL_THRESHOLD,
        Setting(
            "progress_threshold",
            0.1,
            "progress of the training in a strip of epochs below which a run ends with status plateau: how far the "
            "mean loss of the strip is above its lowest one, in thousandths",
            at_least=0,
            case=Case((500.0,), (("gl_threshold", 1e6),), "1.0"),
        ),
        Setting(
            "strip",
            5.0,
            "epochs of a strip, at whose end the rule gl_or_progress decides",
            "epochs",
            above=0,
            below=2**24,  # float32 counts no further
            multiple_of=1,
            case=Case((3.0, 1.0), (("gl_threshold", 1e6), ("progress_threshold", 500.0))),
        ),
    ),
    needs_loss=True,
    meaning="after a strip the held-out loss is above its lowest value by more than a share, or the training loss "
    "hardly falls any more",
    source="GL or P of Prechelt, PROBEN1 (1994)",
)
