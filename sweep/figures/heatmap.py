"""A statistic over two parameters: as a heat map, and as contours where both are numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import SweepError, unknown
from sweep.figures.axis import Places, heading, inches_across, new_axes
from sweep.figures.roles import is_number, values_at
from sweep.figures.statistics import At, Selected, drawn_values, select
from sweep.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

# Fields whose numbers are written into them.
_MOST_WRITTEN = 150
# Colors that people with any color vision tell apart, lighter where more; and the color of what is missing.
_COLORS, _MISSING = "viridis", "0.85"


def heatmap(
    result: Result,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    value: str = "convergence_rate",
    at: At | None = None,
) -> Axes:
    """Draw a statistic of the cells as colors over two parameters, of all values of the others together.

    Parameters
    ----------
    result
    ax
        Where to draw; by default a figure of its own.
    x, y
        Parameters; by default the two with the most values, numbers first.
    value
        A key of :data:`sweep.figures.statistics.STATISTICS`.
    at
        Only these values of some parameters.

    Raises
    ------
    SweepError
        If a name or a value is unknown, fewer than two parameters are swept, or convergence is not judged.
    """
    x, y = _choose(result, x, y, at, numbers=False)
    selected = select(result, value, at, (x, y))
    ax = ax or new_axes(*_size(selected, x, y))
    across, down = Places.of(selected.values[x]), Places.of(selected.values[y])
    grid = grid_of(selected, (x, across), (y, down))
    _set_scales(ax, across, down)
    shown = np.ma.masked_invalid(grid)
    mesh = ax.pcolormesh(
        across.edges(),
        down.edges(),
        shown,
        cmap=color_map(),
        norm=color_norm(selected, grid),
        rasterized=grid.size > 2000,
    )
    _write_numbers(ax, selected, grid, across, down)
    _finish(ax, mesh, result, selected, (x, across), (y, down))
    return ax


def contour(
    result: Result,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    value: str = "convergence_rate",
    at: At | None = None,
) -> Axes:
    """Draw lines of equal values of a statistic over two parameters that are numbers.

    Parameters and errors are those of :func:`heatmap`; a name without an order, or a parameter of one value, is
    refused too.
    """
    x, y = _choose(result, x, y, at, numbers=True)
    selected = select(result, value, at, (x, y))
    ax = ax or new_axes(*_size(selected, x, y))
    across, down = Places.of(selected.values[x]), Places.of(selected.values[y])
    grid = grid_of(selected, (x, across), (y, down))
    _set_scales(ax, across, down)
    shown = np.ma.masked_invalid(grid)
    ax.set_facecolor(_MISSING)
    ax.set(xlim=across.centers()[[0, -1]], ylim=down.centers()[[0, -1]])
    fields = ~(shown.mask | np.zeros(shown.shape, np.bool_))
    between = fields[1:, 1:] & fields[:-1, 1:] & fields[1:, :-1] & fields[:-1, :-1]
    if not between.any() or shown.min() == shown.max():
        text = "too few cells side by side" if fields.any() else "never reached"
        text = f"{shown.max():,.4g} everywhere" if between.any() else text
        ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color="0.3")
        mesh = None
    else:
        norm = color_norm(selected, grid)
        levels = norm.inverse(np.linspace(0, 1, 11))
        mesh = ax.contourf(across.centers(), down.centers(), shown, levels, cmap=color_map(), norm=norm)
        ax.contour(across.centers(), down.centers(), shown, levels[1:-1], colors="white", linewidths=0.6)
    _finish(ax, mesh, result, selected, (x, across), (y, down))
    return ax


def _choose(result: Result, x: str | None, y: str | None, at: At | None, *, numbers: bool) -> tuple[str, str]:
    """Return the parameters along both axes."""
    values = values_at(result.study.parameters, at or {})
    for name in (x, y):
        if name is not None and name not in values:
            raise SweepError(unknown("parameter", name, list(values)) if values else "nothing is swept in this study")
    if x is not None and x == y:
        raise SweepError(f"parameter {x!r} given for x and for y; give it once")
    most = [name for name in values if len(values[name]) > 1 and name not in (x, y)]
    most.sort(key=lambda name: (not is_number(values[name][0]), -len(values[name])))
    if numbers:
        most = [name for name in most if is_number(values[name][0])]
    chosen = [name or (most.pop(0) if most else None) for name in (x, y)]
    if None in chosen:
        kind = "contours lie over two parameters that are numbers" if numbers else "a heat map lies over two parameters"
        varied = ", ".join(name for name in values if len(values[name]) > 1) or "nothing"
        raise SweepError(f"{kind}, and of this selection {varied} varies")
    across, down = (str(name) for name in chosen)
    for name in (across, down) if numbers else ():
        if not is_number(values[name][0]) or len(values[name]) < 2:
            raise SweepError(f"contours need several numbers along each axis, which {name} does not have")
    return across, down


def grid_of(selected: Selected, x: tuple[str, Places], y: tuple[str, Places]) -> NDArray[np.float64]:
    """Return the drawn values by place, (down, across); NaN where there are none."""
    (across, places), (down, down_places) = x, y
    grid = np.full((len(down_places.values), len(places.values)), np.nan)
    columns = selected.table[across].map(places.number_of()), selected.table[down].map(down_places.number_of())
    grid[columns[1].to_numpy(), columns[0].to_numpy()] = drawn_values(selected.table, selected.statistic)
    return grid


def _size(selected: Selected, x: str, y: str) -> tuple[float, float]:
    """Return inches across and down, so that numbers fit into fields where they are written."""
    across, down = len(selected.values[x]), len(selected.values[y])
    if across * down > _MOST_WRITTEN:
        return 6.6, 5.0
    return min(max(0.62 * across + 2.2, 5.0), 12.0), min(max(0.34 * down + 1.6, 3.2), 10.0)


def _set_scales(ax: Axes, across: Places, down: Places) -> None:
    if across.scale == "log":
        ax.set_xscale("log")
    if down.scale == "log":
        ax.set_yscale("log")


def color_map() -> Any:
    """Return the colors of a statistic, which people with any color vision tell apart."""
    import matplotlib as mpl

    return mpl.colormaps[_COLORS].with_extremes(bad=_MISSING)


def color_norm(selected: Selected, grid: NDArray[np.float64]) -> Normalize:
    """Return what gives numbers colors: percents from 0 to 100, wide ranges by their logarithms."""
    from matplotlib.colors import LogNorm, Normalize

    drawn = grid[np.isfinite(grid)]
    if selected.words.percent or not drawn.size:
        return Normalize(0, 100)
    low, high = drawn.min(), drawn.max()
    if low > 0 and high > 5 * low:
        return LogNorm(low, high)
    return Normalize(low, high if high > low else low + 1)


def _write_numbers(ax: Axes, selected: Selected, grid: NDArray[np.float64], across: Places, down: Places) -> None:
    """Write each number into its field, if there is room, dark on light and light on dark."""
    if grid.size > _MOST_WRITTEN or len(across.values) > 16:
        return
    norm = color_norm(selected, grid)
    for (j, i), number in np.ndenumerate(grid):
        text = "–" if np.isnan(number) else f"{number:.0f}" if number < 10_000 else f"{number:.2g}"  # noqa: RUF001
        color = "black" if np.isnan(number) or norm(number) > 0.55 else "white"
        ax.text(
            float(across.centers()[i]),
            float(down.centers()[j]),
            text,
            ha="center",
            va="center",
            color=color,
            fontsize=7.5,
        )


def _finish(
    ax: Axes, mesh: Any, result: Result, selected: Selected, x: tuple[str, Places], y: tuple[str, Places]
) -> None:
    """Write ticks, names, the bar of colors and the title."""
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogLocator

    x[1].label(ax.xaxis, x[0])
    y[1].label(ax.yaxis, y[0])
    if mesh is not None:
        bar = ax.figure.colorbar(mesh, ax=ax, label=selected.words.label)
        bar.outline.set(visible=False)
        if not selected.words.percent:
            if isinstance(mesh.norm, LogNorm):
                bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            bar.minorticks_off()
            bar.ax.yaxis.set_major_formatter("{x:,.4g}")
    missing = not np.isfinite(drawn_values(selected.table, selected.statistic)).all()
    notes = [selected.words.gaps.replace("gaps", "gray")] if missing and selected.words.gaps else []
    ax.set_title(heading(result, selected.values, (x[0], y[0]), notes, inches_across(ax)), fontsize=10)
