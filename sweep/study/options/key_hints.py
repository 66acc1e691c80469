"""Suggestions for unknown keys of a study: the key that a name of another package means, or a similar key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kernels import vocabulary
from sweep.errors import closest, shown
from sweep.study.data.data_table import DATA_OPTIONS, Data
from sweep.study.options.declared import DECLARED
from sweep.study.options.other_sections import Record, Restarts, Seeds
from sweep.study.reading.hints import by_alias, meant_name, not_supported

_MOST_LISTED = 12


def known_keys() -> dict[str, Iterable[str]]:
    """Return the names of keys in other programs and papers."""
    tables = (Data, Seeds, Restarts, Record)
    extra: dict[str, Any] = {
        name: each.json_schema_extra for table in tables for name, each in table.model_fields.items()
    }
    return {
        **{each.name: each.also for section in DECLARED.values() for each in section},
        **{name: each.also for name, each in vocabulary.SETTINGS.items()},
        **{name: notes["names"] for name, notes in extra.items() if notes},
        **{name: each.names for name, each in DATA_OPTIONS.items()},
        "task": ("dataset",),
    }


_KEY_OF = by_alias(known_keys())


def meant_key(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed key that a name of another package means, or None.

    >>> meant_key("LR", ["learning_rate", "loss"])
    'learning_rate'
    """
    return meant_name(name, list(allowed), _KEY_OF)


def unknown_key(what: str, key: Any, allowed: Iterable[str], section_of: Mapping[str, str]) -> str:
    """Return a sentence on an unknown key, with a suggestion or the allowed keys, except dotted ones."""
    allowed = list(allowed)
    text = f"unknown {what} {shown(key)}"
    table, _, name = key.rpartition(".") if isinstance(key, str) else ("", "", "")
    if name not in section_of and table not in section_of.values() and meant_key(table, section_of):
        name = table  # as in race.first, for a key whose value is a table
    wish = not_supported(name)
    bare = [other for other in allowed if "." not in other]
    dotted = [other for other in allowed if "." in other]
    alias = None if name in bare else meant_key(name, bare)  # of a key in another table, suggest the dotted form
    in_other_table = f"{section_of.get(name)}.{name}"
    meant = alias or (in_other_table if in_other_table in dotted else closest(key, bare, dotted))
    meant = meant or (name if name in bare else None)
    if meant and f"seeds.{meant}" in allowed:
        meant = f"seeds.{meant}"  # since 'base' alone is not clear
    if meant:
        text += f"; did you mean {meant!r}?"
    elif wish:
        text += f": {wish}"
    else:
        if name in section_of:
            return f"{text}; it belongs in [{section_of[name]}]"
        elsewhere = meant_key(name, section_of)
        if elsewhere:
            return f"{text}; did you mean {elsewhere!r} of [{section_of[elsewhere]}]?"
    if len(bare) > _MOST_LISTED or wish:
        return f"{text}{'' if text.endswith('?') else ';'} 'sweep explain' lists all keys"
    return f"{text} Known: {', '.join(bare)}" if text.endswith("?") else f"{text}; known: {', '.join(bare)}"
