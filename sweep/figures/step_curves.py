"""Curves over steps with their bands: what cumulative incidence and run-length distributions have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from sweep.analysis.incidence import incidence_curve
from sweep.errors import SweepError, unknown
from sweep.figures.ticks import number_ticks, scale_numbers
from sweep.results.estimate import pairs_seeds
from sweep.results.queries import Queries

# Resolution of a curve: differences per full height, and per factor e of training steps.
_HEIGHTS, _WIDTHS = 300, 100
# Kinds of bands: columns of the curve, and a note in the title.
BANDS = {
    "pointwise": ("low", "high", "bands: pointwise 95 % intervals"),
    "simultaneous": ("band_low", "band_high", "bands: simultaneous 95 % bands"),
}


class StepLine(NamedTuple):
    """The runs and the style of a curve."""

    tally: pd.DataFrame
    style: dict[str, Any]
    event: str = "converged"
    parallel_runs: int = 1


def check_bands(bands: str) -> None:
    """Raise SweepError if there is no such kind of bands."""
    if bands not in BANDS:
        raise SweepError(unknown("bands", bands, list(BANDS)))


def draw_curves(
    ax: Axes, result: Queries, lines: Sequence[StepLine], bands: str, *, logarithmic: bool = False
) -> tuple[bool, list[str]]:
    """Draw curves. Return whether any curve rises above 0, and notes on the bands."""
    outcomes = result.outcomes if pairs_seeds(result) else None
    last = max(*(int(line.tally["steps"].max()) for line in lines), 1)
    low, high, note = BANDS[bands]
    runs = outcomes, result.study.seeds.count, result.replicates
    found = [incidence_curve(line.tally, line.event, *runs, line.parallel_runs) for line in lines]
    for line, curve in zip(lines, found, strict=True):
        start = _start_of(curve)
        is_censored = (line.tally["status"] == "exhausted").any()
        known_until = line.tally["steps"].max() if is_censored else last
        end = (curve if len(curve) else start).tail(1).assign(steps=known_until)
        whole = pd.concat([start, curve, end], ignore_index=True)
        draw_steps(ax, whole["steps"], 100 * whole[["incidence", low, high]], line.style)
    curves = pd.concat(found)
    _scale_steps(ax, curves["steps"].to_numpy(), last, logarithmic=logarithmic)
    ax.set_ylim(-3, 103)
    return bool(curves["incidence"].max() > 0), [note] if curves[low].notna().any() else []


def draw_steps(ax: Axes, x: pd.Series, percents: pd.DataFrame, style: dict[str, Any]) -> None:
    """Draw a step function and its band: three columns of percents. Points without a visible change are left out."""
    heights = percents.iloc[:, 0].mul(_HEIGHTS / 100).round().diff()
    widths = np.log(x.clip(lower=1)).mul(_WIDTHS).round().diff()
    kept = (heights != 0) | (widths != 0)
    kept.iloc[-1] = True
    visible = percents[kept]
    y, low, high = (visible[name] for name in visible)
    ax.step(x[kept], y, where="post", **{"linewidth": 1.4, **style, "marker": None})
    ax.fill_between(x[kept], low, high, step="post", alpha=0.15, linewidth=0, color=style["color"])


def under_way(tally: pd.DataFrame) -> Callable[[float], str]:
    """Return a function from a step to the number of runs under way right before it, as text."""
    ends = tally.groupby("steps")["n"].sum()
    steps = ends.index.to_numpy()
    ended = np.concatenate([[0], np.cumsum(ends.to_numpy())])
    return lambda step: f"{ended[-1] - ended[np.searchsorted(steps, step)]:,}"


def _start_of(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the row at step 0. If the curve stays at 0, it has the interval of the last row."""
    if len(curve) and not curve["incidence"].any():
        return curve.tail(1).assign(steps=0)
    return pd.DataFrame({name: [0] for name in curve})


def _scale_steps(ax: Axes, steps: NDArray[np.int64], last: int, *, logarithmic: bool) -> None:
    """Scale the axis of steps: logarithmic for a wide range, or if ``logarithmic`` and possible."""
    positive = steps[steps > 0]
    wide = positive.size > 1 and last > 50 * np.quantile(positive, 0.05)
    if wide or (logarithmic and positive.size and last > positive.min()):
        first = max(np.quantile(positive, 0.01) if wide else positive.min(), 1)
        scale_numbers(ax, "x", np.array([first, last], np.float64))
        if logarithmic:
            ax.set_xscale("log")
            number_ticks(ax.xaxis)
        ax.set_xlim(max(first / 1.5, 0.8), last * 1.1)
    else:
        number_ticks(ax.xaxis, whole=True)
