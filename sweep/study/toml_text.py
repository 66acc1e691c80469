"""The tables in the text of a study file, which is inspected before it is parsed.

The parser's memory grows with the square of the number of parts of a key, and it takes seconds for millions of keys.
The inspection rejects such texts in a tenth of the time.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from sweep.errors import StudyError, cut
from sweep.study.data.pattern_files import MAX_PATTERNS

# A study has some sixty keys of at most two parts, and two lists of rows.
_MOST_KEYS, _MOST_PARTS = 1000, 8
_MOST_LISTS = 4 * MAX_PATTERNS

# Comments and quoted texts of all four kinds, terminated or not.
_TEXTS = re.compile(
    r"""\#[^\n]*|\"{3}(?:\"{0,2}(?:[^"\\]+|\\.))*+\"*|'{3}.*?(?:'{3}|\Z)|\"(?:[^"\\\n]+|\\.)*+\"?|'[^'\n]*'?""",
    re.DOTALL,
)
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){{{_MOST_PARTS}}}")


def read_tables(text: str, named: str) -> dict[str, Any]:
    """Return the tables of a study file.

    Parameters
    ----------
    text
        Text of the file.
    named
        Name of the file, for errors.

    Returns
    -------
    dict
        The tables by name.

    Raises
    ------
    StudyError
        If the text is not valid TOML, or has too many keys, parts of a key or lists.
    """
    fault = _size_fault(text)
    if fault:
        raise StudyError([f"study {named} {fault}"])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError([f"study {named} is not valid TOML: {cut(str(error), 120)}"]) from None
    except RecursionError:
        raise StudyError([f"study {named} is nested too deeply; rows of numbers are the deepest level"]) from None
    except ValueError:
        raise StudyError([f"study {named} has an integer of too many digits; write it as a float, as 1e300"]) from None


def read_value(text: str) -> Any:
    """Return the value of a text in TOML; None if it is not one value."""
    text = f"value = {text}"
    if _size_fault(text):
        return None
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError):  # an integer may have too many digits, a list be too deep
        return None
    return table["value"] if len(table) == 1 else None


def _size_fault(text: str) -> str | None:
    """Return the reason why a text is too large to be parsed, or None."""
    bare = _TEXTS.sub("x", text)
    if bare.count("[") > _MOST_LISTS:
        return f"must have at most {MAX_PATTERNS:,} patterns, got more than {_MOST_LISTS:,} lists"
    if bare.count("=") > _MOST_KEYS:
        return f"must have at most {_MOST_KEYS:,} keys, got {bare.count('='):,}"
    if _LONG_KEY.search(bare):
        return f"must have keys of at most two parts, as seeds.count; got one of more than {_MOST_PARTS}"
    return None
