"""Contours of a statistic over two numeric parameters."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes

from sweep.figures.canvas import say_why
from sweep.figures.colors import color_map, color_norm
from sweep.figures.figure_kind import FigureKind, figure_function, pools_replicates
from sweep.figures.kinds.heatmap_figure import finish_map, map_refusal, prepare_map
from sweep.results.result import Result
from sweep.study.selection import At


@pools_replicates
@figure_function(
    "a parameter has fewer than two values or is not numeric, or there is no criterion",
    x="A numeric parameter; by default one of the two with the most values.",
    y="Another numeric parameter.",
)
def contour(
    result: Result,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    value: str | None = None,
    at: At | None = None,
) -> Axes:
    """Draw contours of a statistic over two numeric parameters, pooled over all others."""
    drawn = prepare_map(result, ax, x, y, value, at, numbers=True)
    ax, selected = drawn.ax, drawn.selected
    shown = np.ma.masked_invalid(drawn.grid)
    across, down = drawn.across.centers(), drawn.down.centers()
    ax.set(xlim=across[[0, -1]], ylim=down[[0, -1]])
    has_value = np.isfinite(drawn.grid)
    between = has_value[1:, 1:] & has_value[:-1, 1:] & has_value[1:, :-1] & has_value[:-1, :-1]
    mesh = None
    if not has_value.any():
        say_why(ax, selected.nothing)
    elif not between.any():
        missing = selected.description.missing
        say_why(ax, f"nothing to draw: each square of four cells has a cell where {missing}")
    elif shown.min() == shown.max():
        say_why(ax, f"nothing to draw: {selected.description.label}: {shown.max():,.4g} in every cell")
    else:
        norm = color_norm(selected, drawn.grid)
        levels = norm.inverse(np.linspace(0, 1, 11))
        mesh = ax.contourf(across, down, shown, levels, cmap=color_map(selected), norm=norm)
        ax.contour(across, down, shown, levels[1:-1], colors="white", linewidths=0.6)
    finish_map(drawn, mesh, result)
    return ax


KIND = FigureKind(
    contour,
    40,
    "contours of a statistic over two numeric parameters",
    partial(map_refusal, numbers=True),
    of_cells=True,
)
