"""The kinds of figures and their names on the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from sweep.errors import SweepError, unknown
from sweep.figures.canvas import new_figure
from sweep.figures.channels import Channels
from sweep.figures.distributions import losses, steps_distribution
from sweep.figures.heatmap import contour, heatmap
from sweep.figures.importance import importance_bars
from sweep.figures.incidence import ecdf, incidence
from sweep.figures.learning_curves import curves_of_runs, learning_curves
from sweep.figures.lines import draw_figure
from sweep.figures.profiles import profile
from sweep.figures.slices import parallel, slice_plot
from sweep.figures.statistics import select
from sweep.results.result import Result
from sweep.study.selection import At

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Most panels of slices.
_MOST_SLICES = 9


class Kind(NamedTuple):
    """A kind of figure: the function that draws it, and its options."""

    draw: Callable[..., Figure]
    options: tuple[str, ...]


def draw(result: Result, kind: str = "lines", **options: Any) -> Figure:
    """Draw a figure of a result.

    Parameters
    ----------
    result
        Complete or partial.
    kind
        A key of :data:`KINDS`.
    **options
        Options of this kind: ``x``, ``y``, ``color``, ``facet``, ``value``, ``at``, ``bands``, ``parallel_runs``.

    Returns
    -------
    Figure
        A new figure, which pyplot does not manage.

    Raises
    ------
    SweepError
        If the kind or an option is unknown, or the figure cannot show the selection.
    """
    if kind not in KINDS:
        raise SweepError(unknown("figure", kind, list(KINDS)))
    taken = KINDS[kind].options
    for name in options:
        if name not in taken:
            raise SweepError(f"{name}: figure {kind!r} has no such option; its options are {', '.join(taken)}")
    return KINDS[kind].draw(result, **options)


def _lines(
    result: Result,
    x: str | None = None,
    color: str | None = None,
    facet: tuple[str, ...] = (),
    value: str | None = None,
    at: At | None = None,
) -> Figure:
    """Draw lines over a parameter, in panels."""
    return draw_figure(result, value, Channels(x, color, facet), at)


def _slices(result: Result, x: str | None = None, value: str | None = None, at: At | None = None) -> Figure:
    """Draw a slice along one parameter, or along each parameter with several values."""
    varied = [name for name, entries in select(result, value, at).values.items() if len(entries) > 1]
    if x is not None or len(varied) < 2:
        return _figure_of(slice_plot)(result, x=x, value=value, at=at)
    shown = varied[:_MOST_SLICES]
    across = min(len(shown), 3)
    down = -(-len(shown) // across)
    figure = new_figure(3.6 * across, 3.3 * down + 0.4)
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    for k, (axes, name) in enumerate(zip(grid.flat, shown, strict=False)):
        slice_plot(result, axes, x=name, value=value, at=at)
        title = axes.get_title()
        axes.set_title("")
        if k % across:
            axes.set_ylabel("")
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    figure.suptitle(title, fontsize=10)
    return figure


def _figure_of(draw: Callable[..., Any]) -> Callable[..., Figure]:
    """Return a function that draws into a new figure and returns it."""

    def drawn(result: Result, **options: Any) -> Figure:
        figure: Figure = draw(result, **options).figure
        return figure

    return drawn


def _kind(draw: Callable[..., Any]) -> Kind:
    """Return the kind that a function draws."""
    options = tuple(name for name in inspect.signature(draw).parameters if name not in ("result", "ax"))
    return Kind(draw if draw in (_lines, _slices) else _figure_of(draw), options)


KINDS = {
    "lines": _kind(_lines),
    "heatmap": _kind(heatmap),
    "slice": _kind(_slices),
    "contour": _kind(contour),
    "parallel": _kind(parallel),
    "importance": _kind(importance_bars),
    "incidence": _kind(incidence),
    "ecdf": _kind(ecdf),
    "profile": _kind(profile),
    "steps": _kind(steps_distribution),
    "loss": _kind(losses),
    "curves": _kind(learning_curves),
    "runs": _kind(curves_of_runs),
}
