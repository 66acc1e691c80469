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

from sweep.figures.axis import heading, label_of, spaced
from sweep.figures.canvas import inches_across, new_axes, new_figure, put_legend
from sweep.figures.channels import Channels, choose_channels
from sweep.figures.figure_kind import Caption, FigureKind, pools_replicates
from sweep.figures.line_styles import NAMED_COLORS, line_styles
from sweep.figures.panels import Lines, draw_panel, set_scales
from sweep.figures.statistics import pooling_fault, select, statistic_of
from sweep.results.result import Result
from sweep.study.selection import At, Values, values_at
from sweep.system.formatting import short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


@pools_replicates
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
        A name of :func:`~sweep.figures.statistics.drawable`; by default the accuracy or loss of test patterns, else the
        rate, or the final loss if there is no criterion.
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
    channels = choose_channels(values_at(result.study, at), Channels(x, color))
    lines = _lines_of(result, value, replace(channels, facet=()), at)
    ax = ax or new_axes()
    draw_panel(ax, lines.selected.table, lines)
    set_scales(ax, lines)
    ax.set_ylabel(lines.selected.description.label)
    if lines.x is not None:
        ax.set_xlabel(label_of(lines.x))
    if lines.color is not None:
        put_legend(ax, spaced(lines.color), handles=_handles(lines))
    ax.set_title(_title(result, lines, (), inches_across(ax)), fontsize=10)
    return ax


@pools_replicates
def line_panels(
    result: Result,
    x: str | None = None,
    color: str | None = None,
    facet: Sequence[str] = (),
    value: str | None = None,
    at: At | None = None,
) -> Figure:
    """Draw a statistic over one parameter, colored by another, in a panel for each value of up to two others.

    ``facet`` names the parameters of panels, across and down; the other options are those of :func:`line_plot`.
    """
    values = values_at(result.study, at)
    channels = choose_channels(values, Channels(x, color, tuple(facet)))
    lines = _lines_of(result, value, channels, at)
    panels = _panels(lines.selected.table, channels.facet, values)
    across, down = _grid([len(values[name]) for name in channels.facet])
    width, height = _size(across, down)
    figure = new_figure(width, height)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for axes, (title, of_panel) in zip(grid.flat, panels, strict=False):
        draw_panel(axes, of_panel, lines)
        axes.set_title(textwrap.fill(title, int(14 * width / across)), fontsize=9)
    for axes in grid.flat[: len(panels)]:
        set_scales(axes, lines)
    _place_ticks(grid, len(panels))
    figure.suptitle(_title(result, lines, channels.facet, width), fontsize=10)
    figure.supylabel(lines.selected.description.label, fontsize=10)
    if lines.x is not None:
        figure.supxlabel(label_of(lines.x), fontsize=10)
    if lines.color is not None:
        _put_legend(figure, lines)
    return figure


def _lines_of(result: Result, value: str | None, channels: Channels, at: At | None) -> Lines:
    """Return what all panels show."""
    values = values_at(result.study, at)
    selected = select(result, value, at, [name for name in values if name in channels.assigned()])
    single = {"color": NAMED_COLORS[0], "marker": "o"}
    styles = line_styles(values[channels.color]) if channels.color else {None: single}
    return Lines(selected, channels.x, channels.color, styles)


def _title(result: Result, lines: Lines, facet: Sequence[str], width: float) -> str:
    """Return the title: what is pooled, the meaning of bands, gaps, and bands without an upper end."""
    selected = lines.selected
    bands = lines.bands()
    ends = list(selected.description.drawn_band or ())
    has_bands = bool(ends) and selected.table[ends].notna().any(axis=None)
    notes = selected.notes
    if np.isnan(bands.values).any():
        notes.append(f"gaps where {selected.description.missing}")
    if bands.is_open.any():
        notes.append("bands that reach the top have no upper end")
    shown = [name for name in (lines.x, lines.color, *facet) if name is not None]
    meaning = f", {selected.description.band_meaning}" if has_bands else ""
    return heading(result, selected.values, shown, notes, width, bands=meaning)


def _panels(cells: pd.DataFrame, facet: Sequence[str], values: Values) -> list[tuple[str, pd.DataFrame]]:
    """Return title and cells of each panel, row by row: the first parameter across, the second down."""
    panels = []
    for entries in product(*(values[name] for name in reversed(facet))):
        shown = cells
        texts = []
        for name, entry in zip(facet, reversed(entries), strict=True):
            shown = shown[shown[name] == entry]
            texts.append(f"{spaced(name)} {short(entry)}")
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


def _put_legend(figure: Figure, lines: Lines) -> None:
    """Draw the legend to the right of all panels, and widen the figure for it."""
    width, height = figure.get_size_inches()
    legend = figure.legend(
        handles=_handles(lines), title=spaced(lines.color or ""), frameon=False, loc="outside center right"
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


def _refusal(result: Result) -> str | None:
    shown = choose_channels(result.study.parameters, Channels()).assigned()
    return pooling_fault(result, statistic_of(result, None), None, list(shown))


KIND = FigureKind(
    line_panels,
    10,
    "a statistic over one parameter, with a line for each value of a second one, and panels for a third and fourth",
    _refusal,
    (
        Caption("{headline}, with 95 % intervals", 7, held_out=True, least_varied=1),
        Caption(
            "Share of runs that converged, with 95 % intervals", 30, {"value": "rate"}, criterion=True, least_varied=1
        ),
        Caption(
            "Median final training loss, with 95 % intervals",
            30,
            {"value": "final_loss"},
            criterion=False,
            held_out=False,
            least_varied=1,
        ),
    ),
    of_cells=True,
)
