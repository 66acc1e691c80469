"""Swept parameters: the table [parameters] of a study, expanded and compared with the other tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sweep.errors import shown
from sweep.study.data.data_table import DATA_KEYS
from sweep.study.options.option_tables import REQUIRED, OptionTables, takes_integers
from sweep.study.options.other_sections import Seeds
from sweep.study.reading.faults import sentences
from sweep.study.reading.hints import unknown_key
from sweep.study.reading.value_forms import Scalar, expand

_NOT_SWEPT = {"dtype", *DATA_KEYS, *Seeds.model_fields, "seed", "seeds"}


class Reading(NamedTuple):
    """The context in which the swept options of a study are read.

    Attributes
    ----------
    tables
        The options that the study may use.
    n_patterns
        Number of its patterns.
    faults
        List to which one sentence per fault is appended.
    """

    tables: OptionTables
    n_patterns: int
    faults: list[str]


def swept_parameters(raw: Any, reading: Reading) -> dict[str, tuple[Scalar, ...]]:
    """Return the swept parameters, expanded and validated.

    Parameters
    ----------
    raw
        The table [parameters], not yet validated.
    reading
        The context; faults are appended to its list.

    Returns
    -------
    dict
        The values of each parameter by its name without the table. Not usable if there is a fault.
    """
    tables, faults = reading.tables, reading.faults
    if not isinstance(raw, Mapping):
        faults.append(f"parameters: must be a table (in Python a dict), got {shown(raw)}")
        return {}
    expanded: dict[str, tuple[Scalar, ...]] = {}
    for key, spec in raw.items():
        name = sweepable(key, tables)
        if name is None:
            faults.append(f"parameters: {_not_sweepable(key, tables)}")
        elif name in expanded:
            faults.append(f"parameters.{key}: {name} is set twice; keep one")
        else:
            expanded[name] = values_of_option(reading, f"parameters.{key}", spec, name)
    return expanded


def options_of_table(
    key: str, table: Mapping[Any, Any], reading: Reading, others: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, Any]]:
    """Yield dotted key, name and values of each option in a table of options that vary together.

    Parameters
    ----------
    key
        Key of the table, for errors.
    table
        The table, not yet validated.
    reading
        The context; unknown keys and options that occur twice are appended to its faults.
    others
        Keys that are not options.
    """
    known, seen = reading.tables.sweepable, set[str]()
    for inner, spec in table.items():
        name = sweepable(inner, reading.tables)
        if inner in others:
            continue
        if name is None:
            reading.faults.append(f"{key}: {unknown_key('key', inner, [*others, *known], dict(known))}")
        elif name in seen:
            reading.faults.append(f"{key}.{inner}: {name} is set twice; keep one")
        else:
            seen.add(name)
            yield f"{key}.{inner}", name, spec


def sweepable(key: Any, tables: OptionTables) -> str | None:
    """Return the option that a key of [parameters] names, with or without its table; None if it cannot be swept."""
    section, _, name = _dotted(key)
    name = name.replace(" ", "") if name.replace(" ", "") in tables.sweepable else name
    return name if name in tables.sweepable and section in ("", tables.sweepable[name]) else None


def values_of_option(reading: Reading, key: str, spec: Any, name: str, *, distinct: bool = True) -> tuple[Scalar, ...]:
    """Return the values of one swept option.

    Parameters
    ----------
    reading
        The context; faults are appended to its list.
    key
        The key of the values, for errors.
    spec
        As for :func:`sweep.study.reading.value_forms.expand`.
    name
        The option.
    distinct
        Whether values must differ.

    Returns
    -------
    tuple
        The values; not usable if there is a fault.
    """
    kind: Any = reading.tables.kinds[name]
    faults = reading.faults
    adapter: TypeAdapter[Any] = TypeAdapter(tuple[kind, ...], config=ConfigDict(strict=True))
    try:
        expanded = tuple(expand(spec, integer=takes_integers(kind)))
        values: tuple[Any, ...] = adapter.validate_python(expanded, context={"n_patterns": reading.n_patterns})
    except ValidationError as error:
        faults += sentences(error, key, [], reading.tables)
        return ()
    except ValueError as error:
        faults.append(f"{key}: {error}")
        return ()
    seen: set[Scalar] = set()
    for value in values:
        if value is None:
            faults.append(f"{key}: a value is missing")
        elif distinct and value in seen:
            faults.append(f"{key}: values must differ, got {value!r} twice")
            break
        seen.add(value)
    if any(isinstance(value, str) for value in values) and not all(isinstance(value, str) for value in values):
        if name == "hidden":
            return tuple(map(str, values))  # columns have one type
        faults.append(f"{key}: must be all numbers or all names, got both; a column has one type")
    return values


def _dotted(key: Any) -> tuple[str, str, str]:
    """Split a key into table, dot and name, all empty if it is not text."""
    return key.rpartition(".") if isinstance(key, str) else ("", "", "")


def _not_sweepable(key: Any, tables: OptionTables) -> str:
    if _dotted(key)[2] in _NOT_SWEPT:
        return f"{shown(key)} cannot be swept; make a study for each value (seeds are replicates: set them in [seeds])"
    dotted = [f"{section}.{name}" for name, section in tables.sweepable.items()]
    return unknown_key("parameter", key, [*tables.sweepable, *dotted], {})


def named_options(raw: Mapping[str, Any], swept: Mapping[str, str], known: OptionTables) -> set[str]:
    """Return the options that the tables of a study name, with a value or ``swept``."""
    tables = {section: table for section, table in raw.items() if isinstance(table, Mapping)}
    fixed = {name for name, option in known.options.items() if tables.get(option.section, {}).get(name) is not None}
    return fixed | swept.keys()


def keys_swept(raw: Any) -> dict[str, str]:
    """Return the key of each option of the table [parameters], before any validation."""
    return {(name := _dotted(key)[2]): f"parameters.{name}" for key in (raw if isinstance(raw, Mapping) else ())}


def set_twice_or_missing(raw: Mapping[str, Any], swept: Mapping[str, str], known: OptionTables) -> list[str]:
    """Return a sentence for each option that is set twice or is missing.

    Parameters
    ----------
    raw
        The tables of options by name, not yet validated.
    swept
        The key of each swept option.
    known
        The options of the study.

    Returns
    -------
    list of str
        Empty if there is none.
    """
    tables = {section: table for section, table in raw.items() if isinstance(table, Mapping)}
    faults = [
        f"{swept[name]}: is also set as {section}.{name}; keep one"
        for name, section in known.sweepable.items()
        if name in swept and name in tables.get(section, {})
    ]
    return faults + [
        f"{known.sweepable[name]}.{name}: is missing; set it there or sweep it in [parameters]"
        for name in REQUIRED
        if name not in swept and tables.get(known.sweepable[name], {}).get(name) is None
    ]
