"""Expand swept parameters: from a line of the study file to the list of values."""

from __future__ import annotations

import decimal
import sys
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sweep.errors import unknown

Scalar = bool | int | float | str

_KEYS = ["value", "values", "min", "max", "num", "distribution"]
_DISTRIBUTIONS = ["uniform", "log_uniform_values", "int_uniform"]
MAX_VALUES = 1_000_000


def expand(spec: Any, integer: bool) -> list[Scalar]:
    """Return the values that ``spec`` stands for, in order.

    Parameters
    ----------
    spec
        ``{value = x}``, ``{values = [...]}`` or ``{min, max, num, distribution}``,
        ends included, as in the study file.
    integer
        Whether the parameter takes integers: decides what ``min`` and ``max``
        without a distribution mean.

    Raises
    ------
    ValueError
        With a sentence that says what was given and what is allowed.
    """
    if not isinstance(spec, Mapping):
        raise ValueError(f"{spec!r} given; write {{ values = [...] }} or {{ min = a, max = b, num = n }}")
    for key in spec:
        if key not in _KEYS:
            raise ValueError(unknown("key", str(key), _KEYS))
    if "value" in spec or "values" in spec:
        if len(spec) > 1:
            raise ValueError(f"keys {', '.join(spec)} given together; value or values stands alone")
        values = [spec["value"]] if "value" in spec else spec["values"]
        return _listed(values)
    distribution = spec.get("distribution", "int_uniform" if integer else "uniform")
    if distribution == "log_uniform":
        raise ValueError(
            "distribution 'log_uniform' given; in W&B its min and max are exponents, so write "
            "'log_uniform_values' with the values themselves"
        )
    if distribution not in _DISTRIBUTIONS:
        raise ValueError(unknown("distribution", str(distribution), _DISTRIBUTIONS))
    low, high = _bound(spec, "min"), _bound(spec, "max")
    if low > high:
        raise ValueError(f"min {low!r} is above max {high!r}")
    if distribution == "int_uniform":
        return list(_integers(low, high, spec.get("num")))
    count = _count(spec.get("num"), low, high)
    if distribution == "uniform":
        return list(linear_values(float(low), float(high), count))
    if low <= 0:
        raise ValueError(f"min {low!r} given; a log_uniform_values range starts above 0")
    return list(log_values(float(low), float(high), count))


def linear_values(low: float, high: float, count: int) -> list[float]:
    """Space ``count`` values evenly from ``low`` to ``high``, each correctly rounded."""
    first, span = Fraction(low), Fraction(high) - Fraction(low)
    return [float(first + span * k / max(count - 1, 1)) for k in range(count)]


def log_values(low: float, high: float, count: int) -> list[float]:
    """Space ``count`` values evenly in the logarithm, each correctly rounded, ends exact.

    Computed in decimal: ``numpy.geomspace`` gives other digits on other CPUs.
    """
    with decimal.localcontext(prec=60):
        first = decimal.Decimal(low).ln()
        span = decimal.Decimal(high).ln() - first
        inner = [float((first + span * k / (count - 1)).exp()) for k in range(1, count - 1)]
    return [low, *inner, high][:count]


def _listed(values: Any) -> list[Scalar]:
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"values {values!r} given; must be a list")
    if not values:
        raise ValueError("values is an empty list; give at least one")
    return list(values)


def _bound(spec: Mapping[str, Any], key: str) -> int | float:
    bound = spec.get(key)
    if bound is None:
        raise ValueError(f"{key} is missing; give min, max and num, or values")
    if isinstance(bound, bool) or not isinstance(bound, (int, float)) or not abs(bound) <= sys.float_info.max:
        raise ValueError(f"{key} {bound!r} given; must be a finite number")
    return bound


def _count(num: Any, low: float, high: float) -> int:
    if num is None:
        raise ValueError("num is missing; say how many values from min to max, ends included")
    if isinstance(num, bool) or not isinstance(num, int) or not 1 <= num <= MAX_VALUES:
        raise ValueError(f"num {num!r} given; must be an integer from 1 to {MAX_VALUES}")
    if num == 1 and low != high:
        raise ValueError("num 1 given with min below max; both ends are included, so num is at least 2")
    return num


def _integers(low: int | float, high: int | float, num: Any) -> range:
    if low != int(low) or high != int(high):
        raise ValueError(f"min {low!r} and max {high!r} given; an integer range has integer ends")
    span = int(high) - int(low)
    if num is None:
        num = span + 1
    count = _count(num, low, high)
    step, rest = divmod(span, max(count - 1, 1))
    if rest:
        raise ValueError(f"num {num} given; {count} integers are not evenly spaced from {int(low)} to {int(high)}")
    return range(int(low), int(high) + 1, max(step, 1))
