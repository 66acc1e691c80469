"""Measures of runs, each declared in a module of this folder: how a run ended, and what its trained network is like."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from sweep.measures.measure import Measure


def _read() -> dict[str, Measure]:
    """Return the measures of all modules by name, in the order of their columns."""
    names = [each.name for each in pkgutil.iter_modules(__path__) if each.name != "measure" and not each.ispkg]
    found: list[Measure] = [import_module(f"{__name__}.{name}").MEASURE for name in names]
    return {measure.name: measure for measure in sorted(found, key=lambda measure: measure.place)}


MEASURES = _read()
# Those that only studies have that record them.
RECORDED = {name: measure for name, measure in MEASURES.items() if measure.is_recorded}
# Those that answers compare and rank by.
ORDERED = {name: measure for name, measure in MEASURES.items() if measure.is_ordered}
