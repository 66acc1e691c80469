"""Lines of a statistic over one parameter, colored by another, in panels of up to two more."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.figures.axis import heading, label_of
from sweep.figures.canvas import inches_across, new_axes, new_figure, put_legend
from sweep.figures.channels import Channels, choose_channels
from sweep.figures.figure_kind import Caption, FigureKind
from sweep.figures.panels import SINGLE_LINE, Lines, draw_panel, is_open, line_styles, set_scales, top_of
from sweep.figures.statistics import bands_text, drawn_values, pooling_fault, select, statistic_of
from sweep.results.answers import has_criterion, swept
from sweep.results.result import Result
from sweep.statistics.of_cells import every
from sweep.study.selection import At, Values, values_at
from sweep.system.formatting import short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


def draw_figure(
    result: Result,
    statistic: str | None = None,
    channels: Channels | None = None,
    at: At | None = None,
) -> Figure:
    """Draw a statistic of the cells over the swept parameters.

    Parameters
    ----------
    result
        Complete or partial.
    statistic
        A name of :func:`~sweep.figures.statistics.drawable`; the rate by default, or the final loss if
        there is no criterion.
    channels
        Channels of some parameters; :func:`sweep.figures.channels.choose_channels` chooses the others.
    at
        Selected values of some parameters, as in :func:`sweep.study.selection.values_at`.

    Returns
    -------
    Figure
        A new figure, which pyplot does not manage.

    Raises
    ------
    SweepError
        If a name or a value is unknown or occurs twice, there is no criterion, or there are too many lines or panels.
    """
    column = statistic_of(result, statistic)
    values = values_at(result.study, at)
    channels = choose_channels(values, channels or Channels())
    cells, shown, lines, notes = _prepare(result, column, channels, values, at)
    panels = _panels(cells, channels.facet, values)
    across, down = _grid([len(values[name]) for name in channels.facet])
    width, height = _size(across, down)
    figure = new_figure(width, height)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for axes, (title, of_panel) in zip(grid.flat, panels, strict=False):
        draw_panel(axes, of_panel, lines)
        axes.set_title(textwrap.fill(title, int(14 * width / across)), fontsize=9)
    for axes in grid.flat[: len(panels)]:
        set_scales(axes, cells, lines)
    _place_ticks(grid, len(panels))
    title = heading(result, values, shown, notes + _notes(cells, column), width, bands=bands_text(cells, column))
    _label(figure, title, lines)
    return figure


def line_plot(
    result: Result,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    color: str | None = None,
    value: str | None = None,
    at: At | None = None,
) -> Axes:
    """Draw a statistic over one parameter, colored by another, pooled over all others.

    Parameters
    ----------
    result
        Complete or partial.
    ax
        Axes to draw into; by default those of a new figure.
    x, color
        Parameters along the axis and by color; by default chosen for the study.
    value
        A name of :func:`~sweep.figures.statistics.drawable`; the rate by default, or the final loss if
        there is no criterion.
    at
        Selected values of some parameters.

    Returns
    -------
    Axes
        The axes that were drawn into.

    Raises
    ------
    SweepError
        If a name or a value is unknown, there are too many lines, or there is no criterion.
    """
    column = statistic_of(result, value)
    values = values_at(result.study, at)
    channels = replace(choose_channels(values, Channels(x, color)), facet=())
    cells, shown, lines, notes = _prepare(result, column, channels, values, at)
    ax = ax or new_axes()
    draw_panel(ax, cells, lines)
    set_scales(ax, cells, lines)
    ax.set_ylabel(every()[column].label)
    if channels.x is not None:
        ax.set_xlabel(label_of(channels.x))
    if channels.color is not None:
        put_legend(ax, channels.color.replace("_", " "), handles=_handles(lines))
    bands = bands_text(cells, column)
    notes += _notes(cells, column)
    ax.set_title(heading(result, values, shown, notes, inches_across(ax), bands=bands), fontsize=10)
    return ax


def _notes(cells: pd.DataFrame, statistic: str) -> list[str]:
    """Return the notes on gaps and on bands without an upper end."""
    notes = []
    if np.isnan(drawn_values(cells, statistic)).any():
        notes.append(f"gaps where {every()[statistic].missing}")
    if is_open(cells, statistic).any():
        notes.append("bands that reach the top have no upper end")
    return notes


def _prepare(
    result: Result, column: str, channels: Channels, values: Values, at: At | None
) -> tuple[pd.DataFrame, list[str], Lines, list[str]]:
    """Return the cells to draw, the shown parameters, the properties of all panels, and notes for the title."""
    shown = [name for name in values if name in channels.assigned()]
    styles = line_styles(values[channels.color]) if channels.color else {None: SINGLE_LINE}
    selected = select(result, column, at, shown)
    cells, x_values = selected.table, selected.along(channels.x) if channels.x else ()
    lines = Lines(column, channels.x, channels.color, x_values, styles, top_of(cells, column))
    return cells, shown, lines, selected.notes


def _panels(cells: pd.DataFrame, facet: Sequence[str], values: Values) -> list[tuple[str, pd.DataFrame]]:
    """Return title and cells of each panel, row by row: the first parameter across, the second down."""
    panels = []
    for entries in product(*(values[name] for name in reversed(facet))):
        shown, texts = cells, []
        for name, entry in zip(facet, reversed(entries), strict=True):
            shown = shown[shown[name] == entry]
            texts.append(f"{name.replace('_', ' ')} {short(entry)}")
        panels.append((", ".join(texts), shown))
    return panels


def _grid(sizes: list[int]) -> tuple[int, int]:
    """Return the numbers of panels across and down; four or more panels of one parameter form a square."""
    if len(sizes) == 2:
        return sizes[0], sizes[1]
    n_panels = sizes[0] if sizes else 1
    across = n_panels if n_panels <= 3 else ceil(sqrt(n_panels))
    return across, ceil(n_panels / across)


def _size(across: int, down: int) -> tuple[float, float]:
    """Return width and height in inches without the legend."""
    if across * down == 1:
        return 6.2, 4.4
    width = {1: 5.0, 2: 3.6, 3: 3.0}.get(across, 2.5)
    return across * width, max(down * 0.85 * min(width, 3.2), 3.2) + 0.5


def _place_ticks(grid: NDArray[Any], n_panels: int) -> None:
    """Hide axes after the last panel, and label ticks only in the lowest panel of each column."""
    across = grid.shape[1]
    for k, axes in enumerate(grid.flat):
        axes.set_visible(k < n_panels)
        axes.tick_params(labelbottom=k + across >= n_panels)


def _label(figure: Figure, title: str, lines: Lines) -> None:
    """Write title, labels of the axes and legend, and widen the figure for the legend."""
    width, height = figure.get_size_inches()
    figure.suptitle(title, fontsize=10)
    figure.supylabel(every()[lines.statistic].label, fontsize=10)
    if lines.x is not None:
        figure.supxlabel(label_of(lines.x), fontsize=10)
    if lines.color is None:
        return
    legend = figure.legend(
        handles=_handles(lines),
        title=lines.color.replace("_", " "),
        frameon=False,
        loc="outside center right",
    )
    extent = legend.get_window_extent()
    figure.set_size_inches(width + extent.width / figure.dpi, max(height, extent.height / figure.dpi + 0.3))


def _handles(lines: Lines) -> list[Line2D]:
    """Return the legend handles of the colors."""
    from matplotlib.lines import Line2D

    plain: dict[str, Any] = {} if lines.ordered else {"linestyle": "none"}
    return [
        Line2D([], [], label=short(entry), markersize=4.5, linewidth=1.4, **{**style, **plain})
        for entry, style in lines.styles.items()
    ]


def _lines(
    result: Result,
    x: str | None = None,
    color: str | None = None,
    facet: tuple[str, ...] = (),
    value: str | None = None,
    at: At | None = None,
) -> Figure:
    """Draw lines over a parameter, in panels."""
    return draw_figure(result, value, Channels(x, color, facet), at)


def _refusal(result: Result) -> str | None:
    shown = choose_channels(result.study.parameters, Channels()).assigned()
    return pooling_fault(result, statistic_of(result, None), None, list(shown))


KIND = FigureKind(
    _lines,
    10,
    "a statistic over one parameter, with a line for each value of a second one, and panels for a third and fourth",
    _refusal,
    (
        Caption(
            "Share of runs that converged, with 95 % intervals",
            30,
            suits=lambda result: bool(swept(result.study)) and has_criterion(result.study),
        ),
        Caption(
            "Median final loss, with 95 % intervals",
            30,
            suits=lambda result: bool(swept(result.study)) and not has_criterion(result.study),
        ),
    ),
)
