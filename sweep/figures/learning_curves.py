"""Recorded learning curves: medians and quartiles over runs, and single runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.analysis.study_measures import most_correct
from sweep.errors import SweepError, unknown
from sweep.figures.canvas import new_axes, say_why
from sweep.figures.groups import STATUS_COLORS, Shown, finish, styles_of, usual_color
from sweep.figures.panels import NAMED_COLORS
from sweep.figures.ticks import number_ticks
from sweep.results.answers import check_swept
from sweep.schemas.run_columns import curve_measures
from sweep.study.selection import At, values_at
from sweep.system.formatting import count_text, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sweep.results.result import Result

Array = NDArray[Any]

# Labels of the measures along a curve.
_LABELS = {
    "train_loss": "loss",
    "n_correct": "correct outputs",
    "test_loss": "test loss",
    "n_test_correct": "correct test outputs",
}
_QUARTILES = (0.25, 0.5, 0.75)
# Most curves of single runs, and the number above which they are fainter.
_MOST_RUNS, _MANY_RUNS = 300, 40
# Losses above this, or below its inverse, are not drawn; a range above this factor is logarithmic.
_LARGEST, _WIDE = 1e30, 5.0
_NOT_DRAWN = "nothing to draw: every loss is 0, infinite or too large"


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
        As for :func:`sweep.figures.heatmap.heatmap`.
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
    curves, shown = _selected(result, color, value, at)
    ax = ax or new_axes()
    styles = {None: {"color": NAMED_COLORS[0]}} if shown.color is None else styles_of(shown.color, shown.values)
    drawn: list[Array] = []
    for entry, style in styles.items():
        chosen = curves if shown.color is None else curves[curves[shown.color] == entry]
        steps, values = _at_steps(chosen, value)
        if not len(steps):
            continue
        low, median, high = (
            _drawable(np.quantile(values, q, axis=1, method="inverted_cdf"), value) for q in _QUARTILES
        )
        look: dict[str, Any] = {name: style[name] for name in ("color", "linestyle") if name in style}
        ax.plot(steps, median, linewidth=1.4, label=None if entry is None else short(entry), **look)
        top = np.where(np.isfinite(high), high, _LARGEST)
        ax.fill_between(steps, low, top, where=np.isfinite(low), color=style["color"], alpha=0.15, linewidth=0)
        drawn += [low, median, high]
    _scale(ax, result, value, curves["steps"].to_numpy(), np.concatenate([*drawn, np.empty(0)]))
    notes = [f"median and quartiles of {_first_seeds(result)}; ended runs keep their last value"]
    finish(ax, result, shown, ("steps", _LABELS[value]), notes=notes)
    return ax


def curves_of_runs(result: Result, ax: Axes | None = None, *, value: str = "train_loss", at: At | None = None) -> Axes:
    """Draw the learning curve of each run as a thin line, colored by its status.

    Parameters
    ----------
    result, ax, at
        As for :func:`sweep.figures.heatmap.heatmap`. At most 300 evenly spaced runs are drawn.
    value
        As for :func:`learning_curves`.

    Returns
    -------
    Axes
        The axes that were drawn into. The infinite last loss of a diverged run is not drawn.

    Raises
    ------
    SweepError
        If a name or a value is unknown.
    StoreError
        If no learning curves were recorded, or the result is partial.
    """
    curves, shown = _selected(result, None, value, at)
    shown = shown._replace(color=None)
    runs = curves["run"].unique()
    chosen = runs[np.linspace(0, len(runs) - 1, min(len(runs), _MOST_RUNS)).round().astype(np.int64)]
    curves = curves[curves["run"].isin(chosen)]
    ax = ax or new_axes()
    drawn = _drawable(curves[value].to_numpy(np.float64), value)
    faint = 0.35 if len(chosen) > _MANY_RUNS else 0.7
    for status, paint in STATUS_COLORS.items():
        has_status = (curves["status"] == status).to_numpy()
        if has_status.any():
            run, steps = (curves[name].to_numpy()[has_status] for name in ("run", "steps"))
            values = drawn[has_status]
            gaps = np.flatnonzero(np.diff(run)) + 1  # lines are broken between runs
            x, y = (np.insert(each.astype(np.float64), gaps, np.nan) for each in (steps, values))
            ax.plot(x, y, color=paint, linewidth=0.8, alpha=faint, label=status)
            ends = np.diff(run, append=-1) != 0
            ax.plot(steps[ends], values[ends], color=paint, linestyle="none", marker=".", markersize=4, alpha=faint)
    _scale(ax, result, value, curves["steps"].to_numpy(), drawn)
    some = f"{len(chosen):,} of {len(runs):,} runs" if len(chosen) < len(runs) else count_text(len(runs), "run")
    finish(ax, result, shown, ("steps", _LABELS[value]), notes=[f"{some} of {_first_seeds(result)}, each to its end"])
    return ax


def _selected(result: Result, color: str | None, value: str, at: At | None) -> tuple[pd.DataFrame, Shown]:
    """Return the curves of some cells, and the parameters that the figure shows."""
    known = [column.name for column in curve_measures(result.study)]
    if value not in known:
        raise SweepError(unknown("value", value, known))
    values = values_at(result.study, at)
    if color is not None:
        check_swept(result.study, [color])
    return result.learning_curves(at=at), Shown(color or usual_color(values), values)


def _first_seeds(result: Result) -> str:
    """Return text for the seeds with curves."""
    curves = result.study.record.curves
    assert curves is not None
    return f"the first {count_text(curves.seeds, 'seed')}"


def _at_steps(curves: pd.DataFrame, value: str) -> tuple[Array, Array]:
    """Return the steps at which each run has a point or has ended, and the values, (steps,) and (steps, runs)."""
    run, steps, values = (curves[name].to_numpy() for name in ("run", "steps", value))
    ends = np.diff(run, append=-1) != 0
    firsts = np.flatnonzero(np.diff(run, prepend=-1))
    order = np.repeat(np.arange(len(firsts)), np.diff(firsts, append=len(run)))
    span = int(steps.max(initial=0)) + 1
    keys, found = order * span + steps, []
    for step in np.union1d(steps[~ends], steps.max(initial=0)):
        place = np.searchsorted(keys, np.arange(len(firsts)) * span + step, side="right") - 1
        is_known = (place >= firsts) & (ends[place] | (steps[place] == step))
        if is_known.all():
            found.append((step, values[place]))
    at, rows = zip(*found, strict=True) if found else ((), ())
    return np.array(at), np.array(rows, np.float64)


def _drawable(values: Array, value: str) -> Array:
    """Return values, with NaN for losses that are not drawn."""
    if not value.endswith("loss"):
        return values
    return np.where((values >= 1 / _LARGEST) & (values <= _LARGEST), values, np.nan)


def _scale(ax: Axes, result: Result, value: str, steps: Array, drawn: Array) -> None:
    """Scale and label both axes, or write why they are empty."""
    drawn, last = drawn[np.isfinite(drawn)], max(int(steps.max(initial=0)), 1)
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
        low, high = (
            (min(0.0, drawn.min()), drawn.max())
            if value.endswith("loss")
            else (0.0, float(most_correct(result.study, value)))
        )
        ax.set_ylim(low - 0.03 * (high - low), high + 0.03 * (high - low) or 1.0)
        number_ticks(ax.yaxis, whole=not value.endswith("loss"))
