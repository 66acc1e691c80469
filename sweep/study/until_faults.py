"""Faults of the table seeds.until, and the statistic by which cells race."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from sweep.errors import unknown
from sweep.measures import MEASURES
from sweep.statistics.of_cells import every, synonyms
from sweep.statistics.statistic import Statistic
from sweep.study.axes.grid import replicate_axes

if TYPE_CHECKING:
    from sweep.study.content import StudyContent

# Ways to compare cells in which a run has a value that others can be compared with, and those with bounded values.
_RACED = ("rate", "median steps", "median", "mean")
_BOUNDED = ("rate", "mean")


def until_faults(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each reason why adaptive seeds have nothing to follow."""
    until = study.seeds.until
    if until is None:
        return
    if until.best is None:
        if not study.has_criterion:
            yield "seeds.until: needs a criterion, got 'none', which has no convergence rate; remove until"
        return
    name, allowed = synonyms().get(until.best, until.best), _raced(study)
    if name not in allowed:
        aliases = {column: alias for alias, column in synonyms().items()}
        names = [aliases.get(each, each) for each in allowed]
        if name in every():
            yield f"seeds.until.best: must be one of {', '.join(names)} in this study, got {until.best!r}"
        else:
            yield f"seeds.until.best: {unknown('statistic', until.best, names)}"
        return
    if until.compare == "means" and allowed[name].compared not in _BOUNDED:
        yield f"seeds.until.compare: must be 'wins' with {until.best}, whose values have no bounds, got 'means'"
    if n_contenders(study) == 1:
        yield "seeds.until.best: needs several cells, got one; sweep an option, or remove best"


def raced_statistic(study: StudyContent) -> Statistic | None:
    """Return the statistic by which the cells of a study race; None if they do not."""
    until = study.seeds.until
    return every()[synonyms().get(until.best, until.best)] if until and until.best else None


def races_by_wins(study: StudyContent) -> bool:
    """Return whether cells that race are compared by wins with the same seed, and not by means."""
    until, statistic = study.seeds.until, raced_statistic(study)
    assert until
    assert statistic
    return until.compare == "wins" or statistic.compared not in _BOUNDED


def n_contenders(study: StudyContent) -> int:
    """Return the number of cells of a study, counting cells that differ in replicates only as one."""
    replicates = replicate_axes(study.axes)
    return prod(size for k, size in enumerate(study.grid.sizes) if k not in replicates)


def _raced(study: StudyContent) -> dict[str, Statistic]:
    return {
        name: each
        for name, each in every().items()
        if each.compared in _RACED and (MEASURES[each.measure].is_in(study) if each.measure else study.has_criterion)
    }
