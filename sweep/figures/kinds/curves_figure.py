"""Learning curves: medians and quartiles over runs at each recorded step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from sweep.analysis.held_out import classifies
from sweep.errors import SweepError, unknown
from sweep.figures.canvas import new_axes, say_why
from sweep.figures.colors import NAMED_COLORS
from sweep.figures.figure_kind import Caption, FigureKind, figure_function
from sweep.figures.groups import Shown, finish, styles_of, usual_color
from sweep.figures.ticks import fit_scale, number_ticks
from sweep.measures import MEASURES
from sweep.results.answers import check_swept, ranking_statistic
from sweep.results.learning_curves import curves_fault
from sweep.results.result import Result
from sweep.schemas.run_columns import curve_measures
from sweep.statistics.ranking import why_no_best
from sweep.study.options.option_tables import loss_and_reduction
from sweep.study.selection import At, values_at
from sweep.system.formatting import short

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
    return "the first seed" if curves.seeds == 1 else f"the first {curves.seeds:,} seeds"


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


_QUARTILES = (0.25, 0.5, 0.75)


@figure_function(
    "or the color has more than 12 values",
    store="no learning curves were recorded, or the result is partial",
    at='Selected values of some parameters. Without it, ``"loss"`` and ``"accuracy"`` are those of the best cell, '
    "or of all cells if none is the best.",
    value='A column of the learning curves, such as ``"train_loss"`` or ``"test_accuracy"``. Or ``"loss"`` or '
    '``"accuracy"`` of training, validation and test patterns in one figure, each with a color. By default ``"loss"`` '
    'with held-out patterns, else ``"train_loss"``.',
)
def learning_curves(
    result: Result, ax: Axes | None = None, *, color: str | None = None, value: str | None = None, at: At | None = None
) -> Axes:
    """Draw the median over runs at each step and a band between the quartiles, colored by a parameter.

    Runs that have ended keep their last value, which is infinite for diverged runs. Quartiles are values of runs, so
    the band has no upper end where a quarter of the runs has diverged. Steps at which a run under way has no point
    are left out; this happens if the epochs of cells have different lengths.
    """
    found = result.held_out
    value = value or ("loss" if found and color is None else "train_loss")
    if value.endswith("accuracy") and not classifies(result.study):
        raise SweepError(f"value: {value!r} needs targets of classes, got other numbers; draw a loss")
    if value in ("loss", "accuracy") and found:
        if color is not None:
            raise SweepError(f"color: shows the patterns with value {value!r}, got {color!r}; name one column as value")
        return _of_patterns(result, ax, value, at)
    curves, shown = selected_curves(result, color, value, at)
    ax = ax or new_axes()
    styles = {None: {"color": NAMED_COLORS[0]}} if shown.color is None else styles_of(shown.color, shown.values)
    drawn: list[Array] = []
    for entry, style in styles.items():
        chosen = curves if shown.color is None else curves[curves[shown.color] == entry]
        drawn += _draw_median(ax, chosen, value, style, None if entry is None else short(entry))
    scale_curves(ax, value, curves["steps"].to_numpy(), np.concatenate([*drawn, np.empty(0)]))
    notes = [f"median and quartiles of {first_seeds(result)}; ended runs keep their last value"]
    finish(ax, result, shown, ("steps", label_of(value)), notes=notes)
    return ax


def _draw_median(
    ax: Axes, curves: pd.DataFrame, value: str, style: dict[str, Any], label: str | None, scale: float = 1.0
) -> list[Array]:
    """Draw the median of runs and a band between the quartiles, and return these; nothing without points."""
    steps, values = _at_steps(curves, value)
    if not len(steps):
        return []
    low, median, high = (
        drawable(scale * np.quantile(values, q, axis=1, method="inverted_cdf"), value) for q in _QUARTILES
    )
    look: dict[str, Any] = {name: style[name] for name in ("color", "linestyle") if name in style}
    ax.plot(steps, median, linewidth=1.4, label=label, **look)
    top = np.where(np.isfinite(high), high, LARGEST)
    ax.fill_between(steps, low, top, where=np.isfinite(low), color=style["color"], alpha=0.15, linewidth=0)
    return [low, median, high]


def _of_patterns(result: Result, ax: Axes | None, value: str, at: At | None) -> Axes:
    """Draw the loss or the accuracy of training, validation and test patterns, by default in the best cell."""
    none = "" if at else why_no_best(result.numbered_cells, ranking_statistic(result))
    if at is None and not none:
        (best,) = result.best(top=1).to_dict("records")
        at = {name: [best[name]] for name in result.study.parameters if name in best}
    curves, shown = selected_curves(result, None, "train_loss", at)
    shown = shown._replace(color=None)
    ax = ax or new_axes()
    data = result.study.data
    sizes = {"training": data.n_patterns, "validation": data.n_validations, "test": data.n_tests}
    is_sum = value == "loss" and any(
        loss_and_reduction(*each)[1] == "sum" for each in result.study.combinations(("loss", "reduction"))
    )
    drawn: list[Array] = []
    notes = [f"median and quartiles of {first_seeds(result)}; ended runs keep their last value"]
    notes += [f"{none}: all cells are drawn"] if none else []
    at_end = np.nan
    for (patterns, columns), paint in zip(OF_PATTERNS.items(), (NAMED_COLORS[k] for k in (0, 2, 1)), strict=True):
        column = columns[value == "accuracy"]
        if column not in curves:
            continue
        scale = 1 / sizes[patterns] if is_sum else 1.0
        _, median, _ = bands = _draw_median(ax, curves, column, {"color": paint}, patterns, scale)
        drawn += bands
        if patterns == "training":
            at_end = median[-1]
        else:
            notes.append(_extreme(patterns, value, np.asarray(ax.lines[-1].get_xdata()), median, at_end))
    scale_curves(ax, value, curves["steps"].to_numpy(), np.concatenate([*drawn, np.empty(0)]))
    label = "accuracy, %" if value == "accuracy" else "loss per pattern" if is_sum else "loss"
    finish(ax, result, shown, ("steps", label), notes=notes, legend="patterns")
    return ax


def _extreme(patterns: str, value: str, steps: Array, median: Array, trained: float) -> str:
    """Return the note on when held-out patterns do best, and on how far they are from training patterns at the end."""
    best, most = (np.nanargmax, "greatest") if value == "accuracy" else (np.nanargmin, "least")
    if np.isnan(median).all():
        return f"{patterns} {value} is not finite"
    k = int(best(median))
    write = "{:.1f} %".format if value == "accuracy" else "{:.3g}".format
    gap = f" (gap {write(abs(trained - median[-1]))})" if trained == trained else ""
    text = f"{patterns} {value}: {most} {write(median[k])} after {int(steps[k]):,} steps"
    return f"{text}; {write(median[-1])} at the end{gap}"


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
    "medians and quartiles of the learning curves of a value: loss or accuracy, each of training, validation and test "
    "patterns, or one column such as train_loss",
    curves_fault,
    (
        Caption("Training and held-out loss, medians and quartiles", 6, held_out=True),
        Caption("Training loss, medians and quartiles", 90, {"value": "train_loss"}),
    ),
    shows_statistics=False,
)
