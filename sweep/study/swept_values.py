"""Swept parameters: the table [parameters] of a study, expanded and checked against the other tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sweep.errors import shown
from sweep.study.data import DATA_KEYS
from sweep.study.hints import unknown_key
from sweep.study.messages import sentences
from sweep.study.options import REQUIRED, OptionTables, takes_integers
from sweep.study.parameters import Scalar, expand
from sweep.study.sections import Seeds

_NOT_SWEPT = {"dtype", *DATA_KEYS, *Seeds.model_fields, "seed", "seeds"}


class Reading(NamedTuple):
    """What it takes to read the swept options of a study.

    Attributes
    ----------
    tables
        The options that it may use.
    n_patterns
        Its patterns.
    faults
        Where a sentence for each fault is appended.
    """

    tables: OptionTables
    n_patterns: int
    faults: list[str]


def swept_parameters(raw: Any, reading: Reading) -> dict[str, tuple[Scalar, ...]]:
    """Return the swept parameters, expanded and validated.

    Parameters
    ----------
    raw
        The table [parameters] as given.
    reading
        Where a sentence for each fault is appended.

    Returns
    -------
    dict
        The values of each parameter by its name without the table. It must not be used if there is a fault.
    """
    tables, faults = reading.tables, reading.faults
    if not isinstance(raw, Mapping):
        faults.append(f"parameters: {shown(raw)} given; must be a table (in Python a dict)")
        return {}
    expanded: dict[str, tuple[Scalar, ...]] = {}
    for key, spec in raw.items():
        name = sweepable(key, tables)
        if name is None:
            faults.append(f"parameters: {_not_sweepable(key, tables)}")
        elif name in expanded:
            faults.append(f"parameters.{key}: {name} is given twice; give one")
        else:
            expanded[name] = values_of_option(reading, f"parameters.{key}", spec, name)
    return expanded


def named_components(
    key: str, table: Mapping[Any, Any], reading: Reading, others: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, Any]]:
    """Yield the dotted key, the name and the values as given of each option of a table of options that vary together.

    Parameters
    ----------
    key
        Key of the table, for errors.
    table
        As given.
    reading
        Where a sentence for each other key, and for each option that is given twice, is appended.
    others
        Keys that are no options.
    """
    known, seen = reading.tables.sweepable, set[str]()
    for given, spec in table.items():
        name = sweepable(given, reading.tables)
        if given in others:
            continue
        if name is None:
            reading.faults.append(f"{key}: {unknown_key('key', given, [*others, *known], dict(known))}")
        elif name in seen:
            reading.faults.append(f"{key}.{given}: {name} is given twice; give one")
        else:
            seen.add(name)
            yield f"{key}.{given}", name, spec


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
        Where a sentence for each fault is appended.
    key
        The key under which they are given, for errors.
    spec
        As of :func:`sweep.study.parameters.expand`.
    name
        The option.
    distinct
        Whether no value may be given twice.

    Returns
    -------
    tuple
        The values; they must not be used if there is a fault.
    """
    kind: Any = reading.tables.kinds[name]
    faults = reading.faults
    adapter: TypeAdapter[Any] = TypeAdapter(tuple[kind, ...], config=ConfigDict(strict=True))
    try:
        given = tuple(expand(spec, integer=takes_integers(kind)))
        values: tuple[Any, ...] = adapter.validate_python(given, context={"n_patterns": reading.n_patterns})
    except ValidationError as error:
        faults += sentences(error, key, [])
        return ()
    except ValueError as error:
        faults.append(f"{key}: {error}")
        return ()
    seen: set[Scalar] = set()
    for value in values:
        if value is None:
            faults.append(f"{key}: a value is missing")
        elif distinct and value in seen:
            faults.append(f"{key}: value {value!r} given twice; cells must differ")
            break
        seen.add(value)
    if any(isinstance(value, str) for value in values) and not all(isinstance(value, str) for value in values):
        if name == "hidden":
            return tuple(map(str, values))  # columns have one type
        faults.append(f"{key}: numbers and names given; give one or the other, as columns have one type")
    return values


def _dotted(key: Any) -> tuple[str, str, str]:
    """Split a key into table, dot and name, all empty if it is not text."""
    return key.rpartition(".") if isinstance(key, str) else ("", "", "")


def _not_sweepable(key: Any, tables: OptionTables) -> str:
    if _dotted(key)[2] in _NOT_SWEPT:
        return f"{shown(key)} cannot be swept; make a study for each value (seeds are replicates, under [seeds])"
    dotted = [f"{section}.{name}" for name, section in tables.sweepable.items()]
    return unknown_key("parameter", key, [*tables.sweepable, *dotted], {})


def options_given(given: Mapping[str, Any], swept: Mapping[str, str], known: OptionTables) -> set[str]:
    """Return the options that the given tables name, with a value or ``swept``."""
    tables = {section: table for section, table in given.items() if isinstance(table, Mapping)}
    fixed = {name for name, option in known.options.items() if tables.get(option.section, {}).get(name) is not None}
    return fixed | swept.keys()


def keys_swept(raw: Any) -> dict[str, str]:
    """Return the key of each option of the table [parameters], before any validation."""
    return {(name := _dotted(key)[2]): f"parameters.{name}" for key in (raw if isinstance(raw, Mapping) else ())}


def conflicts(given: Mapping[str, Any], swept: Mapping[str, str], known: OptionTables) -> list[str]:
    """Return a sentence for each option that is given twice or is missing.

    Parameters
    ----------
    given
        The tables of options as given, by name.
    swept
        The key of each swept option.
    known
        The options of the study.

    Returns
    -------
    list of str
        Empty if there is none.
    """
    tables = {section: table for section, table in given.items() if isinstance(table, Mapping)}
    faults = [
        f"{swept[name]}: given here and as {section}.{name}; give one"
        for name, section in known.sweepable.items()
        if name in swept and name in tables.get(section, {})
    ]
    return faults + [
        f"{known.sweepable[name]}.{name}: is missing; give it there or sweep it under [parameters]"
        for name in REQUIRED
        if name not in swept and tables.get(known.sweepable[name], {}).get(name) is None
    ]
