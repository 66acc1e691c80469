"""Performance profiles: how often each value of a parameter is within a factor of the best value's steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sweep.errors import SweepError
from sweep.figures.canvas import new_axes, say_why
from sweep.figures.groups import Groups, finish
from sweep.figures.panels import line_styles
from sweep.figures.ticks import number_ticks, scale_numbers
from sweep.results.curves import profile_of
from sweep.results.result import Result
from sweep.results.threshold_runs import LOSS_THRESHOLD
from sweep.study.selection import At
from sweep.system.formatting import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Resolution of a curve: parts of the whole height, and of a factor e.
_HEIGHTS, _WIDTHS = 300, 100
# Least factor at the end of the axis, even if all values need equally many steps.
_LEAST = 1.2


def profile(result: Result, ax: Axes | None = None, *, color: str | None = None, at: At | None = None) -> Axes:
    """Draw the share of problems that each value of a parameter solves within a factor of the best value's steps.

    A problem is a seed in a combination of all other parameters, and a target if targets are recorded. A curve starts
    at the share of problems in which a value is the best one, ties included, and ends at the share in which it
    converges, or meets the target.

    Parameters
    ----------
    result, ax, at
        As for :func:`sweep.figures.heatmap.heatmap`.
    color
        The parameter, of 2 to 12 values; by default the one of them with the most.

    Returns
    -------
    Axes
        Those that were drawn into.

    Raises
    ------
    SweepError
        If a name or a value is unknown, there are fewer than 2 or more than 12 values, there is no criterion, no
        problem has runs at all values, or rows of runs were not kept.
    """
    runs = result.by_threshold if result.study.record.loss_thresholds else result
    groups = Groups(runs, color, at, but=LOSS_THRESHOLD)
    if groups.color in (None, LOSS_THRESHOLD):
        why = "none has 2 to 12 values here" if color is None else "a target is part of its problems"
        raise SweepError(f"a performance profile compares the values of a parameter, and {why}")
    values = groups.values[groups.color]
    table = profile_of(runs, groups.color, values, np.sort(groups.cells))
    ax = ax or new_axes()
    last = max(float(table["factor"].max()), _LEAST)
    for value, style in line_styles(values).items():
        own = table[table[groups.color] == value]
        x = np.append(own["factor"].to_numpy(), last)
        heights = {name: 100 * np.append(own[name].to_numpy(), own[name].iloc[-1]) for name in ("share", "low", "high")}
        kept = _seen(x, heights["share"])
        ax.step(
            x[kept],
            heights["share"][kept],
            where="post",
            linewidth=1.4,
            label=short(value),
            **{**style, "marker": None},
        )
        ends = heights["low"][kept], heights["high"][kept]
        ax.fill_between(x[kept], *ends, step="post", alpha=0.12, linewidth=0, color=style["color"])
    scale_numbers(ax, "x", np.array([1.0, last]))
    ax.set_xlim(1.0, last**1.02)
    number_ticks(ax.xaxis)
    ax.set_ylim(-3, 103)
    if not table["share"].max():
        say_why(ax, "no run converged" if runs is result else "no target was reached")
    n_problems, n_unsolved = (int(table[name].iloc[0]) for name in ("n_problems", "n_unsolved"))
    notes = [f"{n_problems:,} problems, of which no value solves {n_unsolved:,}"]
    if table["low"].notna().any():
        notes.append("bands: 95 % intervals, each factor by itself")
    words = "steps, as a multiple of those of the best value", "problems solved within it, %"
    finish(ax, runs, groups, words, notes=notes)
    return ax


def _seen(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the indices of points whose change is visible, and of both ends."""
    kept = (np.diff(np.round(y / 100 * _HEIGHTS)) != 0) | (np.diff(np.round(np.log(x) * _WIDTHS)) != 0)
    return np.unique(np.concatenate([[0], np.flatnonzero(kept) + 1, [len(x) - 1]]))
