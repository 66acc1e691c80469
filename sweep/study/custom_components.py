"""Custom components in a study: which it names, and how its canonical form declares them, without their code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kernels import vocabulary
from kernels.components.records import Setting
from kernels.custom.decorators import NAME, setting_fault, taken_names
from kernels.custom.registry import KINDS, Declaration, declared_components
from sweep.errors import shown
from sweep.study.cell_columns import reserved_columns
from sweep.study.options import OURS
from sweep.study.sections import Section

# The kind of components that a key of a study names.
_NAMED_BY = {"activation": "activation", "output": "activation", "loss": "loss", "optimizer": "optimizer"}
_TOP = (
    *("name", "description", "method", "data", "parameters", "zip", "samples", "exclude"),
    *("restarts", "seeds", "seed", "record", "components", *OURS.sections),
)
_KEYS = {"kind", "sha256", "settings", "elementary", "full_batch", "operations"}
_MOST_OPERATIONS = 10**6
_SHA256 = re.compile("[0-9a-f]{64}")


def custom_components(given: Mapping[str, Any], declared: Any, faults: list[str]) -> tuple[Declaration, ...]:
    """Return the declarations of custom components that a study names, in the order of their names.

    Parameters
    ----------
    given
        The tables of the study, as given.
    declared
        The table [components], which a canonical form has; other studies name components that this process knows.
    faults
        A sentence for each fault is appended to this list.

    Returns
    -------
    tuple of Declaration
    """
    found = {name: component.declaration for name, component in declared_components().items()}
    if declared is not None and not isinstance(declared, Mapping):
        faults.append(f"components: {shown(declared)} given; must be a table (in Python a dict)")
        declared = None
    for name, table in (declared or {}).items():
        fault = _fault(name, table)
        if fault:
            faults.append(f"components.{name}: {fault}")
        else:
            found[name] = _declaration(name, table)
    if not found:
        return ()
    named = set(_named(given))
    own = tuple(found[name] for name in sorted(found) if (found[name].kind, name) in named)
    faults += _shared_settings(own)
    return own


def components_table(own: Iterable[Declaration]) -> dict[str, Any]:
    """Return the table [components] of a canonical form, which declares the custom components."""
    return {each.name: _table(each) for each in own}


def _named(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the kinds and names of all components that tables name, ours among them."""
    tables = [given.get(table) for table in ("network", "training", "parameters")]
    for together in ("zip", "samples"):
        listed = given.get(together)
        tables += listed if isinstance(listed, list) else [listed]
    for values in tables:
        for key, value in values.items() if isinstance(values, Mapping) else ():
            kind = _NAMED_BY.get(str(key).rpartition(".")[2])
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


def _shared_settings(own: tuple[Declaration, ...]) -> Iterator[str]:
    """Yield a sentence for each setting whose name is taken, or that two components declare differently."""
    found: dict[str, tuple[Setting, str]] = {}
    taken = {*OURS.homes, *_TOP, *reserved_columns(), *vocabulary.INTEGERS, *dir(Section)} - vocabulary.OWN.keys()
    for component in own:
        for setting in component.settings:
            if setting.name in taken or setting.name.startswith("steps_to_"):
                yield f"components: setting {setting.name!r} of {component.name}: the name is taken; rename it"
            other, name = found.setdefault(setting.name, (setting, component.name))
            if other != setting:
                yield f"components: {name} and {component.name} declare {setting.name!r} differently; rename one"


def _table(component: Declaration) -> dict[str, Any]:
    """Return the declaration of a component as a table."""
    settings = [
        setting.name
        if setting.name in vocabulary.OWN
        else {name: value for name, value in setting._asdict().items() if value not in (None, "", ())}
        for setting in component.settings
    ]
    told: dict[str, Any] = {"kind": component.kind, "sha256": component.sha256}
    told |= {"settings": settings} if settings else {}
    return told | {
        flag: value for flag in ("elementary", "full_batch", "operations") if (value := getattr(component, flag))
    }


def _declaration(name: str, table: Mapping[str, Any]) -> Declaration:
    """Return the declaration in a table without faults."""
    settings = tuple(map(_setting, table.get("settings", ())))
    flags = {flag: table[flag] for flag in ("elementary", "full_batch", "operations") if flag in table}
    return Declaration(table["kind"], name, table["sha256"], settings, **flags)


def _setting(given: Any) -> Any:
    """Return a setting; anything else as it is."""
    if isinstance(given, str):
        return vocabulary.OWN.get(given, given)
    allowed = isinstance(given, Mapping) and {"name", "default"} <= given.keys() <= set(Setting._fields) - {"also"}
    return Setting(**{"meaning": "", **given}) if allowed else given


def _fault(name: Any, table: Any) -> str | None:
    """Return what is wrong with a declaration, or None."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in taken_names():
        return "must be named by at most 40 small letters, digits and _, as no component of xor-sweep is"
    if not isinstance(table, Mapping) or not {"kind", "sha256"} <= table.keys() <= _KEYS:
        return f"{shown(table)} given; must be a table with kind and sha256, as a canonical study has it"
    if table["kind"] not in KINDS:
        return f"kind {shown(table['kind'])} given; must be one of {', '.join(KINDS)}"
    if not isinstance(table["sha256"], str) or not _SHA256.fullmatch(table["sha256"]):
        return f"sha256 {shown(table['sha256'])} given; must be 64 hexadecimal digits"
    operations, settings = table.get("operations", 0), table.get("settings", [])
    if type(operations) is not int or not 0 <= operations <= _MOST_OPERATIONS:
        return f"operations {shown(operations)} given; must be an integer from 0 to {_MOST_OPERATIONS}"
    flags = [table[flag] for flag in ("elementary", "full_batch") if flag in table]
    if not isinstance(settings, (list, tuple)) or not all(type(flag) is bool for flag in flags):
        return "settings must be a list, and elementary and full_batch true or false"
    found = [(each, setting_fault(_setting(each))) for each in settings]
    return next((f"settings: {shown(each)} {fault}" for each, fault in found if fault), None)
