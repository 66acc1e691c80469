"""Swept parameters: the table [parameters] of a study, expanded and compared with the other tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sweep.errors import StudyError, shown
from sweep.study.data.data_table import DATA_KEYS, HELD_OUT_ARGUMENTS
from sweep.study.options.key_hints import unknown_key
from sweep.study.options.option_tables import OptionTables, takes_integers
from sweep.study.options.option_values import names_arrays
from sweep.study.options.other_sections import Seeds
from sweep.study.options.validation import sentences
from sweep.study.reading.faults import Faults
from sweep.study.reading.value_forms import Scalar, expand

_NOT_SWEPT = {*DATA_KEYS, *Seeds.model_fields, "seed", "seeds"}

V = TypeVar("V")


class Reading(NamedTuple):
    """The context in which the swept options of a study are read."""

    tables: OptionTables  # the options that the study may use
    n_patterns: int


def swept_parameters(raw: Any, reading: Reading) -> dict[str, tuple[Scalar, ...]]:
    """Return the values of each parameter of the table [parameters], by its name without the table."""
    if not isinstance(raw, Mapping):
        raise StudyError(f"parameters: must be a table (in Python a dict), got {shown(raw)}")
    unknown = partial(_not_sweepable, reading.tables)
    return read_options("parameters", raw, reading.tables, partial(values_of_option, reading), unknown)


def read_options(
    key: str,
    table: Mapping[Any, Any],
    tables: OptionTables,
    read: Callable[[str, Any, str], V],
    unknown: Callable[[Any], str],
) -> dict[str, V]:
    """Return by name what ``read`` makes of each option; ``unknown`` returns a sentence on a key that is no option."""
    found: dict[str, V] = {}
    faults = Faults()
    seen = set[str]()
    for inner, spec in table.items():
        name = sweepable(inner, tables)
        if name is None:
            faults.add(f"{key}: {unknown(inner)}")
        elif name in seen:
            faults.add(f"{key}.{inner}: {name} is set twice; keep one")
        else:
            seen.add(name)
            with faults.of(f"{key}.{inner}"):
                found[name] = read(f"{key}.{inner}", spec, name)
    faults.check()
    return found


def unknown_together(tables: OptionTables, others: tuple[str, ...], key: Any) -> str:
    """Return a sentence on an unknown key of a table of options that vary together, which may have other keys too."""
    return unknown_key("key", key, [*others, *tables.sweepable], dict(tables.sweepable))


def sweepable(key: Any, tables: OptionTables) -> str | None:
    """Return the option that a key of [parameters] names, with or without its table; None if it cannot be swept."""
    section, _, name = _dotted(key)
    name = name.replace(" ", "") if name.replace(" ", "") in tables.sweepable else name
    return name if name in tables.sweepable and section in ("", tables.sweepable[name]) else None


def values_of_option(reading: Reading, key: str, spec: Any, name: str, *, distinct: bool = True) -> tuple[Scalar, ...]:
    """Return the valid values of one swept option, from any form that ``expand`` reads; the key is for errors."""
    kind: Any = reading.tables.options[name].type
    spec = [spec] if names_arrays(spec) else spec
    adapter: TypeAdapter[Any] = TypeAdapter(tuple[kind, ...], config=ConfigDict(strict=True))
    try:
        expanded = tuple(expand(spec, integer=takes_integers(kind)))
        values: tuple[Any, ...] = adapter.validate_python(expanded, context={"n_patterns": reading.n_patterns})
    except ValidationError as error:
        raise StudyError(*sentences(error, key, [], reading.tables)) from None
    faults = Faults()
    seen = set[Scalar]()
    for value in values:
        if value is None:
            faults.add(f"{key}: a value is missing")
        elif distinct and value in seen:
            faults.add(f"{key}: values must differ, got {value!r} twice")
            break
        seen.add(value)
    are_texts = {isinstance(value, str) for value in values}
    if len(are_texts) > 1 and name != "hidden":  # whose column holds texts if one value is a text
        faults.add(f"{key}: must be all numbers or all names, got both; a column has one type")
    faults.check()
    return values


def _dotted(key: Any) -> tuple[str, str, str]:
    """Split a key into table, dot and name, all empty if it is not text."""
    return key.rpartition(".") if isinstance(key, str) else ("", "", "")


def _not_sweepable(tables: OptionTables, key: Any) -> str:
    if _dotted(key)[2] in _NOT_SWEPT:
        return f"{shown(key)} cannot be swept; make a study for each value (seeds are replicates: set them in [seeds])"
    dotted = [f"{section}.{name}" for name, section in tables.sweepable.items()]
    return unknown_key("parameter", key, [*tables.sweepable, *dotted], {})


def named_options(raw: Mapping[str, Any], swept: Mapping[str, str], known: OptionTables) -> set[str]:
    """Return the options that the tables of a study name, with a value or ``swept``."""
    tables = {section: table for section, table in raw.items() if isinstance(table, Mapping)}
    fixed = {name for name, option in known.options.items() if tables.get(option.section, {}).get(name) is not None}
    return fixed | swept.keys()


def set_twice_or_missing(raw: Mapping[str, Any], swept: Mapping[str, str], known: OptionTables) -> list[str]:
    """Return a sentence for each option that is set twice, in its table and in ``swept``, or is missing."""
    tables = {section: table for section, table in raw.items() if isinstance(table, Mapping)}
    faults = [
        f"{swept[name]}: is also set as {section}.{name}; keep one"
        for name, section in known.sweepable.items()
        if name in swept and name in tables.get(section, {})
    ]
    for name in swept.keys() & HELD_OUT_ARGUMENTS.keys():
        use, key = HELD_OUT_ARGUMENTS[name]
        table = tables.get("data", {}).get(use)
        if isinstance(table, Mapping) and key in table:
            faults.append(f"{swept[name]}: is also set as data.{use}.{key}; keep one")
    return faults + [
        f"{known.sweepable[name]}.{name}: is missing; set it in [{known.sweepable[name]}], or sweep it in [parameters]"
        for name, option in known.options.items()
        if option.is_required and name not in swept and tables.get(known.sweepable[name], {}).get(name) is None
    ]
