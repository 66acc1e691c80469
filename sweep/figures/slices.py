"""Slices: a statistic of cells over one parameter; and parallel coordinates over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import SweepError, unknown
from sweep.figures.axis import Places, heading, label_of
from sweep.figures.canvas import inches_across, new_axes, say_why, wrapped
from sweep.figures.colors import MISSING, PAPER, color_bar, color_map, color_norm
from sweep.figures.panels import NAMED_COLORS
from sweep.figures.ranges import MOST_SINGLE
from sweep.figures.statistics import Selected, can_be_pooled, drawn_values, select
from sweep.figures.ticks import number_ticks, scale_from_zero, scale_numbers
from sweep.results.result import Result
from sweep.statistics.ranking import ranked_by
from sweep.study.reading.value_forms import Scalar
from sweep.study.selection import At
from sweep.system.formatting import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator

# Most points and lines; of more cells, evenly spaced ones are drawn.
_MOST_POINTS, _MOST_LINES = 5000, 500
_MOST_LABELS = 12
# Up to this many lines look alike. Among more, at least this many of the best stand out.
_MOST_CLEAR, _LEAST_CLEAR = 100, 10


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

    Parameters
    ----------
    result, ax, value, at
        As for :func:`sweep.figures.heatmap.heatmap`.
    x
        A parameter; by default the one with the most values.

    Returns
    -------
    Axes
        The axes that were drawn into.

    Raises
    ------
    SweepError
        If a name or a value is unknown, nothing is swept, or there is no criterion.
    """
    selected = select(result, value, at)
    name = _parameter(selected, x)
    ax = ax or new_axes()
    places = Places.along(selected.values[name])
    if places.scale == "log":
        ax.set_xscale("log")
    known, unknown_cells = _by_rank(selected)
    cells = _spread(known, _MOST_POINTS)
    drawn = drawn_values(cells, selected.statistic)
    look: dict[str, Any] = {"s": 9, "alpha": 0.5, "linewidths": 0, "rasterized": len(cells) > 500}
    ax.scatter(_places(cells, name, places), drawn, color=NAMED_COLORS[0], **look)
    has_line = selected.statistic in _TOGETHER and (result.has_parts or len(selected.values) == 1)
    has_line &= len(selected.values) == 1 or can_be_pooled(result, selected.statistic)
    if has_line:
        together = select(result, value, at, (name,))
        has_line = _draw_line(ax, together, name, places)
    ax.set_xlim(places.limits())
    places.label(ax.xaxis, name)
    _scale_values(ax, selected, drawn)
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
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
    order = np.argsort(_places(together.table, name, places))
    line = drawn_values(together.table, together.statistic)[order]
    style = "none" if places.scale == "names" and isinstance(places.values[0], str) else "-"
    x = _places(together.table, name, places)[order]
    ax.plot(x, line, "D", linestyle=style, color=NAMED_COLORS[1], markersize=4)
    return bool(np.isfinite(line).any())


def _scale_values(ax: Axes, selected: Selected, drawn: Any) -> None:
    """Scale the axis of the statistic, or write why it has no values."""
    ax.set_ylabel(selected.description.label)
    if selected.description.percent:
        ax.set_ylim(-3, 103)
    elif not len(drawn):
        ax.set_yticks([])
        say_why(ax, selected.nothing)
    elif selected.is_count or not drawn.any():
        scale_from_zero(ax, drawn)
        number_ticks(ax.yaxis, whole=True)
    else:
        scale_numbers(ax, "y", drawn)


# Statistics that are comparable between a cell and pooled cells. Counts are not: they grow with the number of cells.
_TOGETHER = (*ranked_by(), "steps_q25", "steps_q75", "restricted_mean_steps")


def parallel(result: Result, ax: Axes | None = None, *, value: str | None = None, at: At | None = None) -> Axes:
    """Draw each cell as a line through its values of all parameters, colored by a statistic, with the best on top.

    At most 500 cells are drawn, evenly spaced by rank from the worst to the best. If fewer cells have the statistic,
    cells without it are added in gray.

    Parameters
    ----------
    result, ax, value, at
        As for :func:`slice_plot`.

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
        raise SweepError("parallel coordinates need a parameter with several selected values, got none")
    known, unknown_cells = _by_rank(selected)
    some = _spread(known, _MOST_LINES)
    cells = pd.concat([_spread(unknown_cells, _MOST_LINES - len(some)), some])
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


def _parameter(selected: Selected, name: str | None) -> str:
    """Return the parameter along the axis."""
    values = selected.values
    if not values:
        raise SweepError("nothing is swept in this study")
    if name is None:
        return max(values, key=lambda each: len(values[each]))
    if name not in values:
        raise SweepError(unknown("parameter", name, list(values)))
    return name


def _by_rank(selected: Selected) -> tuple[Any, Any]:
    """Return the cells with the statistic, from the worst to the best, and those without it."""
    has = np.isfinite(drawn_values(selected.table, selected.statistic))
    upwards = not selected.less_is_better
    ranked = selected.table[has].sort_values(selected.statistic, ascending=upwards, kind="stable")
    return ranked, selected.table[~has]


def _spread(cells: Any, most: int) -> Any:
    """Return at most ``most`` rows, evenly spaced from the first to the last."""
    if len(cells) <= most:
        return cells
    return cells.iloc[np.linspace(0, len(cells) - 1, most).round().astype(int)]


def _places(cells: Any, name: str, places: Places) -> NDArray[np.float64]:
    """Return the position of each row along the axis, (rows,)."""
    if places.scale != "names":
        return np.asarray(cells[name], np.float64)
    return np.asarray(places.centers()[cells[name].map(places.number_of()).to_numpy(np.int64)])


def _axis_of(values: Sequence[Scalar]) -> Places:
    """Return positions along an axis of parallel coordinates. Many numbers are at their value."""
    return Places.along(values) if len(values) > MOST_SINGLE else Places.of(values)


def _heights(cells: Any, name: str, selected: Selected) -> NDArray[np.float64]:
    """Return the position of each row along the axis of a parameter, from 0 to 1, (rows,)."""
    places = _axis_of(selected.values[name])
    return np.asarray(_unit(places)[cells[name].map(places.number_of()).to_numpy()])


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
