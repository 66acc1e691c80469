"""The record in which a kind of figure is declared, and why results cannot be drawn."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sweep.results.answers import has_criterion, held_out_of, swept

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sweep.results.result import Result

Draw = TypeVar("Draw", bound=Callable[..., Any])


def pools_replicates(draw: Draw) -> Draw:
    """Return the function with its result pooled over the replicates that its other arguments do not name."""

    @wraps(draw)
    def pooled(result: Result, *args: Any, **kwargs: Any) -> Any:
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
            self.criterion in (None, has_criterion(study))
            and self.held_out in (None, held_out_of(result) is not None)
            and len(swept(study)) >= self.least_varied
            and study.seeds.count >= self.least_seeds
        )


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure. Its name is that of its module, without ``_figure``.

    Attributes
    ----------
    draw
        Draws a result into axes or a figure. Its parameters behind the result and the axes are the options of the kind.
    place
        Where it stands in lists, by ascending numbers.
    meaning
        What it shows, for help and the manual.
    refusal
        Returns in one sentence why a result cannot be drawn without options, or None if it can.
    captions
        The figures of this kind in reports.
    shows_statistics
        Whether its option ``value``, if it has one, is a statistic of cells.
    of_cells
        Whether it shows statistics of cells alone, and not runs or steps.
    """

    draw: Callable[..., Axes | Figure]
    place: int
    meaning: str
    refusal: Callable[[Result], str | None]
    captions: tuple[Caption, ...] = ()
    shows_statistics: bool = True
    of_cells: bool = False

    def shown(self, result: Result) -> Result:
        """Return the runs that it shows without options: of cells those pooled over replicates."""
        return cast("Result", result.over_replicates) if self.of_cells else result

    @property
    def options(self) -> tuple[str, ...]:
        """The names of the options."""
        return tuple(name for name in inspect.signature(self.draw).parameters if name not in ("result", "ax"))
