"""Colors of statistics: bright is better, whatever the statistic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.figures.canvas import wrapped
from sweep.figures.statistics import Selected
from sweep.figures.ticks import number_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

# Colors that people with any color vision tell apart, lighter where better.
_COLORS = "viridis"
# What is missing, and what letters stand on where lines cross them; pages have colors of their own for both.
MISSING, PAPER = "#d9d9d9", "#fefefe"


def color_map(selected: Selected) -> Colormap:
    """Return the colors of a statistic: the brightest is the best, and what is missing is left to what is behind."""
    import matplotlib as mpl

    return mpl.colormaps[_COLORS + ("_r" if selected.less_is_better else "")].with_extremes(bad="none")


def color_norm(selected: Selected, numbers: NDArray[np.float64]) -> Normalize:
    """Return what gives numbers colors: percents from 0 to 100, counts to all runs, wide ranges by their logarithms."""
    from matplotlib.colors import LogNorm, Normalize

    drawn = numbers[np.isfinite(numbers)]
    if selected.words.percent or not drawn.size:
        return Normalize(0, 100)
    if selected.is_count:
        return Normalize(0, int(selected.table["n_runs"].max()))
    low, high = drawn.min(), drawn.max()
    if low > 0 and high > 5 * low:
        return LogNorm(low, high)
    return Normalize(low, high) if high > low else Normalize(max(low - 1, 0), high + 1)


def ink_on(color: tuple[float, ...]) -> str:
    """Return the color of letters that can be read on a color."""
    red, green, blue = color[:3]
    return "0.05" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.45 else "white"


def color_bar(ax: Axes, drawn: Any, selected: Selected) -> None:
    """Write which color is which number."""
    height = 0.7 * ax.figure.bbox.height / ax.figure.dpi
    bar = ax.figure.colorbar(drawn, ax=ax, label=wrapped(selected.words.label, height))
    bar.outline.set(visible=False)
    bar.minorticks_off()
    number_ticks(bar.ax.yaxis, whole=selected.is_count or selected.statistic.startswith("steps_"))
