"""Measures of runs, each declared in a module of this folder: how a run ended, and what its trained network is like."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from sweep.measures.measure import Measure, at_best

# In the order of their columns: those of this folder, and custom ones that studies of this process name.
MEASURES: dict[str, Measure] = {}
# Those that studies can record.
RECORDED: dict[str, Measure] = {}
# Those that answers compare and rank by.
ORDERED: dict[str, Measure] = {}


def add_measure(measure: Measure) -> None:
    """Add a measure, unless there is one of its name."""
    if measure.name in MEASURES:
        return
    everything = sorted([*MEASURES.values(), measure], key=lambda measure: (measure.place, measure.name))
    recorded = [each for each in everything if each.is_recorded]
    ordered = [each for each in everything if each.kind != "name"]
    for group, found in ((MEASURES, everything), (RECORDED, recorded), (ORDERED, ordered)):
        group.clear()
        group.update({each.name: each for each in found})


for _module in pkgutil.iter_modules(__path__):
    if _module.name not in ("measure", "balanced", "custom", "curvature"):
        _measure = import_module(f"{__name__}.{_module.name}").MEASURE
        add_measure(_measure)
        if _measure.at_best:
            add_measure(at_best(_measure))
