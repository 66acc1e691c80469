"""The faults of a study, collected while it is read, and errors of pydantic as sentences for users."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from pydantic import ValidationError

from sweep.errors import StudyError, shown
from sweep.study.reading.hints import meant_value, not_supported, unknown_key

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
    "int_type": "an integer",
    "int_from_float": "an integer",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "literal_error": "one of {expected}",
    "model_type": "a table (in Python a dict)",
    "dict_type": "a table (in Python a dict)",
}


class Faults:
    """A collector of faults, so that users see those of all tables at once.

    Attributes
    ----------
    sentences : list of str
        A sentence for each fault.

    Examples
    --------
    >>> faults = Faults()
    >>> with faults.of("seeds.count"):
    ...     raise ValueError("must be at least 1, got 0")
    >>> faults.sentences
    ['seeds.count: must be at least 1, got 0']
    """

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def __bool__(self) -> bool:
        """Return whether there is a fault."""
        return bool(self.sentences)

    def add(self, *sentences: str) -> None:
        """Add faults."""
        self.sentences += sentences

    @contextmanager
    def of(self, key: str) -> Iterator[None]:
        """Collect the faults of a block of code: all of a StudyError, or a ValueError on a key."""
        try:
            yield
        except StudyError as error:
            self.add(*error.faults)
        except ValueError as error:
            self.add(f"{key}: {error}")

    def check(self) -> None:
        """Raise a StudyError with the faults, if there are any."""
        if self.sentences:
            raise StudyError(*self.sentences)


class KnownKeys(Protocol):
    """What sentences on unknown keys and values need of the options of a study."""

    @property
    def section_of(self) -> Mapping[str, str]:
        """The table of every key that can be changed."""

    @property
    def sweepable(self) -> Mapping[str, str]:
        """The table of each option that can be swept."""

    @property
    def inner_keys(self) -> Mapping[str, list[str]]:
        """The keys of tables within tables, by their dotted key."""

    def custom_names(self, key: str) -> list[str] | None:
        """Return the custom components of this process for a key; None if it names no component."""


def sentences(error: ValidationError, path: str, known_keys: list[str], known: KnownKeys) -> list[str]:
    """Return the faults of a table as sentences.

    Parameters
    ----------
    error
        The error of the table's validation.
    path
        Dotted key of the table in the study file.
    known_keys
        Keys that the table may have.
    known
        The keys of the study.
    """
    return [_sentence(detail, path, known_keys, known) for detail in error.errors(include_url=False)]


def _sentence(detail: ErrorDetails, path: str, known_keys: list[str], known: KnownKeys) -> str:
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind in ("extra_forbidden", "invalid_key"):
        inner = ".".join([path, *map(str, detail["loc"][:-1])])
        allowed = known.inner_keys.get(inner, known_keys)
        return f"{inner}: {unknown_key('key', detail['loc'][-1], allowed, known.section_of)}"
    where = path + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
    if kind == "missing":
        return f"{where}: is missing"
    value = detail["input"]
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    if isinstance(value, (list, dict)) and where.endswith(f".{name}") and name in known.sweepable:
        several = " (for several layers a text such as '8-4')" if name == "hidden" else ""
        return f"{where}: must be one value{several}, got {shown(value)}; to sweep {name}, move it to [parameters]"
    if kind == "value_error":
        return f"{where}: {context['error']}"
    need = _NEEDS[kind].format(**context) if kind in _NEEDS else detail["msg"]
    hint = ""
    if kind == "literal_error" and isinstance(value, str):
        custom = known.custom_names(where.partition("[")[0].rpartition(".")[2])
        need += _custom_note(custom)
        meant = meant_value(value, [*re.findall(r"'([^']*)'", context["expected"]), *(custom or [])])
        wish = not_supported(value)
        hint = f"; did you mean {meant!r}?" if meant else f"; {wish}" if wish else ""
    return f"{where}: must be {need}, got {shown(value)}{hint}"


def _custom_note(names: list[str] | None) -> str:
    """Return what the allowed values say of custom components."""
    if names is None:
        return ""
    return f", custom: {', '.join(map(repr, names))}" if names else ", or a custom component loaded by --plugin FILE"
