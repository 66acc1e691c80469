"""The tables in the text of a study file, and values of the command line."""

from __future__ import annotations

import tomllib
from typing import Any

from sweep.errors import StudyError, cut


def read_tables(text: str, named: str) -> dict[str, Any]:
    """Return the tables of a study file by name; ``named`` is the file, for errors."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"study {named} is not valid TOML: {cut(str(error), 120)}") from None
    except RecursionError:
        raise StudyError(f"study {named} is nested too deeply; rows of numbers are the deepest level") from None
    except ValueError:
        raise StudyError(f"study {named} has an integer of too many digits; write it as a float, as 1e300") from None


def read_value(text: str) -> Any:
    """Return the value of a text in TOML; None if it is not one value."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # an integer may have too many digits, a list be too deep
        return None
    return table["value"] if len(table) == 1 else None
