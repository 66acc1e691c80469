"""Custom components in a study: those that it names, and their declarations, without code, in its canonical form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from kernels import vocabulary
from kernels.components.declarations import OF_CUSTOM_SETTINGS, Setting
from kernels.custom.decorators import NAME, setting_fault, taken_names, text_fault
from kernels.custom.registry import FACTS, KINDS, Declaration, declared_components
from sweep.columns import reserved_columns
from sweep.errors import StudyError, shown
from sweep.measures import MEASURES, add_measure
from sweep.measures.custom import CUSTOM_PLACE, custom_measure
from sweep.study.options.option_tables import BUILT_IN
from sweep.study.reading.faults import Faults
from sweep.study.reading.section import Section

# For each key that names components, their kind.
_NAMED_BY = {"output": "activation", **{key: key for key in ("activation", "loss", "optimizer", "schedule")}}
_TOP = (
    *("name", "description", "method", "data", "parameters", "zip", "samples", "exclude"),
    *("restarts", "seeds", "seed", "record", "components", *BUILT_IN.sections),
)
_KEYS = {"kind", "sha256", "settings", *FACTS}
_FLAGS = ("elementary", "full_batch", "more_is_better")
_TEXTS = ("label", "unit", "meaning")
_MOST_OPERATIONS = 10**6
_SHA256 = re.compile("[0-9a-f]{64}")


def custom_components(raw: Mapping[str, Any], faults: Faults) -> tuple[Declaration, ...]:
    """Return the declarations of custom components that a study names, of this process or of its table [components]."""
    found = {name: component.declaration for name, component in declared_components().items()}
    declared = {} if raw["components"] is None else raw["components"]
    if not isinstance(declared, Mapping):
        faults.add(f"components: must be a table (in Python a dict), got {shown(declared)}")
        declared = {}
    for name, table in declared.items():
        fault = _fault(name, table)
        if fault:
            faults.add(f"components.{name}: {fault}")
        else:
            found[name] = _declaration(name, table)
    named = set(_named(raw))
    for kind, name in sorted(named):
        if kind == "measure" and name not in found and name in MEASURES and MEASURES[name].place == CUSTOM_PLACE:
            faults.add(f"record.measures: {name} is a custom measure; load its file with --plugin FILE")
    if not found:
        return ()
    custom = tuple(found[name] for name in sorted(found) if (found[name].kind, name) in named)
    faults.add(*_setting_conflicts(custom))
    for each in custom:
        fault = _measure_fault(each) if each.kind == "measure" else None
        if fault:  # at once, or record.measures would find its name unknown, which misleads
            raise StudyError(*faults.sentences, f"components.{each.name}: {fault}")
        if each.kind == "measure":
            add_measure(custom_measure(each))
    return custom


def components_table(custom: Iterable[Declaration]) -> dict[str, Any]:
    """Return the table [components] of a canonical form, which declares the custom components."""
    return {each.name: _table(each) for each in custom}


def _named(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield kind and name of every component and measure that the tables name, built in or custom."""
    record = raw.get("record")
    if isinstance(record, Mapping):
        yield from (("measure", name) for name in _texts(record.get("measures")))
    tables = [raw.get(table) for table in ("network", "training", "parameters")]
    for together in ("zip", "samples"):
        listed = raw.get(together)
        tables += listed if isinstance(listed, list) else [listed]
    for values in tables:
        for key, value in values.items() if isinstance(values, Mapping) else ():
            kind = _NAMED_BY.get(key.rpartition(".")[2]) if isinstance(key, str) else None
            if kind:
                yield from ((kind, text) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in tables and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)


def _setting_conflicts(custom: tuple[Declaration, ...]) -> Iterator[str]:
    """Yield a sentence for each setting with a reserved name, or with different declarations by two components."""
    found: dict[str, tuple[Setting, str]] = {}
    reserved = {
        *BUILT_IN.section_of,
        *_TOP,
        *reserved_columns(),
        *vocabulary.INTEGERS,
        *dir(Section),
    } - vocabulary.COMPONENT_SETTINGS.keys()
    for component in custom:
        for setting in component.settings:
            if setting.name in reserved or setting.name.startswith("steps_to_"):
                yield f"components.{component.name}: the name of setting {setting.name!r} is reserved; rename it"
            other, name = found.setdefault(setting.name, (setting, component.name))
            if other != setting:
                yield f"components: {name} and {component.name} declare {setting.name!r} differently; rename one"


