"""Colors of statistics, the brighter the better, and colors and markers of lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize
from numpy.typing import NDArray

from sweep.figures.canvas import wrapped
from sweep.figures.statistics import Selected
from sweep.figures.ticks import number_ticks
from sweep.study.reading.value_forms import Scalar
from sweep.system.plain_values import is_number

# Colors that are distinct for any color vision; lighter ones are better.
_COLORS = "viridis"
# Color of missing values, and background of labels over lines. Reports replace both with colors of the page.
MISSING, PAPER = "#d9d9d9", "#fefefe"


def color_map(selected: Selected) -> Colormap:
    """Return the color map of a statistic: the brightest color is the best, and missing values are transparent."""
    name = _COLORS if selected.description.more_is_better else f"{_COLORS}_r"
    return mpl.colormaps[name].with_extremes(bad="none")


def color_norm(selected: Selected, numbers: NDArray[np.float64]) -> Normalize:
    """Return the norm of colors: shares of runs up to 100 %, counts up to the runs of a cell, others fit."""
    drawn = numbers[np.isfinite(numbers)]
    if selected.is_rate or not drawn.size:
        return Normalize(0, 100)
    if selected.is_count:
        return Normalize(0, int(selected.table["n_runs"].max()))
    low, high = drawn.min(), drawn.max()
    if low > 0 and high > 5 * low and selected.description.kind == "value":
        return LogNorm(low, high)
    return Normalize(low, high) if high > low else Normalize(low - 1 if low < 0 else max(low - 1, 0), high + 1)


def ink_on(color: tuple[float, ...]) -> str:
    """Return the color of text that is legible on a color."""
    red, green, blue = color[:3]
    return "0.05" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.45 else "white"


def color_bar(ax: Axes, drawn: ScalarMappable, selected: Selected) -> None:
    """Draw the color bar of a statistic beside axes, for the mappable ``drawn`` with colors and norm."""
    height = 0.7 * ax.figure.bbox.height / ax.figure.dpi
    bar = ax.figure.colorbar(drawn, ax=ax, label=wrapped(selected.description.label, height))
    bar.outline.set(visible=False)
    bar.minorticks_off()
    number_ticks(bar.ax.yaxis, whole=selected.is_count or selected.statistic.startswith("steps_"))


# Colors that are distinct for any color vision (Okabe and Ito), except those too light for lines. Markers distinguish
# lines in print.
NAMED_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#E69F00")
_MARKERS = "osD^vPX"
# Numbers are colored by rank, with the part of viridis that is visible on black and on white.
_DARKEST, _LIGHTEST = 0.2, 0.88


def line_styles(values: Sequence[Scalar]) -> dict[Scalar, dict[str, Any]]:
    """Return a style for each value: numbers from dark to light, names by color and marker."""
    if is_number(values[0]):
        shades = mpl.colormaps["viridis"](np.linspace(_DARKEST, _LIGHTEST, len(values)))
        return {value: {"color": tuple(shades[k]), "marker": "o"} for k, value in enumerate(sorted(values))}
    styles = {}
    for k, value in enumerate(values):
        turn, place = divmod(k, len(NAMED_COLORS))
        marker = _MARKERS[(place + 3 * turn) % len(_MARKERS)]
        styles[value] = {"color": NAMED_COLORS[place], "marker": marker, "linestyle": ("-", "--")[turn]}
    return styles
