"""The axes of a study: single swept options, and options that vary together ([[zip]], [[samples]], [[exclude]])."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sweep.errors import StudyError, shown
from sweep.study.axes.exclusions import leave_out
from sweep.study.axes.grid import Axis, combinations, n_combinations
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

# The lists of tables that let options vary together.
TOGETHER = ("zip", "samples", "exclude")


def read_axes(raw: Mapping[str, Any], reading: Reading) -> tuple[list[Axis], dict[str, str]]:
    """Return the axes of a study, and for each option the key of its values.

    They follow from the tables ``parameters``, ``zip``, ``samples`` and ``exclude`` in ``raw``. Axes of one option come
    first, in file order. A StudyError holds the faults of all tables.
    """
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
