"""Plain values: arrays, tuples, ranges and NumPy scalars converted to lists and built-in scalars."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from numbers import Integral
from typing import Any

# Limits of arrays, lists and ranges in a study: their length, and their depth.
MAX_VALUES = 100_000
_LEVELS = 5

_PLAIN = frozenset((bool, int, float, str, type(None)))


def is_integer(value: Any) -> bool:
    """Return whether a value is an integer of Python or NumPy, and not a bool."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Return whether a value is an integer or a float of Python, and not a bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Return whether a value is a number that is finite as a float."""
    return is_number(value) and abs(value) <= sys.float_info.max


def as_written(value: Any) -> Any:
    """Return a value of an option as users write it: a whole float as an integer, unless it has an exponent."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def plain(value: Any, levels: int = _LEVELS) -> Any:
    """Convert a value from a user to dicts, lists and built-in scalars.

    Tuples, ranges, NumPy arrays of any dimension, series and frames of pandas, tensors and whatever else has ``tolist``
    or ``to_numpy`` become lists; NumPy scalars become bool, int, float and str, each exactly. Anything else, and what
    lies deeper than ``levels``, is returned unchanged, so that validation reports it. NumPy is not imported.

    >>> plain({"hidden": range(2, 5), "bias": (True, False)})
    {'hidden': [2, 3, 4], 'bias': [True, False]}
    """
    if type(value) in _PLAIN or levels == 0:
        return value
    if isinstance(value, Mapping):
        return {plain(key, 1): plain(item, levels - 1) for key, item in value.items()}
    if isinstance(value, range) and value[MAX_VALUES:]:
        return value  # too long for a list
    if isinstance(value, (list, tuple, range)):
        items = list(value)
        return items if _PLAIN.issuperset(map(type, items)) else [plain(item, levels - 1) for item in items]
    listed = _listed(value)
    return value if listed is value else plain(listed, levels if isinstance(listed, list) else levels - 1)


def _listed(value: Any) -> Any:
    """Convert an array to a list and a NumPy scalar to a Python one; return anything else unchanged."""
    if isinstance(value, type):
        return value
    try:
        if getattr(getattr(value, "dtype", None), "kind", None) in ("M", "m"):
            return value  # dates and durations, whose tolist gives nanoseconds as integers
        if hasattr(value, "tolist"):
            return value.tolist()
        return value.to_numpy().tolist() if hasattr(value, "to_numpy") else value
    except Exception:  # any error of a foreign class
        return value
