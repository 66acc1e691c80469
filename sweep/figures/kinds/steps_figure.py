"""Histogram of the steps to converge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.figures.canvas import new_axes, say_why
from sweep.figures.figure_kind import FigureKind
from sweep.figures.groups import Groups, counts_fault, finish
from sweep.figures.step_bins import bins_of, shares_of
from sweep.figures.ticks import number_ticks, scale_numbers
from sweep.results.result import Result
from sweep.study.selection import At

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def steps_distribution(
    result: Result, ax: Axes | None = None, *, color: str | None = None, at: At | None = None
) -> Axes:
    """Draw a histogram of the steps to converge, as shares of all runs, colored by a parameter.

    Parameters
    ----------
    result, ax, at
        As for :func:`sweep.figures.heatmap`.
    color
        As for :func:`sweep.figures.incidence`.

    Returns
    -------
    Axes
        The axes that were drawn into.

    Raises
    ------
    SweepError
        If a name or a value is unknown, there are too many lines, or there is no criterion.
    """
    groups = Groups(result, color, at)
    ax = ax or new_axes()
    converged = groups.tally[groups.tally["status"] == "converged"]
    if not len(converged):
        say_why(ax, "nothing to draw: no run converged")
        ax.set(xticks=[], yticks=[])
    else:
        bins, wide = bins_of(converged["steps"].to_numpy())
        for tally, style in groups:
            look = {name: style[name] for name in ("color", "linestyle", "label") if name in style}
            ax.stairs(shares_of(tally, bins), bins, linewidth=1.4, fill=groups.color is None, **look)
        if wide:
            scale_numbers(ax, "x", bins)
        else:
            room = max(0.05 * (bins[-1] - bins[0]), 1.5)
            ax.set_xlim(max(bins[0] - room, -0.5), bins[-1] + room)
            number_ticks(ax.xaxis, whole=True)
    finish(ax, result, groups, ("steps to converge", "runs, %"))
    return ax


KIND = FigureKind(steps_distribution, 100, "histogram of the steps to converge, as shares of all runs", counts_fault)
