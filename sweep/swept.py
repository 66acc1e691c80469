"""Swept parameters: the table [parameters] of a study, expanded and checked against the sections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sweep.errors import unknown
from sweep.faults import sentences
from sweep.parameters import Scalar, expand
from sweep.sections import REQUIRED, SECTIONS, SWEEPABLE, Data, Seeds


def swept_parameters(raw: Any, faults: list[str]) -> dict[str, tuple[Scalar, ...]]:
    """Expand and validate the swept parameters."""
    if not isinstance(raw, Mapping):
        faults.append(f"parameters: {raw!r} given; must be a table")
        return {}
    expanded: dict[str, tuple[Scalar, ...]] = {}
    for key, spec in raw.items():
        section, _, name = key.rpartition(".")
        if name not in SWEEPABLE or section not in ("", SWEEPABLE[name]):
            faults.append(f"parameters: {_not_sweepable(key)}")
            continue
        if name in expanded:
            faults.append(f"parameters.{key}: {name} is given twice; give one")
            continue
        kind: Any = get_type_hints(SECTIONS[SWEEPABLE[name]], include_extras=True)[name]
        adapter: TypeAdapter[Any] = TypeAdapter(tuple[kind, ...], config=ConfigDict(strict=True))
        try:
            values = adapter.validate_python(tuple(expand(spec, integer=name in ("hidden", "max_steps"))))
        except ValidationError as error:
            faults += sentences(error, f"parameters.{key}", [])
            continue
        except ValueError as error:
            faults.append(f"parameters.{key}: {error}")
            continue
        if len(set(values)) < len(values):
            twice = next(value for k, value in enumerate(values) if value in values[:k])
            faults.append(f"parameters.{key}: value {twice!r} given twice; cells must differ")
        if None in values:
            faults.append(f"parameters.{key}: a value is missing")
        expanded[name] = values
    return expanded


def _not_sweepable(key: str) -> str:
    name = key.rpartition(".")[2]
    if name in ("dtype", *Data.model_fields, "task", "file", *Seeds.model_fields, "seed"):
        return f"{key!r} cannot be swept; make a study for each value (seeds are replicates, under [seeds])"
    return unknown("parameter", key, list(SWEEPABLE))


def conflicts(given: Mapping[str, Any], parameters: Any) -> list[str]:
    """Say what is given twice or not at all."""
    swept = {key.rpartition(".")[2] for key in parameters} if isinstance(parameters, Mapping) else set()
    tables = {section: table for section, table in given.items() if isinstance(table, Mapping)}
    faults = [
        f"parameters.{name}: given here and as {section}.{name}; give one"
        for name, section in SWEEPABLE.items()
        if name in swept and name in tables.get(section, {})
    ]
    return faults + [
        f"{SWEEPABLE[name]}.{name}: is missing; give it there or sweep it under [parameters]"
        for name in REQUIRED
        if name not in swept and tables.get(SWEEPABLE[name], {}).get(name) is None
    ]
