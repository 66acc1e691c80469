"""Parallel coordinates: each cell as a line through its values of all parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from numpy.typing import NDArray

from sweep.errors import SweepError
from sweep.figures.axis import Places, heading, label_of
from sweep.figures.canvas import inches_across, new_axes, say_why, wrapped
from sweep.figures.colors import MISSING, PAPER, color_bar, color_map, color_norm
from sweep.figures.figure_kind import Caption, FigureKind, figure_function, pools_replicates
from sweep.figures.statistics import MOST_SINGLE, by_rank, drawn_values, select, some_of
from sweep.results.answers import swept
from sweep.results.result import Result
from sweep.study.reading.value_forms import Scalar
from sweep.study.selection import At

# Most lines; of more cells, evenly spaced ones are drawn.
_MOST_LINES = 500
# Labels of an axis that hide lines behind them.
_MOST_LABELS = 40
# Up to this many lines look alike. Among more, at least this many of the best stand out.
_MOST_CLEAR = 100
_LEAST_CLEAR = 10
_TOO_FEW = "parallel coordinates need a parameter with several selected values, got none"


@pools_replicates
@figure_function("no parameter varies, or there is no criterion")
def parallel(result: Result, ax: Axes | None = None, *, value: str | None = None, at: At | None = None) -> Axes:
    """Draw each cell as a line through its values of all parameters, colored by a statistic, with the best on top.

    At most 500 cells are drawn, evenly spaced by rank from the worst to the best. If fewer cells have the statistic,
    cells without it are added in gray.
    """
    selected = select(result, value, at)
    names = [name for name, entries in selected.values.items() if len(entries) > 1]
    if not names:
        raise SweepError(_TOO_FEW)
    known, unknown_cells = by_rank(selected)
    some = some_of(known, _MOST_LINES)
    cells = pd.concat([some_of(unknown_cells, _MOST_LINES - len(some)), some])
    ax = ax or new_axes(min(2.2 + 1.6 * len(names), 14.0), 4.6)
    is_part = len(known) > 0 and len(cells) < len(selected.table)
    notes = [f"{len(cells):,} of {len(selected.table):,} cells"] if is_part else []
    ax.set_title(heading(result, selected.values, names, notes, inches_across(ax)), fontsize=10)
    if known.empty:
        ax.set_axis_off()
        say_why(ax, selected.nothing)
        return ax
    norm = color_norm(selected, drawn_values(known, selected.statistic))
    drawn = np.ma.masked_invalid(drawn_values(cells, selected.statistic))
    colors = color_map(selected).with_extremes(bad=MISSING)(norm(drawn))
    heights = np.column_stack([_draw_axis(ax, k, cells[name], selected.values[name]) for k, name in enumerate(names)])
    marker = "o" if len(names) == 1 else None
    faint = max(min(_MOST_CLEAR / len(heights), 1.0), 0.35)  # many lines are transparent, except the best
    first_clear = len(heights) - max(_LEAST_CLEAR, len(heights) // 20) if faint < 1 else 0
    for k, (line, color) in enumerate(zip(heights, colors, strict=True)):
        width, alpha = (1.0, 0.7) if k >= first_clear else (0.6, 0.7 * faint)
        look: dict[str, Any] = {"color": color, "linewidth": width, "alpha": alpha, "marker": marker}
        ax.plot(range(len(names)), line, solid_capstyle="round", **look)
    ax.set_xticks(range(len(names)), [wrapped(label_of(name), 1.2) for name in names])
    ax.set(xlim=(-0.4, len(names) - 0.6 + 0.35), ylim=(0, 1), yticks=[])
    ax.spines[:].set_visible(False)
    color_bar(ax, ScalarMappable(norm, color_map(selected)), selected)
    return ax


def _draw_axis(ax: Axes, k: int, column: pd.Series, values: Sequence[Scalar]) -> NDArray[np.float64]:
    """Draw the axis of a parameter at position k, and return the height of each row of its column, from 0 to 1."""
    places = Places.along(values) if len(values) > MOST_SINGLE else Places.of(values)
    axis = ax.twinx()
    axis.set_yscale("log" if places.scale == "log" else "linear")
    last = len(values) - 1
    axis.set_ylim((-0.05 * last, 1.05 * last) if places.scale == "names" else places.limits())
    places.label(axis.yaxis, "")
    axis.spines[:].set_visible(False)
    axis.spines["right"].set(visible=True, position=("data", k), color="0.4", linewidth=0.8)
    axis.tick_params(length=0, pad=6, labelsize=9)
    for tick in axis.yaxis.get_major_ticks(_MOST_LABELS):
        tick.label2.set_bbox({"facecolor": PAPER, "alpha": 0.9, "linewidth": 0, "pad": 0.8})
    to_axes = axis.transScale + axis.transLimits
    positions = places.positions(column)
    return np.asarray(to_axes.transform(np.column_stack([np.zeros(len(positions)), positions]))[:, 1])


def _refusal(result: Result) -> str | None:
    return None if swept(result.study) else _TOO_FEW


KIND = FigureKind(
    parallel,
    50,
    "cells as lines through all parameters, colored by a statistic",
    _refusal,
    (Caption("All cells in parallel coordinates", 70, least_varied=3),),
    of_cells=True,
)
