"""Plain values: what Python users have (arrays, tuples, ranges, NumPy scalars) as lists and built-in scalars."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

# No array, list or range that a study takes is longer, or deeper: tables hold rows, rows hold numbers.
MAX_VALUES = 1_000_000
_LEVELS = 5

_PLAIN = frozenset((bool, int, float, str, type(None)))


def is_integer(value: Any) -> bool:
    """Tell whether a value is an integer, of Python or NumPy, and no truth value."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def plain(value: Any, levels: int = _LEVELS) -> Any:
    """Return dicts, lists and built-in scalars instead of what stands for them in Python.

    Tuples, ranges, NumPy arrays of any dimension, series and frames of pandas, tensors and
    whatever else has ``tolist`` or ``to_numpy`` become lists; NumPy scalars become bool, int,
    float and str, each exactly. Anything else is returned as it is, for validation to name.
    NumPy is not imported for it.

    Parameters
    ----------
    value
        What a user gave.
    levels
        How deep to go. What lies deeper is returned as it is.

    Examples
    --------
    >>> plain({"hidden": range(2, 5), "bias": (True, False)})
    {'hidden': [2, 3, 4], 'bias': [True, False]}
    """
    if type(value) in _PLAIN or levels == 0:
        return value
    if isinstance(value, Mapping):
        return {plain(key, 1): plain(item, levels - 1) for key, item in value.items()}
    if isinstance(value, range) and value[MAX_VALUES:]:
        return value  # too long to be written out
    if isinstance(value, (list, tuple, range)):
        items = list(value)
        return items if _PLAIN.issuperset(map(type, items)) else [plain(item, levels - 1) for item in items]
    listed = _listed(value)
    return value if listed is value else plain(listed, levels if isinstance(listed, list) else levels - 1)


def _listed(value: Any) -> Any:
    """Return an array as a list and a scalar of NumPy as one of Python; anything else as it is."""
    if isinstance(value, type):
        return value
    try:
        if hasattr(value, "tolist"):
            return value.tolist()
        return value.to_numpy().tolist() if hasattr(value, "to_numpy") else value
    except Exception:  # of somebody else's class, whatever it is
        return value
