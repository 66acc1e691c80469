"""The tables in the text of a study file, which is inspected before it is parsed.

The parser's memory grows with the square of the parts of a key, and millions of keys take it seconds. Texts that no
study has are detected without it, in a tenth of the time.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from sweep.errors import StudyError, cut
from sweep.study.patterns import MAX_PATTERNS

# A study has some sixty keys, of two parts at most, and two lists of rows.
_MOST_KEYS, _MOST_PARTS = 1000, 8
_MOST_LISTS = 4 * MAX_PATTERNS

# Comments and quoted texts of all four kinds, also unterminated ones.
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
        If the text is not TOML, or has more keys, parts of a key or lists than a study can have.
    """
    fault = _fault_seen(text)
    if fault:
        raise StudyError([f"study {named} {fault}"])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError([f"study {named} is not valid TOML: {cut(str(error), 120)}"]) from None
    except RecursionError:
        raise StudyError([f"study {named} is nested too deeply; rows of numbers are the deepest there is"]) from None
    except ValueError:
        raise StudyError([f"study {named} holds an integer of too many digits"]) from None


def read_value(text: str) -> Any:
    """Return the value that a text is in TOML; None if it is not one value."""
    text = f"value = {text}"
    if _fault_seen(text):
        return None
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError):  # an integer may have too many digits, a list be too deep
        return None
    return table["value"] if len(table) == 1 else None


def _fault_seen(text: str) -> str | None:
    """Return the reason why a text is not parsed, or None."""
    bare = _TEXTS.sub("x", text)
    if bare.count("[") > _MOST_LISTS:
        return f"has more than {_MOST_LISTS:,} lists; at most {MAX_PATTERNS:,} patterns are allowed"
    if bare.count("=") > _MOST_KEYS:
        return f"has more than {_MOST_KEYS:,} keys; no study needs a tenth of them"
    if _LONG_KEY.search(bare):
        return f"has a key of more than {_MOST_PARTS} parts; keys have two at most, as seeds.count has"
    return None
