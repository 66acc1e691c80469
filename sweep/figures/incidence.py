"""Curves over steps: cumulative incidence of convergence, run-length distributions, and parallel runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from sweep.analysis.incidence import EVENTS, cumulative_incidence, parallel_incidence
from sweep.columns import statuses
from sweep.errors import SweepError, unknown
from sweep.figures.canvas import new_axes, say_why
from sweep.figures.groups import STATUS_COLORS, Groups, finish
from sweep.figures.panels import line_styles
from sweep.figures.ticks import annotate_ticks, number_ticks, scale_numbers
from sweep.results.curves import check_parallel, check_thresholds
from sweep.results.pooled_cells import pairs_seeds
from sweep.results.result import Result
from sweep.results.threshold_runs import LOSS_THRESHOLD
from sweep.statistics.outcomes import Outcomes
from sweep.study.selection import At

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Resolution of a curve: steps per full height, and per factor e of training steps.
_HEIGHTS, _WIDTHS = 300, 60
# Kinds of bands: columns of the curve, and a note in the title.
BANDS = {
    "pointwise": ("low", "high", "bands: pointwise 95 % intervals"),
    "simultaneous": ("band_low", "band_high", "bands: simultaneous 95 % bands"),
}


class _Line(NamedTuple):
    """The runs and the style of a curve."""

    tally: pd.DataFrame
    style: dict[str, Any]
    event: str = "converged"
    parallel_runs: int = 1


def incidence(
    result: Result,
    ax: Axes | None = None,
    *,
    color: str | None = None,
    at: At | None = None,
    bands: str = "pointwise",
    parallel_runs: int | Sequence[int] = 1,
) -> Axes:
    """Draw the cumulative incidence of convergence with its 95 % band, colored by a parameter.

    It is the share of runs that converged by each step. Exhausted runs are right-censored. Below each tick is the
    number of runs under way right before that step, over all curves.

    Parameters
    ----------
    result, ax, at
        As for :func:`sweep.figures.heatmap.heatmap`.
    color
        A parameter with at most 12 values; by default the one with the most. If there is none, the shares of runs
        that diverged, stalled or ended on a plateau are drawn too.
    bands
        ``"pointwise"`` for the interval of each step, or ``"simultaneous"`` for a band of the whole curve.
    parallel_runs
        If k is above 1, how often at least one of k runs of a cell has converged. Each of several numbers has a
        curve, pooled over all cells.

    Returns
    -------
    Axes
        The axes that were drawn into.

    Raises
    ------
    SweepError
        If a name or a value is unknown, there are too many lines, there is no criterion, there are more parallel
        runs than a cell has, or ``color`` is combined with several numbers of parallel runs.
    """
    numbers = [parallel_runs] if isinstance(parallel_runs, int | float | str) else list(parallel_runs)
    _check_bands(bands)
    groups = Groups(result, color, at, colored=len(numbers) == 1)
    if numbers != [1]:
        check_parallel(groups.tally, numbers)
    if len(numbers) > 1 and color is not None:
        raise SweepError(f"color: must be left out with several numbers of parallel runs, got {color!r}")
    lines = _lines(result, groups, numbers)
    ax = ax or new_axes()
    drawn, notes = _draw(ax, result, lines, bands)
    annotate_ticks(ax.xaxis, _under_way(groups.tally))
    ended = "converged" if groups.color or numbers != [1] else "ended"
    if not drawn:
        say_why(ax, "no run converged" if ended == "converged" else "no run ended before its limit")
    any_of = f"any of {numbers[0]:,} parallel runs" if len(numbers) == 1 else "any of K parallel runs"
    y = f"{'runs' if numbers == [1] else any_of} {ended} by this step, %"
    legend = "parallel runs" if len(numbers) > 1 else None
    finish(ax, result, groups, ("steps, and runs under way", y), notes=notes, legend=legend)
    return ax


def ecdf(
    result: Result, ax: Axes | None = None, *, color: str | None = None, at: At | None = None, bands: str = "pointwise"
) -> Axes:
    """Draw the run-length distribution: the share of pairs of a run and a threshold that are reached by each step.

    Thresholds are the recorded loss thresholds of the study, or else the swept values of ``threshold``. If nothing else
    is swept, each threshold has a curve, beside the curve of all thresholds.

    Parameters
    ----------
    result, ax, at, bands
        As for :func:`incidence`.
    color
        A parameter with at most 12 values; by default the one with the most, if possible not ``loss_threshold`` or
        ``threshold``.

    Returns
    -------
    Axes
        The axes that were drawn into.

    Raises
    ------
    SweepError
        If no thresholds are recorded and ``threshold`` has one value, or as for :func:`incidence`.
    StoreError
        If thresholds are recorded but rows of runs are not kept.
    """
    _check_bands(bands)
    are_recorded = bool(result.study.record.loss_thresholds)
    runs = result.by_threshold if are_recorded else result
    threshold = LOSS_THRESHOLD if are_recorded else "threshold"
    groups = Groups(runs, color, at, avoid=threshold)
    if not are_recorded:
        check_thresholds(result, groups.values.get(threshold, ()))
    lines = [_Line(tally, style) for tally, style in groups]
    if color is None and groups.color == threshold:
        every = {"color": "black", "linewidth": 2.6, "label": "all thresholds"}
        lines = [*(line._replace(style={**line.style, "linewidth": 1.0}) for line in lines), _Line(groups.tally, every)]
    ax = ax or new_axes()
    drawn, notes = _draw(ax, runs, lines, bands, logarithmic=True)
    annotate_ticks(ax.xaxis, _under_way(groups.tally))
    if not drawn:
        say_why(ax, "no threshold was reached" if are_recorded else "no run converged")
    labels = (
        f"steps, and {'pairs' if are_recorded else 'runs'} under way",
        "pairs of run and threshold reached by this step, %",
    )
    finish(ax, runs, groups, labels, notes=notes)
    return ax


def _lines(result: Result, groups: Groups, numbers: Sequence[int]) -> list[_Line]:
    """Return a curve for each number of parallel runs, for each color, or for each event."""
    if len(numbers) > 1:
        ordered = sorted(set(numbers))
        styles = zip(ordered, line_styles(ordered).values(), strict=True)
        return [_Line(groups.tally, {**style, "label": f"{k:,}"}, parallel_runs=k) for k, style in styles]
    if groups.color is None and list(numbers) == [1]:
        events = [event for event in EVENTS if event in statuses(result.study.has_patience)]
        return [_Line(groups.tally, {"color": STATUS_COLORS[event], "label": event}, event) for event in events]
    return [_Line(tally, style, parallel_runs=numbers[0]) for tally, style in groups]


def _check_bands(bands: str) -> None:
    if bands not in BANDS:
        raise SweepError(unknown("bands", bands, list(BANDS)))


def _draw(
    ax: Axes, result: Result, lines: Sequence[_Line], bands: str, *, logarithmic: bool = False
) -> tuple[bool, list[str]]:
    """Draw curves. Return whether any curve rises above 0, and notes on the bands."""
    outcomes = result.outcomes if pairs_seeds(result) else None
    last = max(*(int(line.tally["steps"].max()) for line in lines), 1)
    low, high, note = BANDS[bands]
    found = [_curve(line, outcomes, result.study.seeds.count) for line in lines]
    for line, curve in zip(lines, found, strict=True):
        start = _start_of(curve)
        end = (curve if len(curve) else start).tail(1).assign(steps=_known_until(line.tally, last))
        thinned = pd.concat([start, _thin(curve), end], ignore_index=True)
        x, (y, below, above) = thinned["steps"], (100 * thinned[name] for name in ("incidence", low, high))
        ax.step(x, y, where="post", **{"linewidth": 1.4, **line.style, "marker": None})
        ax.fill_between(x, below, above, step="post", alpha=0.15, linewidth=0, color=line.style["color"])
    curves = pd.concat(found)
    _scale_steps(ax, curves["steps"].to_numpy(), last, logarithmic=logarithmic)
    ax.set_ylim(-3, 103)
    return bool(curves["incidence"].max() > 0), [note] if curves[low].notna().any() else []


def _curve(line: _Line, outcomes: Outcomes | None, n_seeds: int) -> pd.DataFrame:
    """Return the table of a curve."""
    if line.parallel_runs > 1:
        return parallel_incidence(line.tally, line.parallel_runs)
    paired = outcomes.at(line.tally["cell"].unique()) if outcomes else None
    return cumulative_incidence(line.tally, line.event, paired, n_seeds)


def _under_way(tally: pd.DataFrame) -> Any:
    """Return a function from a step to the number of runs under way right before it, as text."""
    ends = tally.groupby("steps")["n"].sum()
    steps, ended = ends.index.to_numpy(), np.concatenate([[0], np.cumsum(ends.to_numpy())])
    return lambda step: f"{ended[-1] - ended[np.searchsorted(steps, step)]:,}"


def _start_of(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the row at step 0. If the curve stays at 0, it has the interval of the last row."""
    if len(curve) and not curve["incidence"].any():
        return curve.tail(1).assign(steps=0)
    return pd.DataFrame({name: [0] for name in curve})


def _known_until(tally: pd.DataFrame, last: int) -> int:
    """Return the last known step of a curve: that of the figure, unless runs are censored (exhausted) before."""
    return int(tally["steps"].max()) if (tally["status"] == "exhausted").any() else last


def _thin(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a curve with visible changes."""
    heights = (curve["incidence"] * _HEIGHTS).round().diff()
    widths = np.log(curve["steps"].clip(lower=1)).mul(_WIDTHS).round().diff()
    kept: pd.DataFrame = curve.loc[(heights != 0) | (widths != 0)]
    return kept


def _scale_steps(ax: Axes, steps: Any, last: int, *, logarithmic: bool) -> None:
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
