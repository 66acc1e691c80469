"""GL: a run ends when its held-out loss is more than ``gl_threshold`` percent above its lowest value."""

from kernels.components.declarations import Case, Setting, StoppingRule
from kernels.lanes.arithmetic import Lanes, Mask, select

GL_THRESHOLD = Setting(
    "gl_threshold",
    5.0,
    "generalization loss above which a run ends with status plateau: by how much the held-out loss is above its lowest "
    "value",
    "%",
    at_least=0,
    case=Case((1.0, 50.0)),
)


def update(
    score: Lanes, loss: Lanes, is_new: Lanes, lowest: Lanes, latest: Lanes, gl_threshold: Lanes
) -> tuple[Lanes, Lanes]:
    return select(score < lowest, score, lowest), select(is_new > 0.0, score, latest)


def ends(lowest: Lanes, latest: Lanes, gl_threshold: Lanes) -> Mask:
    return 100.0 * (latest / lowest - 1.0) > gl_threshold


COMPONENT = StoppingRule(
    update,
    ends,
    states=(float("inf"), float("inf")),
    settings=(GL_THRESHOLD,),
    needs_loss=True,
    meaning="the held-out loss is above its lowest value by more than a share",
    source="GL of Prechelt, Early stopping - but when? (1998)",
)
