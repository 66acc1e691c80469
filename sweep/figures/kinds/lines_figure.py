"""Lines of a statistic over one parameter, colored by another, in panels of up to two more."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import ceil, sqrt
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from sweep.figures.axis import MOST_LABELS, Places, heading, label_of, spaced
from sweep.figures.canvas import inches_across, new_axes, new_figure, plain, put_legend, say_why
from sweep.figures.channels import Channels, choose_channels
from sweep.figures.colors import NAMED_COLORS, line_styles
from sweep.figures.figure_kind import Caption, FigureKind, figure_function, pools_replicates
from sweep.figures.statistics import Selected, drawn_values, pooling_fault, select, statistic_of
from sweep.figures.ticks import fit_scale, name_ticks, number_ticks, scale_from_zero
from sweep.measures import MEASURES
from sweep.results.result import Result
from sweep.study.reading.value_forms import Scalar
from sweep.study.selection import At, Values, values_at
from sweep.system.formatting import short
from sweep.system.plain_values import is_number


class Lines(NamedTuple):
    """What the panels of a figure show."""

    selected: Selected  # the statistic, of the cells of all panels
    # Parameters along the axis and by color, if any
    x: str | None
    color: str | None
    styles: dict[Any, dict[str, Any]]  # style of the line of each value of ``color``

    @property
    def x_values(self) -> tuple[Scalar, ...]:
        """The values along the axis."""
        return self.selected.along(self.x) if self.x else ()

    @property
    def ordered(self) -> bool:
        """Whether the axis is numeric, so that lines connect the points."""
        return bool(self.x_values) and is_number(self.x_values[0])

    @property
    def names(self) -> list[str]:
        """The labels along an axis that is not numeric."""
        return [short(value) for value in self.x_values] or ["all runs"]

    def bands(self) -> Bands:
        """Return the statistic of the cells of all panels."""
        return Bands.of(self.selected.table, self.selected)


class Bands(NamedTuple):
    """The drawn values of a statistic and the ends of its bands, all (cells,)."""

    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of(cls, cells: pd.DataFrame, selected: Selected) -> Bands:
        """Return the values of some cells. Where the statistic has no band, its ends are the values."""
        values = drawn_values(cells, selected.statistic)
        if not selected.description.drawn_band:
            return cls(values, values, values)
        low, high = selected.description.drawn_band
        return cls(values, drawn_values(cells, low), drawn_values(cells, high))

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Whether a band has no upper end: that of medians, if fewer than 75 % of runs converged."""
        return np.isfinite(self.values) & np.isfinite(self.low) & np.isnan(self.high)

    @property
    def top(self) -> float:
        """A number slightly above all drawn values, to which bands without an upper end are drawn."""
        return float(1.1 * np.nanmax(np.concatenate(self), initial=0.0))


def draw_panel(axes: Axes, cells: pd.DataFrame, lines: Lines) -> None:
    """Draw the cells of a panel: a line and a band for each color, or points with bars if the axis is not numeric."""
    top = lines.bands().top
    drawn = False
    for k, (entry, style) in enumerate(lines.styles.items()):
        group = cells if lines.color is None else cells[cells[lines.color] == entry]
        bands = Bands.of(group, lines.selected)
        ends = np.where(bands.is_open, top, bands.high)
        drawn |= bool(np.isfinite(bands.values).any())
        if lines.ordered:
            _draw_line(axes, group[lines.x].to_numpy(), bands._replace(high=ends), lines, style)
        else:
            shift = 0.5 * ((k + 0.5) / len(lines.styles) - 0.5)  # side by side
            names = [short(value) for value in group[lines.x]] if lines.x else lines.names
            places = np.array([lines.names.index(name) for name in names]) + shift
            _draw_points(axes, places, bands, ends, style)
    if not drawn:
        say_why(axes, lines.selected.nothing)
    plain(axes)


def _draw_line(axes: Axes, x: NDArray[Any], bands: Bands, lines: Lines, style: dict[str, Any]) -> None:
    """Draw a line with its band. Both have gaps at missing values."""
    order = np.argsort(x)
    axes.plot(x[order], bands.values[order], markersize=3.5, linewidth=1.4, **style)
    if lines.selected.description.drawn_band:
        alpha = 0.2 if len(lines.styles) <= 4 else 0.14  # many bands overlap
        axes.fill_between(x[order], bands.low[order], bands.high[order], color=style["color"], alpha=alpha, linewidth=0)


def _draw_points(
    axes: Axes, places: NDArray[np.float64], bands: Bands, ends: NDArray[np.float64], style: dict[str, Any]
) -> None:
    """Draw a point with its bar for each name along the axis. A bar without an upper end has no upper cap."""
    axes.errorbar(places, bands.values, markersize=4.5, **{**style, "linestyle": "none"})
    if bands.low is bands.values:
        return
    has_band = np.isfinite(bands.low) & np.isfinite(bands.values)
    axes.vlines(places[has_band], bands.low[has_band], ends[has_band], color=style["color"], linewidth=1.2)
    for end in (bands.low, bands.high):
        axes.plot(places[has_band], end[has_band], "_", color=style["color"], markersize=6)


def set_scales(axes: Axes, lines: Lines) -> None:
    """Set the scales that all panels share. The horizontal axis covers all values, also those without data."""
    _scale_values(axes, lines)
    if not lines.ordered:
        axes.set_xlim(-0.5, len(lines.names) - 0.5)
        name_ticks(axes.xaxis, lines.names, turn=True)
        return
    places = Places.along(lines.x_values)
    if places.scale == "log":
        axes.set_xscale("log")
    axes.set_xlim(places.limits())
    whole = all(isinstance(value, int) for value in lines.x_values)
    few = whole and len(lines.x_values) <= MOST_LABELS
    number_ticks(axes.xaxis, [float(value) for value in lines.x_values] if few else (), whole=whole)
    if whole:
        axes.xaxis.set_minor_locator(NullLocator())


def _scale_values(axes: Axes, lines: Lines) -> None:
    statistic = lines.selected.description
    bands = lines.bands()
    if lines.selected.is_rate:
        axes.set_ylim(-3, 103)
        return
    if not np.isfinite(bands.values).any():  # although the end of a band may be finite
        axes.set_yticks([])
        return
    drawn = np.concatenate(bands)
    drawn = drawn[np.isfinite(drawn)]
    measure = MEASURES.get(statistic.measure)
    is_positive = statistic.kind == "value" and measure is not None and not measure.is_signed
    if lines.selected.is_count or not drawn.any():
        scale_from_zero(axes, drawn)
    elif statistic.kind in ("rate", "outputs"):
        fit_scale(axes, drawn)
    elif drawn.min() > 0 or (is_positive and np.nanmin(bands.values) > 0):
        axes.set_yscale("log")  # a missing lower end of a band is 0
    if bands.is_open.any():
        axes.set_ylim(top=bands.top)
    number_ticks(axes.yaxis, whole=lines.selected.is_count)


@pools_replicates
@figure_function(
    "there are too many lines, or there is no criterion",
    x="The parameter along the axis; by default chosen for the study.",
    color="The parameter by color; by default chosen for the study.",
)
def line_plot(
    result: Result,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    color: str | None = None,
    value: str | None = None,
    at: At | None = None,
) -> Axes:
    """Draw a statistic over one parameter, colored by another, pooled over all others."""
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

    ``facet`` names the parameter of panels, or two, across and down; the other options are those of :func:`line_plot`.
    """
    values = values_at(result.study, at)
    channels = choose_channels(values, Channels(x, color, (facet,) if isinstance(facet, str) else tuple(facet)))
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
