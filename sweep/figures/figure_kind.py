"""The record in which a kind of figure is declared, and why results cannot be drawn."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from textwrap import fill, indent
from typing import Any, TypeVar, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sweep.errors import SweepError, shown
from sweep.results.answers import swept
from sweep.results.result import Result

Draw = TypeVar("Draw", bound=Callable[..., Any])

# What parameters of most figures are.
_PARAMETERS = {
    "result": "Complete or partial.",
    "ax": "Axes to draw into; by default those of a new figure.",
    "color": "A parameter with at most 12 values; by default the one with the most.",
    "value": "A name of :func:`~sweep.figures.statistics.drawable`; by default the accuracy or loss of test patterns, "
    "else the rate, or the final loss if there is no criterion.",
    "at": "Selected values of some parameters.",
    "bands": '``"pointwise"`` for the interval of each step, or ``"simultaneous"`` for a band of the whole curve.',
}


def figure_function(fault: str = "", *, store: str = "", **parameters: str) -> Callable[[Draw], Draw]:
    """Return a decorator that adds to a docstring what its parameters are, and when it raises SweepError or StoreError.

    ``fault`` and ``store`` complete "If ..". Parameters that are not described here are those of :data:`_PARAMETERS`.
    """
    known = {**_PARAMETERS, **parameters}
    faults = f"If a name or a value is unknown{', ' * bool(fault)}{fault}."
    raised = {"SweepError": faults, **({"StoreError": f"If {store}."} if store else {})}

    def add(draw: Draw) -> Draw:
        sections = {
            "Parameters": {name: known[name] for name in inspect.signature(draw).parameters},
            "Returns": {"Axes": "The axes that were drawn into."},
            "Raises": raised,
        }
        text = inspect.cleandoc(draw.__doc__ or "")
        for title, entries in sections.items():
            filled = [f"{name}\n{indent(fill(each, 108), ' ' * 4)}" for name, each in entries.items()]
            text += "\n\n" + "\n".join([title, "-" * len(title), *filled])
        draw.__doc__ = text

        @wraps(draw)
        def checked(result: Any, *args: Any, **kwargs: Any) -> Any:
            if "Trace" not in draw.__annotations__["result"]:
                check_result(result, draw.__name__)
            return draw(result, *args, **kwargs)

        return cast("Draw", checked)

    return add


def check_result(result: Any, name: str) -> None:
    """Refuse what is no result, such as a study."""
    if not hasattr(result, "measures"):
        raise SweepError(f"{name}: must be a result, got {shown(result)}; sweep.run(study) returns one")


def pools_replicates(draw: Draw) -> Draw:
    """Return the function with its result pooled over the replicates that its other arguments do not name."""

    @wraps(draw)
    def pooled(result: Result, *args: Any, **kwargs: Any) -> Any:
        check_result(result, draw.__name__)
        named: list[str] = []
        for each in (*args, *kwargs.values()):
            if isinstance(each, str | Sequence | Mapping):
                named += [each] if isinstance(each, str) else each
        return draw(result.naming(named), *args, **kwargs)

    return cast("Draw", pooled)


@dataclass(frozen=True)
class Caption:
    """A figure of the report."""

    title: str  # its caption; ``{headline}`` stands for the label of the statistic of held-out patterns
    place: int  # where it stands among the figures of the report, by ascending numbers
    options: Mapping[str, Any] = field(default_factory=dict)  # options of the figure
    # Whether only studies with a criterion have it, or only those without; None if all have it
    criterion: bool | None = None
    # Whether only results with held-out patterns have it, which show their headline statistic; or only those without
    held_out: bool | None = None
    # How many options a study must sweep, and how many seeds it must have
    least_varied: int = 0
    least_seeds: int = 0

    def suits(self, result: Result) -> bool:
        """Return whether the report of a result that can be drawn has the figure."""
        study = result.study
        return (
            self.criterion in (None, study.has_criterion)
            and self.held_out in (None, result.held_out is not None)
            and len(swept(study)) >= self.least_varied
            and study.seeds.count >= self.least_seeds
        )


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure. Its name is that of its module, without ``_figure``.

    A module declares it as ``KIND = FigureKind(draw, place, meaning, ..)``, with these three in this order, since
    ``sweep figure --help`` reads them from the source.
    """

    draw: Callable[..., Axes | Figure]  # its parameters behind the result and the axes are the options of the kind
    place: int  # where it stands in lists, by ascending numbers
    meaning: str  # what it shows, for help and the manual
    refusal: Callable[[Result], str | None]  # returns why a result cannot be drawn without options, or None if it can
    captions: tuple[Caption, ...] = ()  # the figures of this kind in reports
    shows_statistics: bool = True  # whether its option ``value``, if it has one, is a statistic of cells
    of_cells: bool = False  # whether it shows statistics of cells alone, and not runs or steps

    def shown(self, result: Result) -> Result:
        """Return the runs that it shows without options: of cells those pooled over replicates."""
        return cast("Result", result.over_replicates) if self.of_cells else result

    @property
    def options(self) -> tuple[str, ...]:
        """The names of the options."""
        return tuple(name for name in inspect.signature(self.draw).parameters if name not in ("result", "ax"))
