"""Values of swept parameters, read from any form that a study file allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any, NamedTuple

from sweep.errors import shown, unknown
from sweep.system.plain_values import MAX_VALUES, is_finite, is_integer, plain

Scalar = bool | int | float | str

# The form of each key, with an example.
_LISTS = {
    "value": "one value, as in { value = 0.1 }",
    "values": "a list, as in { values = [2, 4, 8] }",
    "geomspace": "[first, last, number of values], both ends included, as in { geomspace = [1e-3, 1.0, 13] }",
    "linspace": "[first, last, number of values], both ends included, as in { linspace = [0.0, 1.0, 5] }",
    "range": "[first, last] or [first, last, step] of integers, both ends included, as in { range = [2, 8] }",
}
DISTRIBUTIONS = ["uniform", "log_uniform_values", "int_uniform"]
_FORMS = (
    "a list such as [2, 4, 8], one value, { geomspace = [1e-3, 1.0, 13] }, { linspace = [0.0, 1.0, 5] }, "
    "{ range = [2, 8] } or { min = 0.0, max = 1.0, num = 5 }"
)


class Bounds(NamedTuple):
    """All numbers between two ends, both included."""

    low: int | float
    high: int | float
    scale: str  # ``"linear"`` or ``"log"``: whether numbers or their logarithms are evenly distributed


def bounds_of(spec: Any, integer: bool) -> Bounds | None:
    """Return the ends of a range without a number of values, which samples allow; None for other forms.

    ``geomspace`` and ``linspace`` with two ends, and ``min`` and ``max`` without ``num``, are ranges of all numbers
    between the ends.
    """
    spec = plain(spec)
    if not isinstance(spec, Mapping) or not spec:
        return None
    (form, ends), *others = spec.items()
    if not others and form in ("geomspace", "linspace") and isinstance(ends, list) and len(ends) == 2:
        bounds = Bounds(ends[0], ends[1], "linear" if form == "linspace" else "log")
        if not all(map(is_finite, ends)):
            raise ValueError(f"{form}: both ends must be finite numbers, got {shown(ends)}")
    elif "num" not in spec and spec.keys() <= {"min", "max", "distribution"}:
        distribution = _distribution(spec, integer)
        bounds = Bounds(
            _bound(spec, "min"), _bound(spec, "max"), "log" if distribution == DISTRIBUTIONS[1] else "linear"
        )
        integer |= distribution == "int_uniform"
        form = distribution
        ends = [bounds.low, bounds.high]
    else:
        return None
    low, high, scale = bounds
    if low > high:
        raise ValueError(f"{form}: the first end must be at most the second, got {shown(ends)}")
    if integer and (low != int(low) or high != int(high)):
        raise ValueError(f"{form}: both ends must be integers, got {shown(ends)}")
    if scale == "log" and low <= 0:
        raise ValueError(f"{form}: both ends must be above 0 (values, not exponents), got {shown(ends)}")
    return Bounds(int(low), int(high), scale) if integer else bounds


def expand(spec: Any, integer: bool) -> list[Scalar]:
    """Return the values of a swept parameter, in order and not yet validated; other forms than these raise ValueError.

    A list, one value, ``{values = [..]}``, ``{value = x}``, or one of these, of which both ends are included:

    - ``{geomspace = [first, last, count]}``: evenly spaced in the logarithm; ends are values, not exponents.
    - ``{linspace = [first, last, count]}``: evenly spaced.
    - ``{range = [first, last]}`` or ``{range = [first, last, step]}``: integers; ``step`` must lead to the last one.
    - ``{min, max, num, distribution}``: ``uniform``, ``log_uniform_values`` or ``int_uniform``, the last one by default
      where all values must be integers.

    Examples
    --------
    >>> expand({"geomspace": [0.01, 1, 3]}, integer=False), expand({"range": [2, 8, 3]}, integer=True)
    ([0.01, 0.1, 1.0], [2, 5, 8])
    """
    spec = plain(spec)
    if isinstance(spec, list):
        return _listed(spec)
    if isinstance(spec, (bool, int, float, str)):
        return [spec]
    if not isinstance(spec, Mapping) or not spec:
        raise ValueError(f"must be {_FORMS}; got {shown(spec)}")
    known = [*_LISTS, "min", "max", "num", "distribution"]
    for key in spec:
        if key not in known:
            raise ValueError(unknown("key", key, known))
    form = next((key for key in spec if key in _LISTS), None)
    if form is None:
        return _range_of_bounds(spec, integer)
    if len(spec) > 1:
        raise ValueError(f"{form} must be the only key, got {', '.join(spec)}")
    if form == "value":
        return [spec["value"]]
    if form == "values":
        if not isinstance(spec["values"], list):
            raise ValueError(f"values must be {_LISTS['values']}; got {shown(spec['values'])}")
        return _listed(spec["values"])
    if form == "range":
        return _range(spec["range"])
    return _spaced(form, spec[form], integer)


def _listed(values: list[Any]) -> list[Scalar]:
    if not values:
        raise ValueError(f"must be {_FORMS}; got an empty list")
    if len(values) > MAX_VALUES:
        raise ValueError(f"must be at most {MAX_VALUES:,} values, got {len(values):,}")
    return values


def _spaced(form: str, numbers: Any, integer: bool) -> list[Scalar]:
    if not isinstance(numbers, list) or len(numbers) != 3 or not all(map(is_finite, numbers[:2])):
        raise ValueError(f"{form} must be {_LISTS[form]}; got {shown(numbers)}")
    first, last, count = numbers
    if not is_integer(count) or not 1 <= count <= MAX_VALUES or (count == 1 and first != last):
        raise ValueError(
            f"{form}: the third number, the number of values with both ends, must be an integer from 2 to "
            f"{MAX_VALUES}; got {shown(numbers)}"
        )
    if form == "linspace":
        return _spaced_values(linear_values, first, last, count, integer)
    if first <= 0 or last <= 0:
        raise ValueError(
            f"{form}: both ends must be above 0 (values, not exponents), as in {{ {form} = [1e-3, 1.0, 13] }}; got "
            f"{shown(numbers)}"
        )
    return _spaced_values(log_values, first, last, count, integer)


def _spaced_values(
    space: Callable[[float, float, int], list[float]], first: float, last: float, count: int, integer: bool
) -> list[Scalar]:
    """Return spaced values, as integers if those of the parameter are."""
    values = space(float(first), float(last), count)
    if not integer:
        return list(values)
    for value in values:
        if not value.is_integer():
            raise ValueError(
                f"all {count} values from {shown(first)} to {shown(last)} must be integers, but one is {value!r}; use "
                "a list such as [2, 4, 8]"
            )
    return [int(value) for value in values]


def _range(numbers: Any) -> list[Scalar]:
    if not isinstance(numbers, list) or len(numbers) not in (2, 3) or not all(map(is_integer, numbers)):
        raise ValueError(f"range must be {_LISTS['range']}; got {shown(numbers)}")
    first, last, step = (*numbers, 1)[:3]
    n_steps, rest = divmod(last - first, step) if step else (-1, 0)
    if n_steps < 0 or rest:
        raise ValueError(
            f"range {shown(numbers)}: steps of {shown(step)} must lead from {shown(first)} to {shown(last)}, both "
            "included, as in { range = [2, 8] } or { range = [2, 8, 3] }"
        )
    if n_steps >= MAX_VALUES:
        raise ValueError(f"range must have at most {MAX_VALUES:,} values, got {shown(numbers)}")
    return [first + k * step for k in range(n_steps + 1)]


def _range_of_bounds(spec: Mapping[str, Any], integer: bool) -> list[Scalar]:
    """Expand ``{min, max, num, distribution}``."""
    distribution = _distribution(spec, integer)
    low = _bound(spec, "min")
    high = _bound(spec, "max")
    if low > high:
        raise ValueError(f"min must be at most max, got min {shown(low)} and max {shown(high)}")
    if distribution == "int_uniform":
        return list(_integers(low, high, spec.get("num")))
    count = _count(spec.get("num"), low, high)
    if distribution == "uniform":
        return _spaced_values(linear_values, low, high, count, integer)
    if low <= 0:
        raise ValueError(f"min must be above 0 with log_uniform_values, got {shown(low)}")
    return _spaced_values(log_values, low, high, count, integer)


def _distribution(spec: Mapping[str, Any], integer: bool) -> str:
    distribution = spec.get("distribution", "int_uniform" if integer else "uniform")
    if distribution == "log_uniform":
        raise ValueError(
            f"distribution must be one of {', '.join(DISTRIBUTIONS)}, got 'log_uniform'; in W&B its min and max are "
            "exponents, so use 'log_uniform_values' with the values themselves"
        )
    if distribution not in DISTRIBUTIONS:
        raise ValueError(unknown("distribution", distribution, DISTRIBUTIONS))
    return str(distribution)


def _bound(spec: Mapping[str, Any], key: str) -> int | float:
    bound = spec.get(key)
    if bound is None:
        raise ValueError(f"{key} is missing; write {{ min = 0.0, max = 1.0, num = 5 }} or a list of values")
    if not is_finite(bound):
        raise ValueError(f"{key} must be a finite number, got {shown(bound)}")
    number: int | float = bound
    return number


def _count(num: Any, low: float, high: float) -> int:
    if num is None:
        raise ValueError("num is missing; set it to the number of values from min to max, both included")
    if not is_integer(num) or not 1 <= num <= MAX_VALUES:
        raise ValueError(f"num must be an integer from 1 to {MAX_VALUES}, got {shown(num)}")
    if num == 1 and low != high:
        raise ValueError("num must be at least 2 where min is below max, since both ends are included; got 1")
    return int(num)


def _integers(low: int | float, high: int | float, num: Any) -> range:
    if low != int(low) or high != int(high):
        raise ValueError(f"min and max must be integers, got min {shown(low)} and max {shown(high)}")
    span = int(high) - int(low)
    if num is None:
        num = span + 1
    count = _count(num, low, high)
    step, rest = divmod(span, max(count - 1, 1))
    if rest:
        raise ValueError(
            f"num must give evenly spaced integers from {shown(int(low))} to {shown(int(high))}, got {count}; change "
            "it or use a list"
        )
    return range(int(low), int(high) + 1, max(step, 1))


# An error of half a unit in the last of 60 digits for each of 10^5 products leaves 54 right ones; a float has 17.
_DIGITS = 60


def linear_values(first: float, last: float, count: int) -> list[float]:
    """Return ``count`` evenly spaced values, both ends included, each correctly rounded."""
    steps = max(count - 1, 1)
    start = Fraction(first)
    stop = Fraction(last)
    unit = max(start.denominator, stop.denominator)  # powers of two
    start_units = int(start * unit)
    stop_units = int(stop * unit)
    dividend = start_units * steps
    step = stop_units - start_units
    return [(dividend + step * k) / (unit * steps) for k in range(count)]


def log_values(first: float, last: float, count: int) -> list[float]:
    """Return ``count`` values spaced evenly in the logarithm between exact positive ends, each correctly rounded."""
    if count < 3:
        return [first, last][:count]
    with localcontext(decimal_context()):
        exact = Decimal(first)
        ratio = ((Decimal(last).ln() - exact.ln()) / (count - 1)).exp()
        values = [first]
        for _ in range(count - 2):
            exact *= ratio
            values.append(float(exact))
        return [*values, last]


def log_value(first: float, last: float, k: int, n: int) -> float:
    """Return the number at ``k / n`` of the way between two positive ends in the logarithm, correctly rounded."""
    if k == 0:
        return first
    if k == n:
        return last
    with localcontext(decimal_context()):
        start = Decimal(first).ln()
        return float((start + (Decimal(last).ln() - start) * k / n).exp())


def decimal_context() -> Context:
    """Return a decimal context with every attribute set, since users may have changed the defaults."""
    return Context(
        prec=_DIGITS,
        rounding=ROUND_HALF_EVEN,
        Emin=-999_999,
        Emax=999_999,
        capitals=1,
        clamp=0,
        flags=[],
        traps=[],
    )
