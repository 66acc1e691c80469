"""Slices: a statistic of cells over one parameter, or over each of several."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sweep.figures.axis import Places, heading
from sweep.figures.canvas import new_axes, new_figure, plain, say_why
from sweep.figures.channels import check_known
from sweep.figures.colors import NAMED_COLORS
from sweep.figures.figure_kind import Caption, FigureKind, figure_function, pools_replicates
from sweep.figures.statistics import Selected, by_rank, can_be_pooled, drawn_values, select, some_of
from sweep.figures.ticks import fit_scale, number_ticks, scale_from_zero, scale_numbers
from sweep.results.result import Result
from sweep.study.selection import At, values_at

# Most points; of more cells, evenly spaced ones are drawn.
_MOST_POINTS = 5000
# Most slices of a figure.
_MOST_SLICES = 9
# Statistics that are comparable between a cell and pooled cells, beside those by which cells are compared. Counts are
# not: they grow with the number of cells.
_TOGETHER = ("steps_q25", "steps_q75", "restricted_mean_steps")


@pools_replicates
@figure_function(
    "nothing is swept, or there is no criterion", x="A parameter; by default the one with the most values."
)
def slice_plot(
    result: Result,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    value: str | None = None,
    at: At | None = None,
) -> Axes:
    """Draw a statistic of every cell as points over one parameter, and the pooled statistic as a line.

    At most 5,000 cells are drawn, evenly spaced by rank from the worst to the best.
    """
    selected = select(result, value, at)
    name = x or max(selected.values, key=lambda each: len(selected.values[each]), default="")
    check_known(name, selected.values)
    ax = ax or new_axes()
    places = Places.along(selected.values[name])
    if places.scale == "log":
        ax.set_xscale("log")
    known, unknown_cells = by_rank(selected)
    cells = some_of(known, _MOST_POINTS)
    drawn = drawn_values(cells, selected.statistic)
    look: dict[str, Any] = {"s": 9, "alpha": 0.5, "linewidths": 0, "rasterized": len(cells) > 500}
    ax.scatter(places.positions(cells[name]), drawn, color=NAMED_COLORS[0], **look)
    has_line = bool(selected.description.compared) or selected.statistic in _TOGETHER
    has_line &= len(selected.values) == 1 or can_be_pooled(result, selected.statistic)
    if has_line:
        together = select(result, value, at, (name,))
        has_line = _draw_line(ax, together, name, places)
    ax.set_xlim(places.limits())
    places.label(ax.xaxis, name)
    _scale_values(ax, selected, drawn)
    plain(ax)
    of_ranges = f" in each of {len(together.ranges[name])} ranges" if has_line and together.ranges else ""
    points = "cells" if len(cells) == len(known) else f"{len(cells):,} of {len(known):,} cells"
    notes = [f"points: {points}; diamonds: all runs pooled{of_ranges}" if has_line else f"points: {points}"]
    if len(unknown_cells):
        notes.append(
            f"not drawn: {len(unknown_cells):,} of {len(selected.table):,} cells where {selected.description.missing}"
        )
    varied = [each for each, entries in selected.values.items() if len(entries) > 1]
    ax.set_title(heading(result, selected.values, varied, notes), fontsize=10)
    return ax


def _draw_line(ax: Axes, together: Selected, name: str, places: Places) -> bool:
    """Draw the pooled statistic over a parameter, and return whether it has any finite value."""
    order = np.argsort(places.positions(together.table[name]))
    line = drawn_values(together.table, together.statistic)[order]
    style = "none" if places.scale == "names" and isinstance(places.values[0], str) else "-"
    x = places.positions(together.table[name])[order]
    ax.plot(x, line, "D", linestyle=style, color=NAMED_COLORS[1], markersize=4)
    return bool(np.isfinite(line).any())


def _scale_values(ax: Axes, selected: Selected, drawn: NDArray[np.float64]) -> None:
    """Scale the axis of the statistic, or write why it has no values."""
    ax.set_ylabel(selected.description.label)
    if selected.is_rate:
        ax.set_ylim(-3, 103)
    elif not len(drawn):
        ax.set_yticks([])
        say_why(ax, selected.nothing)
    elif selected.is_count or not drawn.any():
        scale_from_zero(ax, drawn)
        number_ticks(ax.yaxis, whole=True)
    elif selected.description.kind in ("rate", "outputs"):
        fit_scale(ax, drawn)
        number_ticks(ax.yaxis)
    else:
        scale_numbers(ax, "y", drawn)


@pools_replicates
def slices(result: Result, x: str | None = None, value: str | None = None, at: At | None = None) -> Axes | Figure:
    """Draw a slice along one parameter, or along each parameter with several values."""
    varied = [name for name, entries in values_at(result.study, at).items() if len(entries) > 1]
    if x is not None or len(varied) < 2:
        return slice_plot(result, x=x, value=value, at=at)
    shown = varied[:_MOST_SLICES]
    across = min(len(shown), 3)
    down = -(-len(shown) // across)
    figure = new_figure(3.6 * across, 3.3 * down + 0.4)
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    for k, (axes, name) in enumerate(zip(grid.flat, shown, strict=False)):
        slice_plot(result, axes, x=name, value=value, at=at)
        title = axes.get_title()
        axes.set_title("")
        if k % across:
            axes.set_ylabel("")
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    figure.suptitle(title, fontsize=10)
    return figure


def _refusal(result: Result) -> str | None:
    return None if result.study.parameters else "nothing is swept in this study"


KIND = FigureKind(
    slices,
    30,
    "a statistic of every cell, as points over one parameter, by default over each parameter in a panel",
    _refusal,
    (Caption("One parameter at a time", 60, least_varied=2),),
    of_cells=True,
)
