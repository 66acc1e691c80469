"""Figures of a result: lines over one parameter, by color of another, in panels of up to two more."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import product
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.answers import judges_convergence
from sweep.errors import SweepError, unknown
from sweep.panels import SINGLE_LINE, STATISTICS, Lines, draw_panel, drawn_values, line_styles, set_scales
from sweep.parameters import Scalar
from sweep.result import Result
from sweep.roles import Roles, choose_roles, values_at
from sweep.tables import short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


def draw_figure(
    result: Result,
    statistic: str = "convergence_rate",
    roles: Roles | None = None,
    at: Mapping[str, Sequence[Scalar]] | None = None,
) -> Figure:
    """Draw a statistic of the cells over the swept parameters.

    Parameters
    ----------
    result
    statistic
        A key of :data:`STATISTICS`.
    roles
        Which parameter is shown how; what is left open is chosen by :func:`sweep.roles.choose_roles`.
    at
        Only these values of some parameters, as in :func:`sweep.roles.values_at`.

    Raises
    ------
    SweepError
        If a name or a value is unknown or given twice, convergence is not judged, or there are
        more lines, panels or parameters than a figure shows.
    """
    from matplotlib.figure import Figure

    if statistic not in STATISTICS:
        raise SweepError(unknown("value", statistic, list(STATISTICS)))
    if not judges_convergence(result.study):
        raise SweepError("the study has criterion 'none': convergence is not judged, so there is nothing to draw")
    values = values_at(result.study.parameters, at or {})
    roles = choose_roles(values, roles or Roles())
    styles = line_styles(values[roles.color]) if roles.color else {None: SINGLE_LINE}
    lines = Lines(statistic, roles.x, roles.color, values[roles.x] if roles.x else (), styles)
    cells = result.cells
    for name, entries in values.items():
        cells = cells[cells[name].isin(list(entries))]
    panels = _panels(cells, roles.facet, values)
    across, down = _grid([len(values[name]) for name in roles.facet])
    width, height = _size(across, down)
    figure = Figure(figsize=(width, height), layout="constrained")
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for axes, (title, shown) in zip(grid.flat, panels, strict=False):
        draw_panel(axes, shown, lines)
        axes.set_title(textwrap.fill(title, int(14 * width / across)), fontsize=9)
    set_scales(grid[0, 0], cells, lines)
    _place_ticks(grid, len(panels), lines)
    fixed = [f"{name} {short(values[name][0])}" for name in at or {} if len(values[name]) == 1]
    words = STATISTICS[statistic]
    heading = [f"{', '.join([result.study.name, *fixed])}: {result.study.seeds.count:,} seeds per cell{words.bands}"]
    if np.isnan(drawn_values(cells, statistic)).any():
        heading.append(words.gaps)
    _label(figure, heading, lines)
    return figure


def figure_path(out: Path, statistic: str) -> Path:
    """Return the file to write a figure to: ``out``, or one in it where it is a folder.

    Raises
    ------
    SweepError
        If the suffix is none of a kind of figure.
    """
    from matplotlib.figure import Figure

    path = out / f"{statistic}.png" if os.path.isdir(out) else out
    known = sorted(f".{suffix}" for suffix in Figure().canvas.get_supported_filetypes())
    if path.suffix.lower() not in known:
        raise SweepError(
            f"figure {str(out)!r} given, which is no folder and has none of the suffixes {', '.join(known)}"
        )
    return path


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all; the suffix decides the format.

    Raises
    ------
    SweepError
        If the file cannot be written.
    """
    drawn = BytesIO()
    figure.savefig(drawn, format=path.suffix[1:].lower(), dpi=160)
    try:
        path.write_bytes(drawn.getvalue())
    except OSError as error:
        raise SweepError(f"figure {str(path)!r} cannot be written: {error.strerror}") from None


def _panels(
    cells: pd.DataFrame, facet: Sequence[str], values: Mapping[str, Sequence[Scalar]]
) -> list[tuple[str, pd.DataFrame]]:
    """Return title and cells of each panel, row by row; the first parameter goes across, the second down."""
    panels = []
    for entries in product(*(values[name] for name in reversed(facet))):
        shown, words = cells, []
        for name, entry in zip(facet, reversed(entries), strict=True):
            shown = shown[shown[name] == entry]
            words.append(f"{name.replace('_', ' ')} {short(entry)}")
        panels.append((", ".join(words), shown))
    return panels


def _grid(sizes: list[int]) -> tuple[int, int]:
    """Return how many panels stand across and down; those of one parameter fill a square from four on."""
    if len(sizes) == 2:
        return sizes[0], sizes[1]
    n_panels = sizes[0] if sizes else 1
    across = n_panels if n_panels <= 3 else ceil(sqrt(n_panels))
    return across, ceil(n_panels / across)


def _size(across: int, down: int) -> tuple[float, float]:
    """Return inches across and down, without the legend."""
    if across * down == 1:
        return 6.2, 4.4
    width = {1: 5.0, 2: 3.6, 3: 3.0}.get(across, 2.5)
    return across * width, max(down * 0.85 * min(width, 3.2), 3.2) + 0.5


def _place_ticks(grid: NDArray[Any], n_panels: int, lines: Lines) -> None:
    """Hide what is beyond the last panel, so that those above show their ticks, and turn names that are long."""
    across = grid.shape[1]
    room = grid[0, 0].get_window_extent().width / grid[0, 0].figure.dpi / len(lines.names)
    long = not lines.ordered and max(map(len, lines.names)) > 12 * room
    for k, axes in enumerate(grid.flat):
        axes.set_visible(k < n_panels)
        axes.tick_params(labelbottom=k + across >= n_panels)
        for label in axes.get_xticklabels() if long else ():
            label.set(rotation=35, ha="right", rotation_mode="anchor")


def _label(figure: Figure, heading: list[str], lines: Lines) -> None:
    """Write title, names of the axes and legend, and widen the figure by the legend."""
    width, height = figure.get_size_inches()
    figure.suptitle("\n".join(textwrap.fill(line, int(13 * width)) for line in heading), fontsize=10)
    figure.supylabel(STATISTICS[lines.statistic].label, fontsize=10)
    if lines.x is not None:
        figure.supxlabel(lines.x.replace("_", " "), fontsize=10)
    if lines.color is None:
        return
    legend = figure.legend(
        handles=_handles(lines),
        title=lines.color.replace("_", " "),
        frameon=False,
        loc="outside center right",
        fontsize=9,
    )
    extent = legend.get_window_extent()
    figure.set_size_inches(width + extent.width / figure.dpi, max(height, extent.height / figure.dpi + 0.3))


def _handles(lines: Lines) -> list[Line2D]:
    """Return what stands for each color in the legend."""
    from matplotlib.lines import Line2D

    plain: dict[str, Any] = {} if lines.ordered else {"linestyle": "none"}
    return [
        Line2D([], [], label=short(entry), markersize=4.5, linewidth=1.4, **{**style, **plain})
        for entry, style in lines.styles.items()
    ]
