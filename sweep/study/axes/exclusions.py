"""Exclusions: combinations of values that a study leaves out.

The axes that a table of ``[[exclude]]`` names become one axis, whose points are the remaining combinations. So cells
are still computed from axes, without a list of all cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from math import prod
from typing import Any

from sweep.errors import StudyError, shown
from sweep.study.axes.grid import Axis, points
from sweep.study.axes.samples import MAX_POINTS
from sweep.study.axes.swept_values import Reading, sweepable, values_of_option
from sweep.study.reading.faults import Faults
from sweep.study.reading.value_forms import Scalar
from sweep.system.formatting import list_text

_FORMS = "a value, a list of values, or { min = .., max = .. } with one or both ends, which are included"

# For each option of a table, whether a value is excluded.
_Conditions = dict[str, Callable[[Scalar], bool]]


def leave_out(axes: list[Axis], tables: Any, reading: Reading) -> list[Axis]:
    """Return axes without the combinations that satisfy all conditions of a table of ``[[exclude]]``.

    Axes that no table names stay as they are; the others are merged at the place of the first of them. A StudyError
    holds the faults of all tables.
    """
    faults = Faults()
    every = []
    for k, table in enumerate(tables):
        with faults.of(f"exclude[{k}]"):
            every.append(_conditions(f"exclude[{k}]", table, axes, reading))
    faults.check()
    groups = [{k} for k in range(len(axes))]  # axes that are merged
    for conditions in every:
        named = {k for k, axis in enumerate(axes) if not conditions.keys().isdisjoint(axis)}
        together = [group for group in groups if group & named]
        groups = [group for group in groups if not group & named] + [set().union(*together)]
    kept = []
    for group in sorted(groups, key=min):
        merged = [axes[i] for i in sorted(group)]
        names = {name for axis in merged for name in axis}
        these = {k: conditions for k, conditions in enumerate(every) if not names.isdisjoint(conditions)}
        with faults.of(f"exclude[{min(these, default=0)}]"):
            kept.append(_without(merged, these) if these else merged[0])
    faults.check()
    return kept


def _without(axes: list[Axis], tables: Mapping[int, _Conditions]) -> Axis:
    """Return one axis with the combinations of the points of some axes that no table excludes."""
    names = [name for axis in axes for name in axis]
    n_points = prod(len(next(iter(axis.values()))) for axis in axes)
    if n_points > MAX_POINTS and len(names) > 1:
        raise ValueError(
            f"must apply to at most {MAX_POINTS:,} combinations, got {n_points:,} of {list_text(names)}; name fewer "
            "options in one table"
        )
    used = dict.fromkeys(tables, False)
    kept = []
    for chosen in product(*map(list, map(points, axes))):
        point = {name: value for each in chosen for name, value in each.items()}
        is_out = False
        for k, conditions in tables.items():
            if all(holds(point[name]) for name, holds in conditions.items()):
                used[k] = is_out = True
        if not is_out:
            kept.append(tuple(point.values()))
    faults = [
        f"exclude[{k}]: must exclude some cell, but none has these values; remove it"
        for k, is_used in used.items()
        if not is_used
    ]
    if not kept:
        faults.append(f"exclude[{min(tables)}]: excludes every cell; keep some values of {list_text(names)}")
    if faults:
        raise StudyError(*faults)
    return dict(zip(names, zip(*kept, strict=True), strict=True))


def _conditions(key: str, table: Any, axes: list[Axis], reading: Reading) -> _Conditions:
    """Return the conditions of a table."""
    if not isinstance(table, Mapping) or not table:
        raise ValueError(f"must be a table of options with excluded values, got {shown(table)}")
    found: _Conditions = {}
    faults = Faults()
    for option, spec in table.items():
        name = sweepable(option, reading.tables)
        values = next((axis[name] for axis in axes if name in axis), None) if name else None
        if name is None or values is None:
            swept = list_text([each for axis in axes for each in axis]) or "nothing"
            faults.add(f"{key}: must name swept options, got {shown(option)}; this study sweeps {swept}")
        elif name in found:
            faults.add(f"{key}.{option}: {name} is set twice; keep one")
        else:
            found[name] = bool
            with faults.of(f"{key}.{option}"):
                if isinstance(spec, Mapping):
                    found[name] = _between(spec, values)
                else:
                    found[name] = _one_of(values_of_option(reading, f"{key}.{option}", spec, name), values)
    faults.check()
    return found


def _one_of(listed: tuple[Scalar, ...], values: tuple[Scalar, ...]) -> Callable[[Scalar], bool]:
    """Return the condition that an option has one of the excluded values, which must be among its ``values``."""
    foreign = [value for value in listed if value not in values]
    if foreign:
        raise ValueError(f"must be one of the swept values, got {shown(foreign[0])}; use {_FORMS}")
    return lambda value: value in listed


def _between(spec: Mapping[str, Any], values: tuple[Scalar, ...]) -> Callable[[Scalar], bool]:
    """Return the condition that an option lies between two ends, both included."""
    numbers = {name: end for name, end in spec.items() if isinstance(end, (int, float)) and not isinstance(end, bool)}
    if not spec or not spec.keys() <= {"min", "max"} or len(numbers) < len(spec):
        raise ValueError(f"must be {_FORMS}; got {shown(dict(spec))}")
    if any(isinstance(value, (str, bool)) for value in values):
        raise ValueError(f"must be a value or a list, since its values are not numbers; got {shown(dict(spec))}")
    low = numbers.get("min", float("-inf"))
    high = numbers.get("max", float("inf"))
    if not low <= high:
        raise ValueError(f"min must be at most max, got min {shown(low)} and max {shown(high)}")
    return lambda value: low <= float(value) <= high
