"""The kinds of figures, each declared in a module of this folder."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

from matplotlib.figure import Figure

from sweep.errors import SweepError, unknown
from sweep.figures.figure_kind import FigureKind
from sweep.results.result import Result


def _read() -> dict[str, FigureKind]:
    """Return the kinds of all modules by name, in the order of lists."""
    modules = [module.name for module in pkgutil.iter_modules(__path__)]
    found = {name.removesuffix("_figure"): import_module(f"{__name__}.{name}").KIND for name in modules}
    return dict(sorted(found.items(), key=lambda item: item[1].place))


KINDS = _read()


def draw(result: Result, kind: str = "lines", **options: Any) -> Figure:
    """Draw a figure of a result.

    Parameters
    ----------
    result
        Complete or partial.
    kind
        Kind of figure, as ``sweep figure --help`` lists them.
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
    known = KINDS[kind].options
    for name in options:
        if name not in known:
            raise SweepError(f"{name}: figure {kind!r} has no such option; its options are {', '.join(known)}")
    drawn: Any = KINDS[kind].draw(result, **options)
    figure: Figure = drawn.get_figure()
    return figure
