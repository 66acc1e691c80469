"""Statistics of cells, each declared in a module of this folder beside its estimator.

A module has ``STATISTICS``, those that every study has, or ``of_measure``, which returns those of a measure of runs.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from sweep.measures import MEASURES, ORDERED
from sweep.statistics.statistic import Statistic

# In the order of their columns.
_MODULES: list[Any] = sorted(
    (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)),
    key=lambda module: int(module.PLACE),
)
_DECLARED: list[Statistic] = [each for module in _MODULES for each in getattr(module, "STATISTICS", ())]
# Those of runs by how they ended, in the order of their columns.
COUNTS: dict[str, Statistic] = {each.name: each for each in _DECLARED if each.kind == "count"}
OF_CONVERGENCE: dict[str, Statistic] = {
    each.name: each for each in _DECLARED if each.kind != "count" and each.computed == "always"
}
# Those that are computed only where they are named.
NAMED: dict[str, Statistic] = {each.name: each for each in _DECLARED if each.computed != "always"}


@cache
def of_measure(name: str) -> tuple[Statistic, ...]:
    """Return the statistics of a measure, in the order of their columns."""
    return tuple(
        each for module in _MODULES if hasattr(module, "of_measure") for each in module.of_measure(MEASURES[name])
    )


@cache
def main_statistic_of(measure: str) -> Statistic:
    """Return the statistic by which a measure is reported, and cells are ranked."""
    return next(each for each in of_measure(measure) if each.compared)


def every() -> dict[str, Statistic]:
    """Return all statistics of cells by name, those of measures too."""
    return _of_all(tuple(ORDERED))


@cache
def _of_all(measures: tuple[str, ...]) -> dict[str, Statistic]:
    of_measures = (each for name in measures for each in of_measure(name))
    return {**COUNTS, **OF_CONVERGENCE, **{each.name: each for each in of_measures}, **NAMED}


def add_statistic(statistic: Statistic) -> None:
    """Add a statistic that is computed where it is named, or replace the one of its name."""
    NAMED[statistic.name] = statistic
    _of_all.cache_clear()


def synonyms() -> dict[str, str]:
    """Return the shorter names that users may give, with the names that they mean."""
    return {each.synonym: each.name for each in every().values() if each.synonym}


def measure_of(statistic: str) -> str | None:
    """Return the measure of a statistic, or None if it is one of convergence."""
    found = every().get(statistic)
    return (found and found.measure) or None
