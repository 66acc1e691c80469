"""Heat map: a statistic as colors over two parameters."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from numpy.typing import NDArray

from sweep.errors import SweepError, shown
from sweep.figures.axis import Places, heading
from sweep.figures.canvas import inches_across, new_axes, say_why
from sweep.figures.channels import check_known
from sweep.figures.colors import MISSING, color_bar, color_map, color_norm, ink_on
from sweep.figures.figure_kind import Caption, FigureKind, figure_function, pools_replicates
from sweep.figures.statistics import UNTRAINED, Selected, drawn_values, pooling_fault, select, statistic_of
from sweep.results.result import Result
from sweep.statistics.of_cells import measure_of
from sweep.study.selection import At, Values, in_order_of_axes, values_at
from sweep.system.plain_values import is_number

_Numbers = NDArray[np.float64]

# Reason why a field is empty in studies with zipped lists, samples or exclusions.
_NO_CELL = "no cell has both values"
# Most fields with numbers in them.
MOST_WRITTEN = 150


class Map(NamedTuple):
    """Axes for a statistic over two parameters, and what to draw into them."""

    ax: Axes  # axes with scales
    selected: Selected  # the statistic
    # The parameters
    x: str
    y: str
    # Positions of their values
    across: Places
    down: Places
    grid: NDArray[np.float64]  # (y values, x values): the values to draw; NaN if there is none


def prepare_map(
    result: Result, ax: Axes | None, x: str | None, y: str | None, value: str | None, at: At | None, *, numbers: bool
) -> Map:
    """Choose the parameters along both axes, numeric ones with ``numbers``, and return what to draw into which axes."""
    x, y = _choose(values_at(result.study, at), x, y, numbers=numbers)
    selected = select(result, value, at, (x, y), bare=True)
    ax = ax or new_axes(*_size(selected, x, y))
    across, down = Places.of(selected.along(x)), Places.of(selected.along(y))
    if across.scale == "log":
        ax.set_xscale("log")
    if down.scale == "log":
        ax.set_yscale("log")
    ax.set_facecolor(MISSING)
    return Map(ax, selected, x, y, across, down, grid_of(selected, (x, across), (y, down)))


def map_refusal(result: Result, *, numbers: bool) -> str | None:
    """Return why a result has no map of its default statistic, or None if it has."""
    fault = _too_few(result.study.parameters, _varied(result.study.parameters, numbers=numbers), numbers=numbers)
    if fault:
        return fault
    shown = _choose(result.study.parameters, None, None, numbers=numbers)
    return pooling_fault(result, statistic_of(result, None), None, shown)


def _varied(values: Values, *, numbers: bool) -> list[str]:
    """Return the parameters that can be axes, numeric ones with ``numbers``, in the order of axes."""
    return [name for name in in_order_of_axes(values) if is_number(values[name][0]) or not numbers]


def _too_few(values: Values, found: list[str], *, numbers: bool) -> str | None:
    """Return why these parameters are too few for two axes, or None if they suffice."""
    if len(found) > 1:
        return None
    kind = "contours need two numeric parameters" if numbers else "a heat map needs two parameters"
    return f"{kind} with several values each, got {f'only {found[0]}' if found else 'none'}"


def _choose(values: Values, x: str | None, y: str | None, *, numbers: bool) -> tuple[str, str]:
    """Return the parameters along the horizontal and the vertical axis."""
    chosen = [name for name in (x, y) if name is not None]
    for name in chosen:
        check_known(name, values)
    if x is not None and x == y:
        raise SweepError(f"x and y: must be different parameters, got {shown(x)} for both")
    most = [name for name in _varied(values, numbers=numbers) if name not in chosen]
    fault = _too_few(values, [*chosen, *most], numbers=numbers)
    if fault:
        raise SweepError(fault)
    across = x or most.pop(0)
    down = y or most.pop(0)
    for name in (across, down) if numbers else ():
        if not is_number(values[name][0]) or len(values[name]) < 2:
            raise SweepError(f"contours need several numbers along each axis, got {name}; choose another parameter")
    return across, down


def grid_of(selected: Selected, x: tuple[str, Places], y: tuple[str, Places]) -> NDArray[np.float64]:
    """Return the values to draw, (y values, x values); NaN if there is none."""
    (across, places), (down, down_places) = x, y
    grid = np.full((len(down_places.values), len(places.values)), np.nan)
    rows, columns = down_places.indices(selected.table[down]), places.indices(selected.table[across])
    grid[rows, columns] = drawn_values(selected.table, selected.statistic)
    return grid


def _size(selected: Selected, x: str, y: str) -> tuple[float, float]:
    """Return width and height in inches, such that numbers fit into the fields."""
    across, down = len(selected.along(x)), len(selected.along(y))
    if across * down > MOST_WRITTEN:
        return 6.6, 5.0
    return min(max(0.45 * across + 2.2, 5.0), 12.0), min(max(0.34 * down + 1.6, 3.2), 10.0)


def finish_map(drawn: Map, mesh: ScalarMappable | None, result: Result, side: int = 1) -> None:
    """Draw ticks, labels, title, and the color bar of ``mesh`` unless it is None.

    A field is the mean of a square of cells, ``side`` along each axis.
    """
    ax, selected = drawn.ax, drawn.selected
    if mesh is not None:
        color_bar(ax, mesh, selected)
    drawn.across.label(ax.xaxis, drawn.x)
    drawn.down.label(ax.yaxis, drawn.y)
    has_value = np.isfinite(drawn_values(selected.table, selected.statistic))
    why = [selected.description.missing] if has_value.any() and not has_value.all() else []
    if len(has_value) < drawn.grid.size:
        why += [_NO_CELL] if any(len(axis) > 1 for axis in result.study.axes) else []
        why += [] if result.complete else [UNTRAINED]
    means = [f"each field is the mean of {side} x {side} cells"] if side > 1 else []
    notes = [*selected.notes, *means, *([f"gray where {' or '.join(why)}"] if why else [])]
    ax.set_title(heading(result, selected.values, (drawn.x, drawn.y), notes, inches_across(ax)), fontsize=10)


# Most fields with numbers in a row.
_MOST_ACROSS = 16
# Most fields along an axis, twice the pixels of a saved figure. More would take seconds and GBs.
_MOST_FIELDS = 2000


@pools_replicates
@figure_function(
    "fewer than two parameters are swept, or there is no criterion",
    x="A parameter; by default one of the two with the most values, numbers first.",
    y="Another parameter.",
)
def heatmap(
    result: Result,
    ax: Axes | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    value: str | None = None,
    at: At | None = None,
) -> Axes:
    """Draw a statistic of the cells as colors over two parameters, pooled over all others."""
    drawn = prepare_map(result, ax, x, y, value, at, numbers=False)
    ax, selected = drawn.ax, drawn.selected
    side = -(-max(drawn.grid.shape) // _MOST_FIELDS)
    shown = np.ma.masked_invalid(mean_of_squares(drawn.grid, side))
    mesh = ax.pcolormesh(
        _every(side, drawn.across.edges()),
        _every(side, drawn.down.edges()),
        shown,
        cmap=color_map(selected),
        norm=color_norm(selected, drawn.grid),
        rasterized=drawn.grid.size > 2000,
    )
    if shown.count():
        _write_numbers(drawn, mesh)
    else:
        say_why(ax, selected.nothing)
    finish_map(drawn, mesh if shown.count() else None, result, side)
    return ax


def mean_of_squares(grid: _Numbers, side: int) -> _Numbers:
    """Return the mean of the known values in each square of ``side`` x ``side`` values; squares at ends are smaller."""
    if side == 1:
        return grid
    is_known = np.isfinite(grid)
    sums, counts = (
        np.add.reduceat(
            np.add.reduceat(each, range(0, grid.shape[0], side), axis=0), range(0, grid.shape[1], side), axis=1
        )
        for each in (np.where(is_known, grid, 0.0), is_known.astype(np.int64))
    )
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _every(side: int, edges: _Numbers) -> _Numbers:
    """Return the edges of fields that have ``side`` values each."""
    return edges[[*range(0, len(edges) - 1, side), -1]]


def _write_numbers(drawn: Map, mesh: Any) -> None:
    """Write each number into its field in a legible color, if there is room."""
    if drawn.grid.size > MOST_WRITTEN or len(drawn.across.values) > _MOST_ACROSS:
        return
    is_share = drawn.selected.description.percent and not drawn.selected.is_rate
    write = "{:.1f}".format if is_share else "{:.3g}".format if measure_of(drawn.selected.statistic) else _in_field
    x, y = drawn.across.centers(), drawn.down.centers()
    for (j, i), number in np.ndenumerate(drawn.grid):
        text = "–" if np.isnan(number) else write(number)  # noqa: RUF001
        ink = "0.5" if np.isnan(number) else ink_on(mesh.cmap(mesh.norm(number)))
        drawn.ax.text(float(x[i]), float(y[j]), text, ha="center", va="center", color=ink, fontsize=8.5)


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


KIND = FigureKind(
    heatmap,
    20,
    "a statistic as colors over two parameters",
    partial(map_refusal, numbers=False),
    (
        Caption("{headline}", 5, held_out=True),
        Caption("Share of runs that converged", 10, {"value": "rate"}, criterion=True),
        Caption("Median steps to converge", 20, {"value": "median_steps"}, criterion=True),
        Caption("Median final training loss", 10, {"value": "final_loss"}, criterion=False),
    ),
    of_cells=True,
)