def _measure_fault(declared: Declaration) -> str | None:
    """Return why a study cannot record a custom measure, or None."""
    measure = custom_measure(declared)
    known = MEASURES.get(declared.name)
    if known and known.place == CUSTOM_PLACE:
        if replace(known, compute=None) != replace(measure, compute=None):
            return (
                "another measure of this name has another label, unit, meaning or direction; rename one, or restart "
                "Python"
            )
        return None
    names = {declared.name, *(f"{declared.name}_{end}" for end in ("q25", "q50", "q75", "mean"))}
    taken = names & {*BUILT_IN.section_of, *_TOP, *reserved_columns(), *vocabulary.INTEGERS}
    if taken or declared.name.startswith("steps_to_"):
        return f"the name is that of an option or a column, {min(taken, default='steps_to_x')}; rename the measure"
    return None


def _table(component: Declaration) -> dict[str, Any]:
    settings = [
        setting.name
        if setting.name in vocabulary.COMPONENT_SETTINGS
        else {name: value for name in OF_CUSTOM_SETTINGS if (value := getattr(setting, name)) not in (None, "")}
        for setting in component.settings
    ]
    table: dict[str, Any] = {"kind": component.kind, "sha256": component.sha256}
    table |= {"settings": settings} if settings else {}
    facts = {fact: getattr(component, fact) for fact in FACTS}
    return table | {fact: value for fact, value in facts.items() if value}


def _declaration(name: str, table: Mapping[str, Any]) -> Declaration:
    settings = tuple(map(_setting, table.get("settings", ())))
    stated = {fact: table[fact] for fact in FACTS if fact in table}
    return Declaration(table["kind"], name, table["sha256"], settings, **stated)


def _setting(value: Any) -> Any:
    """Return the setting that a name or a table declares; return anything else unchanged."""
    if isinstance(value, str):
        return vocabulary.COMPONENT_SETTINGS.get(value, value)
    allowed = isinstance(value, Mapping) and {"name", "default"} <= value.keys() <= set(OF_CUSTOM_SETTINGS)
    return Setting(**{"meaning": "", **value}) if allowed else value


def _fault(name: Any, table: Any) -> str | None:
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in taken_names():
        return "the name must be at most 40 lower-case letters, digits and _, and not that of a built-in component"
    if not isinstance(table, Mapping) or not {"kind", "sha256"} <= table.keys() <= _KEYS:
        return f"must be a table with kind and sha256, as in a canonical study; got {shown(table)}"
    if table["kind"] not in KINDS:
        return f"kind must be one of {', '.join(KINDS)}; got {shown(table['kind'])}"
    if not isinstance(table["sha256"], str) or not _SHA256.fullmatch(table["sha256"]):
        return f"sha256 must be 64 hexadecimal digits, got {shown(table['sha256'])}"
    operations = table.get("operations", 0)
    settings = table.get("settings", [])
    if type(operations) is not int or not 0 <= operations <= _MOST_OPERATIONS:
        return f"operations must be an integer from 0 to {_MOST_OPERATIONS}, got {shown(operations)}"
    flags = [table[flag] for flag in _FLAGS if flag in table]
    if not isinstance(settings, (list, tuple)) or not all(type(flag) is bool for flag in flags):
        return f"settings must be a list, and {', '.join(_FLAGS)} must be true or false"
    if table["kind"] == "measure" and not table.get("label"):
        return "a measure must have a label"
    for name in _TEXTS:
        fault = text_fault(table.get(name, ""))
        if fault:
            return f"{name} {fault}, got {shown(table[name])}"
    found = [(each, setting_fault(_setting(each))) for each in settings]
    return next((f"settings: {shown(each)} {fault}" for each, fault in found if fault), None)
