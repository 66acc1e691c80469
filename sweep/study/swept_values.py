"""Swept parameters: the table [parameters] of a study, expanded and checked against the other tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sweep.errors import shown
from sweep.study.data import DATA_KEYS, DATA_WORDS
from sweep.study.hints import unknown_key
from sweep.study.messages import sentences
from sweep.study.parameters import Scalar, expand
from sweep.study.patterns import MAX_PATTERNS
from sweep.study.sections import Seeds
from sweep.study.words import OURS, REQUIRED, WordTables, takes_integers

_NOT_SWEPT = {"dtype", *DATA_KEYS, *Seeds.model_fields, "seed", "seeds"}


def swept_parameters(
    raw: Any, n_patterns: int, faults: list[str], tables: WordTables = OURS
) -> dict[str, tuple[Scalar, ...]]:
    """Return the swept parameters, expanded and validated.

    Parameters
    ----------
    raw
        The table [parameters] as given.
    n_patterns
        Patterns of the study.
    faults
        A sentence for each fault is appended to this list.
    tables
        The words of the study.

    Returns
    -------
    dict
        The values of each parameter by its name without the table. It must not be used if there is a fault.
    """
    if not isinstance(raw, Mapping):
        faults.append(f"parameters: {shown(raw)} given; must be a table (in Python a dict)")
        return {}
    expanded: dict[str, tuple[Scalar, ...]] = {}
    for key, spec in raw.items():
        section, _, name = _dotted(key)
        name = name.replace(" ", "") if name.replace(" ", "") in tables.sweepable else name
        if name not in tables.sweepable or section not in ("", tables.sweepable[name]):
            faults.append(f"parameters: {_not_sweepable(key, tables)}")
        elif name in expanded:
            faults.append(f"parameters.{key}: {name} is given twice; give one")
        else:
            expanded[name] = _values(f"parameters.{key}", spec, name, tables.kinds[name], n_patterns, faults)
    return expanded


def swept_data(raw: Any) -> dict[str, tuple[Scalar, ...]]:
    """Return the swept words of the table [data], no values for what is refused; :func:`swept_parameters` says why."""
    given = raw.items() if isinstance(raw, Mapping) else ()
    return swept_parameters({key: spec for key, spec in given if _dotted(key)[2] in DATA_WORDS}, MAX_PATTERNS, [])


def _values(key: str, spec: Any, name: str, kind: Any, n_patterns: int, faults: list[str]) -> tuple[Scalar, ...]:
    """Return the values of one parameter of a type, given under ``key``."""
    adapter: TypeAdapter[Any] = TypeAdapter(tuple[kind, ...], config=ConfigDict(strict=True))
    try:
        given = tuple(expand(spec, integer=takes_integers(kind)))
        values: tuple[Any, ...] = adapter.validate_python(given, context={"n_patterns": n_patterns})
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
        elif value in seen:
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


def _not_sweepable(key: Any, tables: WordTables) -> str:
    if _dotted(key)[2] in _NOT_SWEPT:
        return f"{shown(key)} cannot be swept; make a study for each value (seeds are replicates, under [seeds])"
    dotted = [f"{section}.{name}" for name, section in tables.sweepable.items()]
    return unknown_key("parameter", key, [*tables.sweepable, *dotted], {})


def words_given(given: Mapping[str, Any], known: WordTables) -> set[str]:
    """Return the words that the given tables name, with a value or swept."""
    tables = {section: table for section, table in given.items() if isinstance(table, Mapping)}
    fixed = {name for name, word in known.words.items() if tables.get(word.section, {}).get(name) is not None}
    return fixed | {_dotted(key)[2] for key in tables.get("parameters", {})}


def conflicts(given: Mapping[str, Any], known: WordTables) -> list[str]:
    """Return a sentence for each word that is given twice or is missing.

    Parameters
    ----------
    given
        The tables of words and [parameters] as given, by name.
    known
        The words of the study.

    Returns
    -------
    list of str
        Empty if there is none.
    """
    tables = {section: table for section, table in given.items() if isinstance(table, Mapping)}
    swept = {_dotted(key)[2] for key in tables.get("parameters", {})}
    faults = [
        f"parameters.{name}: given here and as {section}.{name}; give one"
        for name, section in known.sweepable.items()
        if name in swept and name in tables.get(section, {})
    ]
    return faults + [
        f"{known.sweepable[name]}.{name}: is missing; give it there or sweep it under [parameters]"
        for name in REQUIRED
        if name not in swept and tables.get(known.sweepable[name], {}).get(name) is None
    ]
