"""Errors of pydantic as sentences for users."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from sweep.errors import shown
from sweep.study.options.key_hints import unknown_key
from sweep.study.options.option_tables import BUILT_IN, OptionTables, known_tables
from sweep.study.options.option_values import names_arrays
from sweep.study.options.other_sections import Curves, Until
from sweep.study.reading.hints import value_hint
from sweep.study.reading.section import Section

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_NEEDS = {
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:,.10g}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of:g}",
    "finite_number": "a finite number",
    "float_type": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "too_long": "a list of {max_length}",
    "literal_error": "one of {expected}",
    "model_type": "a table (in Python a dict)",
    "dict_type": "a table (in Python a dict)",
}
# Tables within tables.
_INNER: dict[str, type[Section]] = {"record.curves": Curves, "seeds.until": Until}
_EXAMPLES = {"record.curves": "{ seeds = 20 }", "seeds.until": '{ best = "rate" }'}


def sentences(error: ValidationError, path: str, known_keys: list[str], tables: OptionTables) -> list[str]:
    """Return the faults of the table at a dotted key as sentences; ``known_keys`` are those that it may have."""
    return [_sentence(detail, path, known_keys, tables) for detail in error.errors(include_url=False)]


def _sentence(detail: ErrorDetails, path: str, known_keys: list[str], tables: OptionTables) -> str:
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind in ("extra_forbidden", "invalid_key"):
        inner = ".".join([path, *map(str, detail["loc"][:-1])])
        allowed = list(_INNER[inner].model_fields) if inner in _INNER else known_keys
        return f"{inner}: {unknown_key('key', detail['loc'][-1], allowed, tables.section_of)}"
    where = path + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
    if kind == "missing":
        return f"{where}: is missing"
    value = detail["input"]
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    is_several = isinstance(value, (list, dict)) and not names_arrays(value)
    if is_several and where.endswith(f".{name}") and name in tables.sweepable:
        several = " (for several layers a text such as '8-4')" if name == "hidden" else ""
        return f"{where}: must be one value{several}, got {shown(value)}; to sweep {name}, move it to [parameters]"
    if kind == "value_error":
        return f"{where}: {context['error']}"
    need = _NEEDS[kind].format(**context) if kind in _NEEDS else detail["msg"]
    need += f" such as {_EXAMPLES[where]}" if kind == "model_type" and where in _EXAMPLES else ""
    hint = ""
    if need == "an integer" and isinstance(value, float) and 0 < value < 2**31 and value.is_integer():
        hint = f"; write {int(value)}"
    if kind == "literal_error" and isinstance(value, str):
        key = where.partition("[")[0].rpartition(".")[2]
        custom, note = _custom_names(key)
        need += note
        hint = value_hint(value, [*re.findall(r"'([^']*)'", context["expected"]), *custom], key)
    return f"{where}: must be {need}, got {shown(value)}{hint}"


def _custom_names(key: str) -> tuple[list[str], str]:
    """Return the custom components of this process for a key, and a note on them for the allowed values."""
    if key not in ("activation", "output", "loss", "optimizer", "schedule"):
        return [], ""
    names = [name for name in known_tables().users[key] if name not in BUILT_IN.users[key]]
    listed = f", custom: {', '.join(map(repr, names))}" if names else ", or a custom component loaded by --plugin FILE"
    return names, listed
