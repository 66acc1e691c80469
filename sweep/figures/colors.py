"""Colors of statistics: the brighter, the better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep.figures.canvas import wrapped
from sweep.figures.statistics import Selected
from sweep.figures.ticks import number_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Colormap, Normalize

# Colors that are distinct for any color vision; lighter ones are better.
_COLORS = "viridis"
# Color of missing values, and background of labels over lines. Reports replace both with colors of the page.
MISSING, PAPER = "#d9d9d9", "#fefefe"


def color_map(selected: Selected) -> Colormap:
    """Return the color map of a statistic: the brightest color is the best, and missing values are transparent."""
    import matplotlib as mpl

    return mpl.colormaps[_COLORS + ("_r" if selected.less_is_better else "")].with_extremes(bad="none")


def color_norm(selected: Selected, numbers: NDArray[np.float64]) -> Normalize:
    """Return the norm of colors: shares of runs up to 100 %, counts up to the runs of a cell, others fit."""
    from matplotlib.colors import LogNorm, Normalize

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
