"""Recorded learning curves: what figures of medians and of single runs have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import SweepError, unknown
from sweep.figures.canvas import say_why
from sweep.figures.groups import Shown, usual_color
from sweep.figures.ticks import fit_scale, number_ticks
from sweep.measures import MEASURES
from sweep.results.answers import check_swept
from sweep.schemas.run_columns import curve_measures
from sweep.study.selection import At, values_at
from sweep.system.formatting import count_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sweep.results.result import Result

Array = NDArray[Any]

# Of the patterns of which a curve is, the columns of its loss and its accuracy.
OF_PATTERNS = {
    "training": ("train_loss", "train_accuracy"),
    "validation": ("validation_loss", "validation_accuracy"),
    "test": ("test_loss", "test_accuracy"),
}
_LABELS = {"train_loss": "training loss", "test_loss": "test loss", "n_test_correct": "correct test outputs"}
# Losses above this, or below its inverse, are not drawn; a range above this factor is logarithmic.
LARGEST = 1e30
_WIDE = 5.0
_NOT_DRAWN = "nothing to draw: every loss is 0, infinite or too large"


def selected_curves(result: Result, color: str | None, value: str, at: At | None) -> tuple[pd.DataFrame, Shown]:
    """Return the curves of some cells, and the parameters that the figure shows."""
    known = [column.name for column in curve_measures(result.study)]
    if value not in known:
        raise SweepError(unknown("value", value, known))
    values = values_at(result.study, at)
    if color is not None:
        check_swept(result.study, [color])
    return result.learning_curves(at=at), Shown(color or usual_color(values), values)


def label_of(value: str) -> str:
    """Return the label of a measure along a curve."""
    measure = MEASURES.get(value)
    return _LABELS.get(value) or (measure.label + ", %" * measure.is_share if measure else value)


def first_seeds(result: Result) -> str:
    """Return text for the seeds with curves."""
    curves = result.study.record.curves
    assert curves is not None
    return f"the first {count_text(curves.seeds, 'seed')}"


def drawable(values: Array, value: str) -> Array:
    """Return values, shares in percent, with NaN for losses that are not drawn."""
    if not value.endswith("loss"):
        return 100 * values if value.endswith("accuracy") else values
    return np.where((values >= 1 / LARGEST) & (values <= LARGEST), values, np.nan)


def scale_curves(ax: Axes, value: str, steps: Array, drawn: Array) -> None:
    """Scale and label both axes, or write why they are empty."""
    drawn = drawn[np.isfinite(drawn)]
    last = max(int(steps.max(initial=0)), 1)
    positive = steps[steps > 0]
    if positive.size and last > 50 * positive.min():
        ax.set_xscale("symlog", linthresh=1, linscale=0.4)
        number_ticks(ax.xaxis, [0, *(10.0**k for k in range(len(str(last))))])
    else:
        number_ticks(ax.xaxis, whole=True)
    ax.set_xlim(0, last * 1.03)
    if not drawn.size:
        say_why(ax, _NOT_DRAWN)
        ax.set_yticks([])
    elif value.endswith("loss") and drawn.max() > _WIDE * drawn.min():
        ax.set_yscale("log")
        ax.set_ylim(drawn.min() / 1.5, drawn.max() * 1.5)
        number_ticks(ax.yaxis)
    else:
        fit_scale(ax, np.append(drawn, 0.0) if value.endswith("loss") else drawn)
        number_ticks(ax.yaxis, whole=value.startswith("n_"))
