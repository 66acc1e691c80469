"""The axes of a study: swept options, and those that vary together (``[[zip]]``, ``[[samples]]``, ``[[exclude]]``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sweep.errors import shown
from sweep.study.data import DATA_OPTIONS
from sweep.study.data_sets import SweptData
from sweep.study.exclusions import leave_out
from sweep.study.grid import Axis, combinations, n_combinations
from sweep.study.options import OptionTables
from sweep.study.parameters import Scalar
from sweep.study.patterns import MAX_PATTERNS
from sweep.study.samples import MAX_POINTS, read_sample
from sweep.study.swept_values import Reading, named_components, sweepable, swept_parameters, values_of_option
from sweep.system.formatting import list_text, name_text

# The lists of tables by which options vary together.
TOGETHER = ("zip", "samples", "exclude")


class Swept(NamedTuple):
    """What a study sweeps.

    Attributes
    ----------
    axes : list of Axis
        Those of one option, in file order, before those of several.
    sources : dict
        The key under which each option was given.
    """

    axes: list[Axis]
    sources: dict[str, str]


def read_axes(given: Mapping[str, Any], reading: Reading) -> Swept:
    """Return the axes of a study.

    Parameters
    ----------
    given
        The table ``parameters`` and the lists of tables ``zip``, ``samples`` and ``exclude``, as given.
    reading
        Where a sentence for each fault is appended.

    Returns
    -------
    Swept
        It must not be used if there is a fault.
    """
    faults = reading.faults
    n_faults = len(faults)
    parameters = swept_parameters(given["parameters"], reading)
    axes: list[Axis] = [{name: values} for name, values in parameters.items()]
    sources = {name: f"parameters.{name}" for name in parameters}
    for kind, read in (("zip", _read_zip), ("samples", read_sample)):
        for k, table in enumerate(tables_of(given, kind, faults)):
            key = f"{kind}[{k}]"
            axis = read(key, table, reading)
            faults += [f"{key}.{name}: given here and as {sources[name]}; give one" for name in axis if name in sources]
            axes.append(axis)
            sources |= {name: f"{key}.{name}" for name in axis}
    excluded = tables_of(given, "exclude", faults)
    if len(faults) == n_faults:
        axes = leave_out(axes, excluded, reading)
    axes = [_with_numbers(axis) for axis in axes]
    return Swept(sorted(axes, key=lambda axis: len(axis) > 1), sources)


def _with_numbers(axis: Axis) -> Axis:
    """Return an axis whose hidden units are numbers, if those of several layers, which are texts, were left out."""
    texts = [value for value in axis.get("hidden", ()) if isinstance(value, str)]
    if not texts or any("-" in text for text in texts):
        return axis
    return {**axis, "hidden": tuple(map(int, axis["hidden"]))}


def tables_of(given: Mapping[str, Any], kind: str, faults: list[str]) -> list[Any]:
    """Return a list of tables as given, empty by default; a single table is a list of one."""
    tables = given.get(kind)
    if isinstance(tables, Mapping):
        return [tables]
    if tables is not None and not isinstance(tables, list):
        faults.append(f"{kind}: {shown(tables)} given; must be a list of tables, in a file [[{kind}]]")
        return []
    return tables or []


def names_together(given: Mapping[str, Any], options: OptionTables) -> Iterator[tuple[str, str]]:
    """Yield each key of an option in ``[[zip]]`` and ``[[samples]]``, and its name, before any validation."""
    for kind in ("zip", "samples"):
        for k, table in enumerate(tables_of(given, kind, [])):
            for key in table if isinstance(table, Mapping) else ():
                name = sweepable(key, options)
                if name is not None:
                    yield f"{kind}[{k}].{key}", name


def swept_data(given: Mapping[str, Any], tables: OptionTables) -> SweptData:
    """Return the swept options of the table [data]; :func:`read_axes` says which values are refused, and why."""
    raw = given["parameters"]
    named = [sweepable(key, tables) for key in raw] if isinstance(raw, Mapping) else []
    options = {name for name in (*named, *(name for _, name in names_together(given, tables))) if name in DATA_OPTIONS}
    if not options:
        return SweptData((), 1, [()])
    alone = not tables_of(given, "exclude", []) and options.isdisjoint(
        name for _, name in names_together(given, tables)
    )
    if alone:
        given = {"parameters": {key: spec for key, spec in raw.items() if sweepable(key, tables) in options}}
    faults: list[str] = []
    axes = read_axes(given, Reading(tables, MAX_PATTERNS, faults)).axes
    names = tuple(name for axis in axes for name in axis if name in options)
    return SweptData(names, 0 if faults else n_combinations(axes, names), combinations(axes, names))


def _read_zip(key: str, table: Any, reading: Reading) -> Axis:
    """Return the points of a table of ``[[zip]]``: lists of options, whose k-th values go together."""
    faults = reading.faults
    if not isinstance(table, Mapping) or not table:
        faults.append(f"{key}: {shown(table)} given; must be a table of options with lists of values of equal length")
        return {}
    n_faults = len(faults)
    axis: dict[str, tuple[Scalar, ...]] = {}
    for dotted, name, spec in named_components(key, table, reading):
        axis[name] = values_of_option(reading, dotted, spec, name, distinct=len(table) == 1)
    if len(faults) > n_faults:
        return {}
    lengths = {name: len(values) for name, values in axis.items()}
    if len(set(lengths.values())) > 1:
        told = list_text([f"{n:,} of {name}" for name, n in lengths.items()])
        faults.append(f"{key}: lists of different lengths given ({told}); the k-th values of all go together")
        return {}
    rows = list(zip(*axis.values(), strict=True))
    if len(rows) > MAX_POINTS and len(axis) > 1:
        faults.append(f"{key}: {len(rows):,} points given; at most {MAX_POINTS:,} are allowed")
        return {}
    seen: set[tuple[Scalar, ...]] = set()
    for row in rows:
        if row in seen:
            point = name_text(dict(zip(axis, row, strict=True)), list(axis))
            faults.append(f"{key}: the point {point} is given twice; cells must differ")
            return {}
        seen.add(row)
    return axis
