"""Heat map: a statistic as colors over two parameters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.figures.canvas import say_why
from sweep.figures.colors import color_map, color_norm, ink_on
from sweep.figures.figure_kind import Caption, FigureKind, pools_replicates
from sweep.figures.maps import MOST_WRITTEN, Map, finish_map, map_refusal, prepare_map
from sweep.results.result import Result
from sweep.statistics.of_cells import measure_of
from sweep.study.selection import At

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Most fields with numbers in a row.
_MOST_ACROSS = 16


@pools_replicates
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
        A name of :func:`~sweep.figures.statistics.drawable`; by default the accuracy or loss of test patterns, else the
        rate, or the final loss if there is no criterion.
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
    drawn = prepare_map(result, ax, x, y, value, at, numbers=False)
    ax, selected = drawn.ax, drawn.selected
    shown = np.ma.masked_invalid(drawn.grid)
    mesh = ax.pcolormesh(
        drawn.across.edges(),
        drawn.down.edges(),
        shown,
        cmap=color_map(selected),
        norm=color_norm(selected, drawn.grid),
        rasterized=drawn.grid.size > 2000,
    )
    if shown.count():
        _write_numbers(drawn, mesh)
    else:
        say_why(ax, selected.nothing)
    finish_map(drawn, mesh if shown.count() else None, result)
    return ax


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
