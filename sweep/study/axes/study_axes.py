"""The axes of a study: single swept options, and options that vary together ([[zip]], [[samples]], [[exclude]])."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sweep.errors import shown
from sweep.study.axes.exclusions import leave_out
from sweep.study.axes.grid import Axis, combinations, n_combinations
from sweep.study.axes.samples import MAX_POINTS, read_sample
from sweep.study.axes.swept_values import Reading, options_of_table, sweepable, swept_parameters, values_of_option
from sweep.study.data.data_sets import SweptData
from sweep.study.data.data_table import DATA_OPTIONS
from sweep.study.data.pattern_files import MAX_PATTERNS
from sweep.study.options.option_tables import OptionTables
from sweep.study.reading.value_forms import Scalar
from sweep.system.formatting import list_text, name_text

# The lists of tables that let options vary together.
TOGETHER = ("zip", "samples", "exclude")


class Swept(NamedTuple):
    """What a study sweeps.

    Attributes
    ----------
    axes : list of Axis
        Axes of one option, in file order, before those of several.
    sources : dict
        For each option, the key of its values.
    """

    axes: list[Axis]
    sources: dict[str, str]


def read_axes(raw: Mapping[str, Any], reading: Reading) -> Swept:
    """Return the axes of a study.

    Parameters
    ----------
    raw
        The table ``parameters`` and the lists of tables ``zip``, ``samples`` and ``exclude``, not yet validated.
    reading
        The context; faults are appended to its list.

    Returns
    -------
    Swept
        Not usable if there is a fault.
    """
    faults = reading.faults
    n_faults = len(faults)
    parameters = swept_parameters(raw["parameters"], reading)
    axes: list[Axis] = [{name: values} for name, values in parameters.items()]
    sources = {name: f"parameters.{name}" for name in parameters}
    for kind, read in (("zip", _read_zip), ("samples", read_sample)):
        for k, table in enumerate(tables_of(raw, kind, faults)):
            key = f"{kind}[{k}]"
            axis = read(key, table, reading)
            faults += [f"{key}.{name}: is also set as {sources[name]}; keep one" for name in axis if name in sources]
            axes.append(axis)
            sources |= {name: f"{key}.{name}" for name in axis}
    excluded = tables_of(raw, "exclude", faults)
    if len(faults) == n_faults:
        axes = leave_out(axes, excluded, reading)
    axes = [_with_integers(axis) for axis in axes]
    return Swept(sorted(axes, key=lambda axis: len(axis) > 1), sources)


def _with_integers(axis: Axis) -> Axis:
    """Return an axis with integer hidden units, if [[exclude]] left out all texts for several layers."""
    texts = [value for value in axis.get("hidden", ()) if isinstance(value, str)]
    if not texts or any("-" in text for text in texts):
        return axis
    return {**axis, "hidden": tuple(map(int, axis["hidden"]))}


def tables_of(raw: Mapping[str, Any], kind: str, faults: list[str]) -> list[Any]:
    """Return a list of tables, empty by default; a single table is a list of one."""
    tables = raw.get(kind)
    if isinstance(tables, Mapping):
        return [tables]
    if tables is not None and not isinstance(tables, list):
        faults.append(f"{kind}: must be a list of tables (in a file [[{kind}]]), got {shown(tables)}")
        return []
    return tables or []


def names_together(raw: Mapping[str, Any], options: OptionTables) -> Iterator[tuple[str, str]]:
    """Yield each key of an option in ``[[zip]]`` and ``[[samples]]``, and its name, before any validation."""
    for kind in ("zip", "samples"):
        for k, table in enumerate(tables_of(raw, kind, [])):
            for key in table if isinstance(table, Mapping) else ():
                name = sweepable(key, options)
                if name is not None:
                    yield f"{kind}[{k}].{key}", name


def swept_data(raw: Mapping[str, Any], tables: OptionTables) -> SweptData:
    """Return the swept options of the table [data]; :func:`read_axes` reports their faults."""
    parameters = raw["parameters"]
    alone = [sweepable(key, tables) for key in parameters] if isinstance(parameters, Mapping) else []
    together = [name for _, name in names_together(raw, tables)]
    options = {name for name in (*alone, *together) if name in DATA_OPTIONS}
    if not options:
        return SweptData((), 1, [()])
    if options.isdisjoint(together) and not tables_of(raw, "exclude", []):
        raw = {"parameters": {key: spec for key, spec in parameters.items() if sweepable(key, tables) in options}}
    faults: list[str] = []
    axes = read_axes(raw, Reading(tables, MAX_PATTERNS, faults)).axes
    names = tuple(name for axis in axes for name in axis if name in options)
    return SweptData(names, 0 if faults else n_combinations(axes, names), combinations(axes, names))


def _read_zip(key: str, table: Any, reading: Reading) -> Axis:
    """Return the points of a table of ``[[zip]]``: lists of values, whose k-th values form a point."""
    faults = reading.faults
    if not isinstance(table, Mapping) or not table:
        faults.append(f"{key}: must be a table of options with lists of values of equal length, got {shown(table)}")
        return {}
    n_faults = len(faults)
    axis: dict[str, tuple[Scalar, ...]] = {}
    for dotted, name, spec in options_of_table(key, table, reading):
        axis[name] = values_of_option(reading, dotted, spec, name, distinct=len(table) == 1)
    if len(faults) > n_faults:
        return {}
    lengths = {name: len(values) for name, values in axis.items()}
    if len(set(lengths.values())) > 1:
        counts = list_text([f"{n:,} of {name}" for name, n in lengths.items()])
        faults.append(f"{key}: lists must have equal lengths, since their k-th values form a point; got {counts}")
        return {}
    rows = list(zip(*axis.values(), strict=True))
    if len(rows) > MAX_POINTS and len(axis) > 1:
        faults.append(f"{key}: must have at most {MAX_POINTS:,} points, got {len(rows):,}")
        return {}
    seen: set[tuple[Scalar, ...]] = set()
    for row in rows:
        if row in seen:
            point = name_text(dict(zip(axis, row, strict=True)), list(axis))
            faults.append(f"{key}: points must differ, got {point} twice")
            return {}
        seen.add(row)
    return axis
