"""Figures and axes of our own, and what stands in them beside the data."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Letters of a line, per inch.
_LETTERS = 12
# Points that ticks and the name of an axis take below axes.
_TICKS_AND_NAME = 36


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, in inches."""
    from sweep.figures.shown import ShownFigure

    return ShownFigure(figsize=(width, height), layout="constrained")


def new_axes(width: float = 6.2, height: float = 4.4) -> Axes:
    """Return the axes of a new figure, in inches."""
    from sweep.figures.shown import ShownAxes

    axes: Axes = new_figure(width, height).subplots(subplot_kw={"axes_class": ShownAxes})
    return axes


def inches_across(ax: Axes) -> float:
    """Return the width of the figure that axes are in."""
    return float(ax.figure.bbox.width / ax.figure.dpi)


def wrapped(text: str, inches: float) -> str:
    """Break a text into lines of a width."""
    return textwrap.fill(text, max(int(_LETTERS * inches), 8))


def say_why(ax: Axes, sentence: str) -> None:
    """Write into axes why there is nothing in them."""
    room = 0.8 * ax.get_position().width * inches_across(ax)
    ax.text(0.5, 0.5, wrapped(sentence, room), transform=ax.transAxes, ha="center", va="center")


def put_legend(ax: Axes, title: str | None = None, *, points: float | None = None, **options: Any) -> None:
    """Write the legend of axes beside them, where it hides nothing; dots in it have an area of so many square points.

    Axes of figures without a layout make room for it.
    """
    from matplotlib.collections import PathCollection

    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0}
    legend = ax.legend(**options, **place, title=title, frameon=False)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
        if points is not None and isinstance(handle, PathCollection):
            handle.set_sizes([points])
    if ax.figure.get_layout_engine() is None:
        box, whole = ax.get_position(), ax.figure.bbox.width
        taken = legend.get_window_extent().width / whole + 0.01 * box.width
        ax.set_position((box.x0, box.y0, max(box.width - taken, 0.2 * box.width), box.height))


def put_legend_below(ax: Axes) -> None:
    """Write the legend of axes below them and what stands there."""
    from matplotlib.transforms import ScaledTranslation

    down = ScaledTranslation(0, -_TICKS_AND_NAME / 72, ax.figure.dpi_scale_trans)
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "bbox_transform": ax.transAxes + down}
    ax.legend(**place, ncols=2, frameon=False, fontsize=8, borderaxespad=0)
