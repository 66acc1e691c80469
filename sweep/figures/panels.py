"""One panel of a figure: lines over a parameter, colored by another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweep.figures.axis import MOST_LABELS, Places
from sweep.figures.canvas import plain, say_why
from sweep.figures.channels import is_number
from sweep.figures.statistics import Selected, drawn_values
from sweep.figures.ticks import fit_scale, name_ticks, number_ticks, scale_from_zero
from sweep.measures import MEASURES
from sweep.study.reading.value_forms import Scalar
from sweep.system.formatting import short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


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
    """Draw a line with its band for each color, or points with bars if the axis is not numeric.

    The cells are those of the panel, which differ only in the parameters of ``lines``.
    """
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
    from matplotlib.ticker import NullLocator

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
    """Set the scale of the statistic."""
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
