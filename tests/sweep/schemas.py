"""The schema of study files as a validator, for tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft4Validator

from sweep.study.schema import study_schema


@cache
def validator() -> Draft4Validator:
    """Return a validator for the schema."""
    return Draft4Validator(study_schema())


def accepts(tables: Any) -> bool:
    """Return whether the schema accepts a study."""
    return bool(validator().is_valid(tables))


def plain(value: Any) -> Any:
    """Return tables as in TOML: with lists in place of tuples, and without keys whose value is None."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if each is not None}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def with_option(section: str, key: str, value: Any) -> dict[str, Any]:
    """Return a study with a key of a table."""
    tables: dict[str, Any] = {"data": {"task": "xor"}}
    return {**tables, section: {**tables.get(section, {}), key: value}}
