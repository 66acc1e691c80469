"""The axes of a study: single swept options, and options that vary together ([[zip]], [[samples]], [[exclude]])."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from math import prod
from typing import Any

from sweep.errors import StudyError, shown
from sweep.study.axes.grid import Axis, combinations, n_combinations, points
from sweep.study.axes.samples import MAX_POINTS, read_sample
from sweep.study.axes.swept_values import (
    Reading,
    read_options,
    sweepable,
    swept_parameters,
    unknown_together,
    values_of_option,
)
from sweep.study.data.data_sets import SweptData
from sweep.study.data.data_table import DATA_OPTIONS
from sweep.study.data.pattern_files import MAX_PATTERNS
from sweep.study.options.option_tables import OptionTables
from sweep.study.reading.faults import Faults
from sweep.study.reading.value_forms import Scalar
from sweep.system.formatting import list_text, name_text
from sweep.system.plain_values import is_number

# The lists of tables that let options vary together.
TOGETHER = ("zip", "samples", "exclude")


def read_axes(raw: Mapping[str, Any], reading: Reading) -> tuple[list[Axis], dict[str, str]]:
    """Return the axes of a study, those of one option first, and for each option the key of its values."""
    faults = Faults()
    axes: list[Axis] = []
    sources = swept_keys({"parameters": raw["parameters"]}, reading.tables)
    with faults.of("parameters"):
        axes += [{name: values} for name, values in swept_parameters(raw["parameters"], reading).items()]
    for kind, read in (("zip", _read_zip), ("samples", read_sample)):
        with faults.of(kind):
            for k, table in enumerate(tables_of(raw, kind)):
                key = f"{kind}[{k}]"
                with faults.of(key):
                    axis = read(key, table, reading)
                    for name in filter(sources.__contains__, axis):
                        faults.add(f"{key}.{name}: is also set as {sources[name]}; keep one")
                    axes.append(axis)
                    sources |= {name: f"{key}.{name}" for name in axis}
    with faults.of("exclude"):
        excluded = tables_of(raw, "exclude")
        if not faults:
            axes = leave_out(axes, excluded, reading)
    faults.check()
    return sorted(map(_with_one_type, axes), key=lambda axis: len(axis) > 1), sources


def _with_one_type(axis: Axis) -> Axis:
    """Return an axis whose hidden units are all texts if one of them is a text for several layers, as 8-4."""
    hidden = axis.get("hidden", ())
    return {**axis, "hidden": tuple(map(str, hidden))} if any(isinstance(each, str) for each in hidden) else axis


def tables_of(raw: Mapping[str, Any], kind: str) -> list[Any]:
    """Return a list of tables, empty by default; a single table is a list of one."""
    tables = raw.get(kind)
    if isinstance(tables, Mapping):
        return [tables]
    if tables is not None and not isinstance(tables, list):
        raise ValueError(f"must be a list of tables (in a file [[{kind}]]), got {shown(tables)}")
    return tables or []


def swept_keys(raw: Mapping[str, Any], options: OptionTables) -> dict[str, str]:
    """Return the key of each option that a study sweeps, before any validation."""
    found = {}
    parameters = raw["parameters"]
    for key in parameters if isinstance(parameters, Mapping) else ():
        if isinstance(key, str):
            name = sweepable(key, options) or key.rpartition(".")[2]
            found[name] = f"parameters.{name}"
    for kind in ("zip", "samples"):
        tables = raw.get(kind)
        for k, table in enumerate(tables if isinstance(tables, list) else [tables]):
            for key in table if isinstance(table, Mapping) else ():
                together = sweepable(key, options)
                if together is not None:
                    found[together] = f"{kind}[{k}].{key}"
    return found


def swept_data(raw: Mapping[str, Any], tables: OptionTables) -> SweptData | None:
    """Return the swept options of the table [data]; None if an axis is not valid, which :func:`read_axes` reports."""
    options = {name: key for name, key in swept_keys(raw, tables).items() if name in DATA_OPTIONS}
    if not options:
        return SweptData((), 1, [()])
    if not raw.get("exclude") and all(key.startswith("parameters.") for key in options.values()):
        parameters = raw["parameters"]
        raw = {"parameters": {key: spec for key, spec in parameters.items() if sweepable(key, tables) in options}}
    try:
        axes, _ = read_axes(raw, Reading(tables, MAX_PATTERNS))
    except StudyError:
        return None
    names = tuple(name for axis in axes for name in axis if name in options)
    return SweptData(names, n_combinations(axes, names), combinations(axes, names))


def _read_zip(key: str, table: Any, reading: Reading) -> Axis:
    """Return the points of a table of ``[[zip]]``: lists of values, whose k-th values form a point."""
    if not isinstance(table, Mapping) or not table:
        raise ValueError(f"must be a table of options with lists of values of equal length, got {shown(table)}")
    read = partial(values_of_option, reading, distinct=len(table) == 1)
    axis = read_options(key, table, reading.tables, read, partial(unknown_together, reading.tables, ()))
    lengths = {name: len(values) for name, values in axis.items()}
    if len(set(lengths.values())) > 1:
        counts = list_text([f"{n:,} of {name}" for name, n in lengths.items()])
        raise ValueError(f"lists must have equal lengths, since their k-th values form a point; got {counts}")
    rows = list(zip(*axis.values(), strict=True))
    if len(rows) > MAX_POINTS and len(axis) > 1:
        raise ValueError(f"must have at most {MAX_POINTS:,} points, got {len(rows):,}")
    seen: set[tuple[Scalar, ...]] = set()
    for row in rows:
        if row in seen:
            point = name_text(dict(zip(axis, row, strict=True)), list(axis))
            raise ValueError(f"points must differ, got {point} twice")
        seen.add(row)
    return axis


_FORMS = "a value, a list of values, or { min = .., max = .. } with one or both ends, which are included"

# For each option of a table, whether a value is excluded.
_Conditions = dict[str, Callable[[Scalar], bool]]


def leave_out(axes: list[Axis], tables: Any, reading: Reading) -> list[Axis]:
    """Return axes without combinations that a table of ``[[exclude]]`` excludes; the axes that it names are merged."""
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
    numbers = {name: end for name, end in spec.items() if is_number(end)}
    if not spec or not spec.keys() <= {"min", "max"} or len(numbers) < len(spec):
        raise ValueError(f"must be {_FORMS}; got {shown(dict(spec))}")
    if any(isinstance(value, (str, bool)) for value in values):
        raise ValueError(f"must be a value or a list, since its values are not numbers; got {shown(dict(spec))}")
    low = numbers.get("min", float("-inf"))
    high = numbers.get("max", float("inf"))
    if not low <= high:
        raise ValueError(f"min must be at most max, got min {shown(low)} and max {shown(high)}")
    return lambda value: low <= float(value) <= high
