"""New figures and axes, their texts, legends and files."""

from __future__ import annotations

import os
import textwrap
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from sweep.errors import SweepError
from sweep.store.contents import figure_title
from sweep.system.atomic_files import check_parent, replace_file


class ShownFigure(Figure):
    """A figure that notebooks show although pyplot does not manage it."""

    def _repr_png_(self) -> bytes:
        return _png(self)


class ShownAxes(Axes):
    """Axes that notebooks show as their whole figure."""

    def _repr_png_(self) -> bytes:
        return _png(self.figure)


def _png(figure: Any) -> bytes:
    drawn = BytesIO()
    figure.savefig(drawn, format="png")
    return drawn.getvalue()


# Characters per inch of a line.
_LETTERS = 12
# Inches for ticks and label left of axes.
_LEFT = 0.8
# Height of ticks and label below axes, in points.
_TICKS_AND_NAME = 36


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches."""
    return ShownFigure(figsize=(width, height), layout="constrained")


def new_axes(width: float = 6.2, height: float = 4.4) -> Axes:
    """Return the axes of a new figure of this size in inches."""
    axes: Axes = new_figure(width, height).subplots(subplot_kw={"axes_class": ShownAxes})
    return axes


def plain(ax: Axes) -> Axes:
    """Draw faint grid lines, no frame above and on the right, and return the axes."""
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def inches_across(ax: Axes) -> float:
    """Return the width of the figure of axes, in inches."""
    return float(ax.figure.bbox.width / ax.figure.dpi)


def wrapped(text: str, inches: float) -> str:
    """Return a text wrapped to a width in inches."""
    return textwrap.fill(text, max(int(_LETTERS * inches), 8))


def say_why(ax: Axes, sentence: str) -> None:
    """Write into empty axes why they are empty."""
    room = 0.8 * ax.get_position().width * inches_across(ax)
    ax.text(0.5, 0.5, wrapped(sentence, room), transform=ax.transAxes, ha="center", va="center")


def put_legend(ax: Axes, title: str | None = None, *, points: float | None = None, **options: Any) -> None:
    """Draw the legend right of axes, with dots of an area in ``points``; without a layout, narrow the axes for it."""
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0}
    legend = ax.legend(**options, **place, title=title, frameon=False)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
        if points is not None and isinstance(handle, PathCollection):
            handle.set_sizes([points])
    if ax.figure.get_layout_engine() is None:
        box = ax.get_position()
        taken = legend.get_window_extent().width / ax.figure.bbox.width + 0.01 * box.width
        ax.set_position((box.x0, box.y0, max(box.width - taken, 0.2 * box.width), box.height))


def title_center(ax: Axes) -> float:
    """Return the horizontal center of axes and legend, as a fraction of the width of the axes, for a long title."""
    legend = ax.get_legend()
    spec = ax.get_subplotspec()
    if legend is None:
        return 0.5
    taken = legend.get_window_extent().width / ax.figure.dpi
    if ax.figure.get_layout_engine() is None or spec is None:
        return float(0.5 + taken / inches_across(ax) / ax.get_position().width / 2)
    whole = inches_across(ax) / spec.get_gridspec().ncols  # the layout divides it when the figure is drawn
    return max((whole / 2 - _LEFT) / max(whole - _LEFT - taken, 0.2 * whole), 0.5)


def put_legend_below(ax: Axes) -> None:
    """Draw the legend below the axes, their ticks and label."""
    down = ScaledTranslation(0, -_TICKS_AND_NAME / 72, ax.figure.dpi_scale_trans)
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "bbox_transform": ax.transAxes + down}
    ax.legend(**place, ncols=2, frameon=False, fontsize=8, borderaxespad=0)


# Formats that need other programs or are not images.
_UNUSABLE = ("pgf", "raw", "rgba")


def figure_path(out: Path, name: str) -> Path:
    """Return the path of a figure: ``out``, or ``name.png`` in it if it is a folder; SweepError for other formats."""
    path = out / f"{name}.png" if os.path.isdir(out) else out
    known = sorted(f".{suffix}" for suffix in Figure().canvas.get_supported_filetypes() if suffix not in _UNUSABLE)
    if path.suffix.lower() not in known:
        raise SweepError(
            f"figure: must be a folder or a file with one of the suffixes {', '.join(known)}, got {str(out)!r}"
        )
    check_parent(path)
    return path


def shown_by(figure: Figure) -> str:
    """Return what a figure shows, without units, for readers who do not see it."""
    axes = figure.axes[0]
    bars = [bar for bar in figure.axes if bar.get_label() == "<colorbar>"]
    x = axes.get_xlabel() or figure.get_supxlabel()
    y = axes.get_ylabel() or figure.get_supylabel()
    legends = [legend for legend in (axes.get_legend(), *figure.legends) if legend]
    colors = legends[0].get_title().get_text() if legends else ""
    x, y, value = (label.partition(",")[0] for label in (x, y, bars[0].get_ylabel() if bars else ""))
    return f"{value} by {x} and {y}" if bars else f"{y} over {x}" + (f", by {colors}" if colors else "")


def save_figure(figure: Figure, path: Path, name: str = "") -> None:
    """Write a figure to the file ``path``, all of it or nothing; its suffix is the format.

    A PNG file gets ``name`` in its metadata, so that :mod:`sweep.store.contents` knows that it may be replaced.
    """
    drawn = BytesIO()
    form = path.suffix[1:].lower()
    figure.savefig(
        drawn, format=form, dpi=160, metadata={"Title": figure_title(name)} if form == "png" and name else None
    )
    try:
        replace_file(path, drawn.getvalue())
    except OSError as error:
        raise SweepError(f"figure {str(path)!r} cannot be written: {error.strerror}") from None
