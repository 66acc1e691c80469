"""One panel of a figure: lines over a parameter, colored by another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweep.figures.axis import MOST_LABELS, Places
from sweep.figures.canvas import say_why
from sweep.figures.channels import is_number
from sweep.figures.statistics import counts_from_zero, drawn_values, is_count, is_loss, nothing_of
from sweep.figures.ticks import name_ticks, number_ticks, scale_from_zero
from sweep.measures import MEASURES
from sweep.statistics.of_cells import every
from sweep.study.reading.value_forms import Scalar
from sweep.system.formatting import short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Colors that are distinct for any color vision (Okabe and Ito), except those too light for lines. Markers distinguish
# lines in print.
NAMED_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#E69F00")
_MARKERS = "osD^vPX"
# Numbers are colored by rank, with the part of viridis that is visible on black and on white.
_DARKEST, _LIGHTEST = 0.2, 0.88

SINGLE_LINE = {"color": NAMED_COLORS[0], "marker": "o"}


class Lines(NamedTuple):
    """Properties shared by all panels of a figure.

    Attributes
    ----------
    statistic
        A name of :func:`~sweep.figures.statistics.drawable`.
    x, color
        Parameters along the axis and by color, if any.
    x_values
        The values along the axis.
    styles
        Style of the line of each value of ``color``.
    top
        Where bands without an upper end are drawn to.
    """

    statistic: str
    x: str | None
    color: str | None
    x_values: Sequence[Scalar]
    styles: dict[Any, dict[str, Any]]
    top: float = np.nan

    @property
    def ordered(self) -> bool:
        """Whether the axis is numeric, so that lines connect the points."""
        return bool(self.x_values) and is_number(self.x_values[0])

    @property
    def names(self) -> list[str]:
        """The labels along an axis that is not numeric."""
        return [short(value) for value in self.x_values] or ["all runs"]


def draw_panel(axes: Axes, cells: pd.DataFrame, lines: Lines) -> None:
    """Draw a line with its band for each color, or points with bars if the axis is not numeric.

    Parameters
    ----------
    axes
        Axes to draw into.
    cells
        Cells of a result that differ only in the parameters of ``lines``.
    lines
        Statistic, parameters and styles.
    """
    drawn = False
    for k, (entry, style) in enumerate(lines.styles.items()):
        group = cells if lines.color is None else cells[cells[lines.color] == entry]
        drawn |= bool(np.isfinite(drawn_values(group, lines.statistic)).any())
        if lines.ordered:
            _draw_line(axes, group, lines, style)
        else:
            shift = 0.5 * ((k + 0.5) / len(lines.styles) - 0.5)  # side by side
            _draw_points(axes, group, lines, style, shift)
    if not drawn:
        say_why(axes, nothing_of(lines.statistic))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_line(axes: Axes, cells: pd.DataFrame, lines: Lines, style: dict[str, Any]) -> None:
    """Draw a line with its band. Both have gaps at missing values."""
    x = cells[lines.x].to_numpy()
    order = np.argsort(x)
    x, y = x[order], drawn_values(cells, lines.statistic)[order]
    axes.plot(x, y, markersize=3.5, linewidth=1.4, **style)
    band = every()[lines.statistic].drawn_band
    if band:
        alpha = 0.2 if len(lines.styles) <= 4 else 0.14  # many bands overlap
        low, high = band_of(cells, lines.statistic)
        high = np.where(is_open(cells, lines.statistic), lines.top, high)
        axes.fill_between(x, low[order], high[order], color=style["color"], alpha=alpha, linewidth=0)


def _draw_points(axes: Axes, cells: pd.DataFrame, lines: Lines, style: dict[str, Any], shift: float) -> None:
    """Draw a point with its bar for each name along the axis. A bar without an upper end has no upper cap."""
    names = lines.names
    places = np.array([names.index(short(value)) for value in cells[lines.x]] if lines.x else [0]) + shift
    plain = {**style, "linestyle": "none"}
    axes.errorbar(places, drawn_values(cells, lines.statistic), markersize=4.5, **plain)
    if not every()[lines.statistic].drawn_band:
        return
    low, high = band_of(cells, lines.statistic)
    has_band = np.isfinite(low) & np.isfinite(drawn_values(cells, lines.statistic))
    ends = np.where(is_open(cells, lines.statistic), lines.top, high)
    axes.vlines(places[has_band], low[has_band], ends[has_band], color=style["color"], linewidth=1.2)
    for end in (low, high):
        axes.plot(places[has_band], end[has_band], "_", color=style["color"], markersize=6)


def band_of(cells: pd.DataFrame, statistic: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and upper ends of the bands of a statistic, both (cells,)."""
    low, high = every()[statistic].drawn_band or (statistic, statistic)
    return drawn_values(cells, low), drawn_values(cells, high)


def is_open(cells: pd.DataFrame, statistic: str) -> NDArray[np.bool_]:
    """Return for each cell whether its band has no upper end: for medians, if fewer than 75 % of runs converged."""
    low, high = band_of(cells, statistic)
    return np.isfinite(drawn_values(cells, statistic)) & np.isfinite(low) & np.isnan(high)


def top_of(cells: pd.DataFrame, statistic: str) -> float:
    """Return a number slightly above all drawn values."""
    numbers = np.concatenate([drawn_values(cells, statistic), *band_of(cells, statistic)])
    return float(1.1 * np.nanmax(numbers, initial=0.0))


def line_styles(values: Sequence[Scalar]) -> dict[Scalar, dict[str, Any]]:
    """Return a style for each value: numbers from dark to light, names by color and marker."""
    import matplotlib as mpl

    if is_number(values[0]):
        shades = mpl.colormaps["viridis"](np.linspace(_DARKEST, _LIGHTEST, len(values)))
        return {value: {"color": tuple(shades[k]), "marker": "o"} for k, value in enumerate(sorted(values))}
    styles = {}
    for k, value in enumerate(values):
        turn, place = divmod(k, len(NAMED_COLORS))
        color, marker = NAMED_COLORS[place], _MARKERS[(place + 3 * turn) % len(_MARKERS)]
        styles[value] = {"color": color, "marker": marker, "linestyle": ("-", "--")[turn]}
    return styles


def set_scales(axes: Axes, cells: pd.DataFrame, lines: Lines) -> None:
    """Set the scales shared by all panels. The horizontal axis covers all values, also those without data.

    Parameters
    ----------
    axes
        The axes of a panel.
    cells
        The cells of all panels.
    lines
        Statistic, parameters and styles.
    """
    from matplotlib.ticker import NullLocator

    if every()[lines.statistic].percent:
        axes.set_ylim(-3, 103)
    else:
        drawn = np.concatenate([drawn_values(cells, lines.statistic), *band_of(cells, lines.statistic)])
        drawn = drawn[np.isfinite(drawn)]
        if not np.isfinite(drawn_values(cells, lines.statistic)).any():  # although the end of a band may be finite
            axes.set_yticks([])
        else:
            from_zero = is_loss(lines.statistic) and not MEASURES[every()[lines.statistic].measure].is_signed
            if counts_from_zero(lines.statistic) or not drawn.any():
                scale_from_zero(axes, drawn)
            elif drawn.min() > 0 or (from_zero and np.nanmin(drawn_values(cells, lines.statistic)) > 0):
                axes.set_yscale("log")  # a missing lower end of a band is 0
            if is_open(cells, lines.statistic).any():
                axes.set_ylim(top=lines.top)
            number_ticks(axes.yaxis, whole=is_count(lines.statistic))
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
