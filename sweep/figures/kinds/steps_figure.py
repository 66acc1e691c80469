"""Histogram of the steps to converge."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from sweep.figures.canvas import new_axes, say_why
from sweep.figures.figure_kind import FigureKind, figure_function
from sweep.figures.groups import Groups, counts_fault, finish
from sweep.figures.ticks import number_ticks, scale_numbers
from sweep.results.result import Result
from sweep.study.selection import At

_BINS = 40


def bins_of(steps: NDArray[np.int64]) -> tuple[NDArray[np.float64], bool]:
    """Return the edges of bins, halfway between integers, and whether their widths grow by a factor."""
    low, high = int(steps.min()), int(steps.max())
    wide = high > 20 * max(low, 1)
    if wide:  # a logarithmic axis has no 0, so the first bin includes runs that converged at step 0
        edges = np.unique(np.geomspace(max(low, 1), high + 1, _BINS + 1).round())
    else:
        width = -(-(high + 1 - low) // _BINS)
        edges = np.arange(low, high + width + 1, width).astype(np.float64)
    return edges - 0.5, wide


def shares_of(tally: pd.DataFrame, bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the percentage of all runs that converged in each bin. The first bin includes runs below it."""
    successes = tally[tally["status"] == "converged"]
    steps = np.maximum(successes["steps"], bins[0])
    counts, _ = np.histogram(steps, bins, weights=successes.get("weight", successes["n"]))
    return np.asarray(100 * counts / tally.get("weight", tally["n"]).sum())


@figure_function("there are too many lines, or there is no criterion")
def steps_distribution(
    result: Result, ax: Axes | None = None, *, color: str | None = None, at: At | None = None
) -> Axes:
    """Draw a histogram of the steps to converge, as shares of all runs, colored by a parameter."""
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
    finish(ax, groups.runs, groups, ("steps to converge", "runs, %"))
    return ax


KIND = FigureKind(steps_distribution, 100, "histogram of the steps to converge, as shares of all runs", counts_fault)
