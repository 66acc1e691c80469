"""Parallel coordinates: each cell as a line through its values of all parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import SweepError
from sweep.figures.axis import Places, heading, label_of
from sweep.figures.canvas import inches_across, new_axes, say_why, wrapped
from sweep.figures.colors import MISSING, PAPER, color_bar, color_map, color_norm
from sweep.figures.figure_kind import Caption, FigureKind
from sweep.figures.ranges import MOST_SINGLE
from sweep.figures.ranked_cells import by_rank, some_of
from sweep.figures.statistics import Selected, drawn_values, select
from sweep.results.answers import swept
from sweep.results.result import Result
from sweep.study.reading.value_forms import Scalar
from sweep.study.selection import At
from sweep.system.formatting import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator

# Most lines; of more cells, evenly spaced ones are drawn.
_MOST_LINES = 500
_MOST_LABELS = 12
# Up to this many lines look alike. Among more, at least this many of the best stand out.
_MOST_CLEAR, _LEAST_CLEAR = 100, 10
_TOO_FEW = "parallel coordinates need a parameter with several selected values, got none"


def parallel(result: Result, ax: Axes | None = None, *, value: str | None = None, at: At | None = None) -> Axes:
    """Draw each cell as a line through its values of all parameters, colored by a statistic, with the best on top.

    At most 500 cells are drawn, evenly spaced by rank from the worst to the best. If fewer cells have the statistic,
    cells without it are added in gray.

    Parameters
    ----------
    result, ax, value, at
        As for :func:`sweep.figures.slice_plot`.

    Returns
    -------
    Axes
        The axes that were drawn into.

    Raises
    ------
    SweepError
        If a name or a value is unknown, no parameter varies, or there is no criterion.
    """
    import pandas as pd
    from matplotlib.cm import ScalarMappable

    selected = select(result, value, at)
    names = [name for name, entries in selected.values.items() if len(entries) > 1]
    if not names:
        raise SweepError(_TOO_FEW)
    known, unknown_cells = by_rank(selected)
    some = some_of(known, _MOST_LINES)
    cells = pd.concat([some_of(unknown_cells, _MOST_LINES - len(some)), some])
    ax = ax or new_axes(min(2.2 + 1.6 * len(names), 14.0), 4.6)
    notes = [f"{len(cells):,} of {len(selected.table):,} cells"] if len(cells) < len(selected.table) else []
    ax.set_title(heading(result, selected.values, names, notes, inches_across(ax)), fontsize=10)
    if known.empty:
        ax.set_title(heading(result, selected.values, names, width=inches_across(ax)), fontsize=10)
        ax.set_axis_off()
        say_why(ax, selected.nothing)
        return ax
    norm = color_norm(selected, drawn_values(known, selected.statistic))
    drawn = np.ma.masked_invalid(drawn_values(cells, selected.statistic))
    colors = color_map(selected).with_extremes(bad=MISSING)(norm(drawn))
    heights = np.column_stack([_heights(cells, name, selected) for name in names])
    marker = "o" if len(names) == 1 else None
    faint = max(min(_MOST_CLEAR / len(heights), 1.0), 0.35)  # many lines are transparent, except the best
    first_clear = len(heights) - max(_LEAST_CLEAR, len(heights) // 20) if faint < 1 else 0
    for k, (line, color) in enumerate(zip(heights, colors, strict=True)):
        width, alpha = (1.0, 0.7) if k >= first_clear else (0.6, 0.7 * faint)
        look: dict[str, Any] = {"color": color, "linewidth": width, "alpha": alpha, "marker": marker}
        ax.plot(range(len(names)), line, solid_capstyle="round", **look)
    for k, name in enumerate(names):
        _draw_axis(ax, k, _axis_of(selected.values[name]), room=3 if marker is None else 7)
    ax.set_xticks(range(len(names)), [wrapped(label_of(name), 1.2) for name in names])
    ax.set(xlim=(-0.4, len(names) - 0.6 + 0.35), ylim=(-0.05, 1.05), yticks=[])
    ax.spines[:].set_visible(False)
    color_bar(ax, ScalarMappable(norm, color_map(selected)), selected)
    return ax


def _axis_of(values: Sequence[Scalar]) -> Places:
    """Return positions along an axis of parallel coordinates. Many numbers are at their value."""
    return Places.along(values) if len(values) > MOST_SINGLE else Places.of(values)


def _heights(cells: Any, name: str, selected: Selected) -> NDArray[np.float64]:
    """Return the position of each row along the axis of a parameter, from 0 to 1, (rows,)."""
    places = _axis_of(selected.values[name])
    return np.asarray(_unit(places)[places.indices(cells[name])])


def _unit(places: Places) -> NDArray[np.float64]:
    """Return the position of each value, from 0 to 1, (values,)."""
    centers = np.log(places.centers()) if places.scale == "log" else places.centers()
    span = centers[-1] - centers[0]
    return np.asarray((centers - centers[0]) / span if span else np.full(len(centers), 0.5))


def _draw_axis(ax: Axes, k: int, places: Places, room: int) -> None:
    """Draw the axis of one parameter with its values, ``room`` points beside it."""
    ax.axvline(k, color="0.4", linewidth=0.8)
    for height, value in _labels(places):
        ax.annotate(
            short(value), (k, height), (room, 0), textcoords="offset points", va="center", fontsize=9,
            bbox={"facecolor": PAPER, "alpha": 0.9, "linewidth": 0, "pad": 0.8},
        )  # fmt: skip


def _labels(places: Places) -> Iterator[tuple[float, Scalar]]:
    """Yield the labelled values of an axis with their heights: of many numbers round ones, else every k-th value."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    values = places.values
    if len(values) <= _MOST_LABELS or places.scale == "names":
        every = -(-len(values) // _MOST_LABELS)
        yield from zip(_unit(places)[::every].tolist(), values[::every], strict=True)
        return
    low, high = float(values[0]), float(values[-1])
    turned = np.log if places.scale == "log" else np.asarray
    locators: list[Locator] = [MaxNLocator(6, integer=isinstance(values[0], int))]
    if places.scale == "log":  # powers of ten, or numbers between them, where there are some
        locators = [LogLocator(), LogLocator(subs=(1, 3)), LogLocator(subs=(1, 2, 5)), *locators]
    inside = ([tick for tick in locator.tick_values(low, high) if low <= tick <= high] for locator in locators)
    ticks = next((ticks for ticks in inside if len(ticks) > 2), [low, high])
    bottom, top = turned(low), turned(high)
    for tick in ticks:
        yield float((turned(tick) - bottom) / (top - bottom)), float(f"{tick:.6g}")


def _refusal(result: Result) -> str | None:
    return None if swept(result.study) else _TOO_FEW


KIND = FigureKind(
    parallel,
    50,
    "cells as lines through all parameters, colored by a statistic",
    _refusal,
    (Caption("All cells in parallel coordinates", 70, suits=lambda result: len(swept(result.study)) > 2),),
)
