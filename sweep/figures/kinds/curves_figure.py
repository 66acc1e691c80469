"""Learning curves: medians and quartiles over runs at each recorded step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.figures.canvas import new_axes
from sweep.figures.figure_kind import Caption, FigureKind
from sweep.figures.groups import finish, styles_of
from sweep.figures.line_styles import NAMED_COLORS
from sweep.figures.recorded_curves import LABELS, LARGEST, Array, drawable, first_seeds, scale_curves, selected_curves
from sweep.results.learning_curves import curves_fault
from sweep.study.selection import At
from sweep.system.formatting import short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sweep.results.result import Result

_QUARTILES = (0.25, 0.5, 0.75)


def learning_curves(
    result: Result, ax: Axes | None = None, *, color: str | None = None, value: str = "train_loss", at: At | None = None
) -> Axes:
    """Draw the median over runs at each step and a band between the quartiles, colored by a parameter.

    Runs that have ended keep their last value, which is infinite for diverged runs. Quartiles are values of runs, so
    the band has no upper end where a quarter of the runs has diverged. Steps at which a run under way has no point
    are left out; this happens if the epochs of cells have different lengths.

    Parameters
    ----------
    result, ax, at
        As for :func:`sweep.figures.heatmap`.
    color
        A parameter with at most 12 values; by default the one with the most.
    value
        ``"train_loss"``, ``"n_correct"``, and with test patterns ``"test_loss"`` or ``"n_test_correct"``.

    Returns
    -------
    Axes
        The axes that were drawn into.

    Raises
    ------
    SweepError
        If a name or a value is unknown, or the color has more than 12 values.
    StoreError
        If no learning curves were recorded, or the result is partial.
    """
    curves, shown = selected_curves(result, color, value, at)
    ax = ax or new_axes()
    styles = {None: {"color": NAMED_COLORS[0]}} if shown.color is None else styles_of(shown.color, shown.values)
    drawn: list[Array] = []
    for entry, style in styles.items():
        chosen = curves if shown.color is None else curves[curves[shown.color] == entry]
        steps, values = _at_steps(chosen, value)
        if not len(steps):
            continue
        low, median, high = (drawable(np.quantile(values, q, axis=1, method="inverted_cdf"), value) for q in _QUARTILES)
        look: dict[str, Any] = {name: style[name] for name in ("color", "linestyle") if name in style}
        ax.plot(steps, median, linewidth=1.4, label=None if entry is None else short(entry), **look)
        top = np.where(np.isfinite(high), high, LARGEST)
        ax.fill_between(steps, low, top, where=np.isfinite(low), color=style["color"], alpha=0.15, linewidth=0)
        drawn += [low, median, high]
    scale_curves(ax, result, value, curves["steps"].to_numpy(), np.concatenate([*drawn, np.empty(0)]))
    notes = [f"median and quartiles of {first_seeds(result)}; ended runs keep their last value"]
    finish(ax, result, shown, ("steps", LABELS[value]), notes=notes)
    return ax


def _at_steps(curves: pd.DataFrame, value: str) -> tuple[Array, Array]:
    """Return the steps at which each run has a point or has ended, and the values, (steps,) and (steps, runs)."""
    points = curves.pivot(index="steps", columns="run", values=value)
    ends = curves.groupby("run")["steps"].max().to_numpy()
    has_ended = points.index.to_numpy()[:, None] >= ends
    known = points.ffill().where(has_ended, points).dropna()
    return known.index.to_numpy(), known.to_numpy(np.float64)


KIND = FigureKind(
    learning_curves,
    120,
    "medians and quartiles of learning curves: train_loss, test_loss, n_correct or n_test_correct",
    curves_fault,
    (Caption("Training loss, medians and quartiles", 90),),
    shows_statistics=False,
)
