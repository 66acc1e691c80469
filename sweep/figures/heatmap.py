"""A statistic over two parameters: heat map, and contours of two numeric parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import SweepError, unknown
from sweep.figures.axis import Places, heading
from sweep.figures.canvas import inches_across, new_axes, say_why
from sweep.figures.channels import is_number
from sweep.figures.colors import MISSING, color_bar, color_map, color_norm, ink_on
from sweep.figures.statistics import UNTRAINED, Selected, drawn_values, select
from sweep.results.result import Result
from sweep.statistics.of_cells import measure_of
from sweep.study.selection import At, values_at
from sweep.system.formatting import list_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Reason why a field is empty in studies with zipped lists, samples or exclusions.
_NO_CELL = "no cell has both values"
# Most fields with numbers in them.
_MOST_WRITTEN = 150


def heatmap(
    result: Result,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    value: str | None = None,
    at: At | None = None,
) -> Axes:
    """Draw a statistic of the cells as colors over two parameters, pooled over all others.

    Parameters
    ----------
    result
        Complete or partial.
    ax
        Axes to draw into; by default those of a new figure.
    x, y
        Parameters; by default the two with the most values, numbers first.
    value
        A key of :data:`sweep.figures.statistics.STATISTICS`; the rate by default, or the final loss if
        there is no criterion.
    at
        Selected values of some parameters.

    Returns
    -------
    Axes
        The axes that were drawn into.

    Raises
    ------
    SweepError
        If a name or a value is unknown, fewer than two parameters are swept, or there is no criterion.
    """
    x, y = _choose(result, x, y, at, numbers=False)
    selected = select(result, value, at, (x, y))
    ax = ax or new_axes(*_size(selected, x, y))
    across, down = Places.of(selected.along(x)), Places.of(selected.along(y))
    grid = grid_of(selected, (x, across), (y, down))
    _set_scales(ax, across, down)
    shown = np.ma.masked_invalid(grid)
    ax.set_facecolor(MISSING)
    mesh = ax.pcolormesh(
        across.edges(),
        down.edges(),
        shown,
        cmap=color_map(selected),
        norm=color_norm(selected, grid),
        rasterized=grid.size > 2000,
    )
    if shown.count():
        _write_numbers(ax, mesh, grid, (across, down), selected)
    else:
        say_why(ax, selected.nothing)
    _finish(ax, mesh if shown.count() else None, result, selected, (x, across), (y, down))
    return ax


def contour(
    result: Result,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    value: str | None = None,
    at: At | None = None,
) -> Axes:
    """Draw contours of a statistic over two numeric parameters, pooled over all others.

    Parameters
    ----------
    result, ax, value, at
        As for :func:`heatmap`.
    x, y
        Numeric parameters; by default the two with the most values.

    Returns
    -------
    Axes
        The axes that were drawn into.

    Raises
    ------
    SweepError
        As for :func:`heatmap`, or if a parameter has fewer than two values or is not numeric.
    """
    x, y = _choose(result, x, y, at, numbers=True)
    selected = select(result, value, at, (x, y))
    ax = ax or new_axes(*_size(selected, x, y))
    across, down = Places.of(selected.along(x)), Places.of(selected.along(y))
    grid = grid_of(selected, (x, across), (y, down))
    _set_scales(ax, across, down)
    shown = np.ma.masked_invalid(grid)
    ax.set_facecolor(MISSING)
    ax.set(xlim=across.centers()[[0, -1]], ylim=down.centers()[[0, -1]])
    fields = ~(shown.mask | np.zeros(shown.shape, np.bool_))
    between = fields[1:, 1:] & fields[:-1, 1:] & fields[1:, :-1] & fields[:-1, :-1]
    if not between.any() or shown.min() == shown.max():
        why = f"nothing to draw: each square of four cells has a cell where {selected.description.missing}"
        if between.any():
            why = f"nothing to draw: {selected.description.label}: {shown.max():,.4g} in every cell"
        say_why(ax, why if fields.any() else selected.nothing)
        mesh = None
    else:
        norm = color_norm(selected, grid)
        levels = norm.inverse(np.linspace(0, 1, 11))
        mesh = ax.contourf(across.centers(), down.centers(), shown, levels, cmap=color_map(selected), norm=norm)
        ax.contour(across.centers(), down.centers(), shown, levels[1:-1], colors="white", linewidths=0.6)
    _finish(ax, mesh, result, selected, (x, across), (y, down))
    return ax


def _choose(result: Result, x: str | None, y: str | None, at: At | None, *, numbers: bool) -> tuple[str, str]:
    """Return the parameters along the horizontal and the vertical axis."""
    values = values_at(result.study, at)
    for name in (x, y):
        if name is not None and name not in values:
            raise SweepError(unknown("parameter", name, list(values)) if values else "nothing is swept in this study")
    if x is not None and x == y:
        raise SweepError(f"parameter {x!r} must have one channel, got x and y; name it once")
    most = [name for name in values if len(values[name]) > 1 and name not in (x, y)]
    most.sort(key=lambda name: (not is_number(values[name][0]), -len(values[name])))
    if numbers:
        most = [name for name in most if is_number(values[name][0])]
    chosen = [name or (most.pop(0) if most else None) for name in (x, y)]
    if None in chosen:
        kind = "contours need two numeric parameters" if numbers else "a heat map needs two parameters"
        varied = [name for name in values if len(values[name]) > 1] or ["none"]
        raise SweepError(f"{kind} with several selected values, got {list_text(varied)}")
    across, down = (str(name) for name in chosen)
    for name in (across, down) if numbers else ():
        if not is_number(values[name][0]) or len(values[name]) < 2:
            raise SweepError(f"contours need several numbers along each axis, got {name}; choose another parameter")
    return across, down


def grid_of(selected: Selected, x: tuple[str, Places], y: tuple[str, Places]) -> NDArray[np.float64]:
    """Return the values to draw, by position.

    Parameters
    ----------
    selected
        The statistic of cells.
    x, y
        Parameter and positions of its values, horizontal and vertical.

    Returns
    -------
    (y values, x values) array
        NaN if there is no value.
    """
    (across, places), (down, down_places) = x, y
    grid = np.full((len(down_places.values), len(places.values)), np.nan)
    columns = selected.table[across].map(places.number_of()), selected.table[down].map(down_places.number_of())
    grid[columns[1].to_numpy(), columns[0].to_numpy()] = drawn_values(selected.table, selected.statistic)
    return grid


def _size(selected: Selected, x: str, y: str) -> tuple[float, float]:
    """Return width and height in inches, such that numbers fit into the fields."""
    across, down = len(selected.along(x)), len(selected.along(y))
    if across * down > _MOST_WRITTEN:
        return 6.6, 5.0
    return min(max(0.45 * across + 2.2, 5.0), 12.0), min(max(0.34 * down + 1.6, 3.2), 10.0)


def _set_scales(ax: Axes, across: Places, down: Places) -> None:
    if across.scale == "log":
        ax.set_xscale("log")
    if down.scale == "log":
        ax.set_yscale("log")


def _write_numbers(
    ax: Axes, mesh: Any, grid: NDArray[np.float64], places: tuple[Places, Places], selected: Selected
) -> None:
    """Write each number into its field in a legible color, if there is room."""
    across, down = places
    if grid.size > _MOST_WRITTEN or len(across.values) > 16:
        return
    write = _in_field if not measure_of(selected.statistic) else measure_in_field
    for (j, i), number in np.ndenumerate(grid):
        text = "–" if np.isnan(number) else write(number)  # noqa: RUF001
        ink = "0.5" if np.isnan(number) else ink_on(mesh.cmap(mesh.norm(number)))
        place = float(across.centers()[i]), float(down.centers()[j])
        ax.text(*place, text, ha="center", va="center", color=ink, fontsize=8.5)


def measure_in_field(number: float) -> str:
    """Return a measure with two significant digits.

    >>> [measure_in_field(number) for number in (0.0, 0.0123, 7.96, 1.2e-12)]
    ['0', '0.012', '8', '1.2e-12']
    """
    return f"{number:.2g}"


def _in_field(number: float) -> str:
    """Return a number in about four characters: thousands as k, millions as M.

    >>> [_in_field(number) for number in (0.4, 99.6, 9999, 12_345, 234_567, 1.5e6, 2e12)]
    ['0', '100', '9999', '12k', '235k', '1.5M', '2e+12']
    """
    if number < 9999.5:
        return f"{number:.0f}"
    if number < 999_500:
        return f"{number / 1e3:.0f}k"
    return f"{number / 1e6:.2g}M" if number < 99.5e6 else f"{number:.0e}"


def _finish(
    ax: Axes, mesh: Any, result: Result, selected: Selected, x: tuple[str, Places], y: tuple[str, Places]
) -> None:
    """Draw ticks, labels, color bar and title."""
    if mesh is not None:
        color_bar(ax, mesh, selected)
    x[1].label(ax.xaxis, x[0])
    y[1].label(ax.yaxis, y[0])
    drawn = np.isfinite(drawn_values(selected.table, selected.statistic))
    why = [selected.description.missing] if drawn.any() and not drawn.all() else []
    if len(drawn) < len(x[1].values) * len(y[1].values):
        why += ([_NO_CELL] if any(len(axis) > 1 for axis in result.study.axes) else []) + [UNTRAINED][result.complete :]
    notes = [*selected.notes, *([f"gray where {' or '.join(why)}"] if why else [])]
    ax.set_title(heading(result, selected.values, (x[0], y[0]), notes, inches_across(ax)), fontsize=10)
