"""Values of swept parameters, from the forms of a study file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sweep.errors import shown, unknown
from sweep.study.geomspace import linear_values, log_values
from sweep.system.plain_values import MAX_VALUES, is_integer, plain

Scalar = bool | int | float | str

# The form of each key, and an example.
_LISTS = {
    "value": "one value, as in { value = 0.1 }",
    "values": "a list, as in { values = [2, 4, 8] }",
    "geomspace": "[first value, last value, how many], both ends included, as in { geomspace = [1e-3, 1.0, 13] }",
    "linspace": "[first value, last value, how many], both ends included, as in { linspace = [0.0, 1.0, 5] }",
    "range": "[first, last] or [first, last, step] of integers, both ends included, as in { range = [2, 8] }",
}
DISTRIBUTIONS = ["uniform", "log_uniform_values", "int_uniform"]
_FORMS = (
    "a list such as [2, 4, 8], one value, { geomspace = [1e-3, 1.0, 13] }, { linspace = [0.0, 1.0, 5] }, "
    "{ range = [2, 8] } or { min = 0.0, max = 1.0, num = 5 }"
)


class Bounds(NamedTuple):
    """A range of every number between two ends, both included.

    Attributes
    ----------
    low, high
    scale
        ``"linear"`` or ``"log"``: whether numbers or their logarithms are evenly distributed.
    """

    low: int | float
    high: int | float
    scale: str


def bounds_of(spec: Any, integer: bool) -> Bounds | None:
    """Return the ends of a range that does not say how many values it has, as samples allow; None for other forms.

    Parameters
    ----------
    spec
        As of :func:`expand`. ``geomspace``, ``geomspace`` and ``linspace`` of two ends, and ``min`` and ``max`` without
        ``num``, are ranges of every number between.
    integer
        Whether all values must be integers.

    Returns
    -------
    Bounds or None

    Raises
    ------
    ValueError
        If a range has no valid ends.
    """
    spec = plain(spec)
    if not isinstance(spec, Mapping) or not spec:
        return None
    (option, given), *others = spec.items()
    if not others and option in ("geomspace", "geomspace", "linspace") and isinstance(given, list) and len(given) == 2:
        bounds = Bounds(given[0], given[1], "linear" if option == "linspace" else "log")
        if not all(map(_is_finite, given)):
            raise ValueError(f"{option} {shown(given)} given; its two ends must be finite numbers")
    elif "num" not in spec and spec.keys() <= {"min", "max", "distribution"}:
        distribution = _distribution(spec, integer)
        bounds = Bounds(
            _bound(spec, "min"), _bound(spec, "max"), "log" if distribution == DISTRIBUTIONS[1] else "linear"
        )
        integer |= distribution == "int_uniform"
        option, given = distribution, [bounds.low, bounds.high]
    else:
        return None
    low, high, scale = bounds
    if low > high:
        raise ValueError(f"{option} {shown(given)} given; the first end is above the second")
    if integer and (low != int(low) or high != int(high)):
        raise ValueError(f"{option} {shown(given)} given; an integer range has integer ends")
    if scale == "log" and low <= 0:
        raise ValueError(f"{option} {shown(given)} given; the ends are values, not exponents, so both must be above 0")
    return Bounds(int(low), int(high), scale) if integer else bounds


def expand(spec: Any, integer: bool) -> list[Scalar]:
    """Return the values of a swept parameter, in order.

    Parameters
    ----------
    spec
        As in the study file: a list, one value, ``{values = [..]}``, ``{value = x}`` or one of these.

        - ``{geomspace = [first, last, count]}``, also called ``geomspace``: evenly spaced in the
          logarithm. Unlike those of ``numpy.geomspace``, ends are values, not exponents.
        - ``{linspace = [first, last, count]}``: evenly spaced.
        - ``{range = [first, last]}`` or ``{range = [first, last, step]}``: integers. Unlike
          Python's ``range``, the last one is included, so ``step`` must lead to it.
        - ``{min, max, num, distribution}``: ``uniform``, ``log_uniform_values`` or ``int_uniform``.

        Both ends are included. In Python arrays, tuples and ranges are allowed too.
    integer
        Whether all values must be integers; ``min`` and ``max`` are then ``int_uniform`` by default.

    Returns
    -------
    list
        The values, not yet validated.

    Raises
    ------
    ValueError
        If the form is not one of these.

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
        raise ValueError(f"{shown(spec)} given; give {_FORMS}")
    known = [*_LISTS, "min", "max", "num", "distribution"]
    for key in spec:
        if key not in known:
            raise ValueError(unknown("key", key, known))
    option = next((key for key in spec if key in _LISTS), None)
    if option is None:
        return _range_of_bounds(spec, integer)
    if len(spec) > 1:
        raise ValueError(f"keys {', '.join(spec)} given together; {option} allows no other key")
    if option == "value":
        return [spec["value"]]
    if option == "values":
        if not isinstance(spec["values"], list):
            raise ValueError(f"values {shown(spec['values'])} given; must be {_LISTS['values']}")
        return _listed(spec["values"])
    if option == "range":
        return _range(spec["range"])
    return _spaced(option, spec[option], integer)


def _listed(values: list[Any]) -> list[Scalar]:
    if not values:
        raise ValueError(f"an empty list given; give {_FORMS}")
    if len(values) > MAX_VALUES:
        raise ValueError(f"{len(values):,} values given; at most {MAX_VALUES:,} are allowed")
    return values


def _spaced(option: str, given: Any, integer: bool) -> list[Scalar]:
    """Expand ``geomspace``, ``geomspace`` and ``linspace``."""
    if not isinstance(given, list) or len(given) != 3 or not all(map(_is_finite, given[:2])):
        raise ValueError(f"{option} {shown(given)} given; must be {_LISTS[option]}")
    first, last, count = given
    if not is_integer(count) or not 1 <= count <= MAX_VALUES or (count == 1 and first != last):
        raise ValueError(
            f"{option} {shown(given)} given; the third number is the number of values from first to last, both "
            f"included: an integer from 2 to {MAX_VALUES}"
        )
    if option == "linspace":
        return _spaced_values(linear_values, first, last, count, integer)
    if first <= 0 or last <= 0:
        raise ValueError(
            f"{option} {shown(given)} given; the ends are values, not exponents, so both must be above 0, as in "
            f"{{ {option} = [1e-3, 1.0, 13] }}"
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
                f"{count} values from {shown(first)} to {shown(last)} given, one of which is {value!r}; must be "
                "integers, which a list such as [2, 4, 8] gives directly"
            )
    return [int(value) for value in values]


def _range(given: Any) -> list[Scalar]:
    """Expand ``range``."""
    if not isinstance(given, list) or len(given) not in (2, 3) or not all(map(is_integer, given)):
        raise ValueError(f"range {shown(given)} given; must be {_LISTS['range']}")
    first, last, step = (*given, 1)[:3]
    n_steps, rest = divmod(last - first, step) if step else (-1, 0)
    if n_steps < 0 or rest:
        raise ValueError(
            f"range {shown(given)} given; steps of {shown(step)} do not lead from {shown(first)} to {shown(last)}, "
            "both included, as in { range = [2, 8] } or { range = [2, 8, 3] }"
        )
    if n_steps >= MAX_VALUES:
        raise ValueError(f"range {shown(given)} given; at most {MAX_VALUES:,} values are allowed")
    return [first + k * step for k in range(n_steps + 1)]


def _range_of_bounds(spec: Mapping[str, Any], integer: bool) -> list[Scalar]:
    """Expand ``{min, max, num, distribution}``."""
    distribution = _distribution(spec, integer)
    low, high = _bound(spec, "min"), _bound(spec, "max")
    if low > high:
        raise ValueError(f"min {shown(low)} is above max {shown(high)}")
    if distribution == "int_uniform":
        return list(_integers(low, high, spec.get("num")))
    count = _count(spec.get("num"), low, high)
    if distribution == "uniform":
        return _spaced_values(linear_values, low, high, count, integer)
    if low <= 0:
        raise ValueError(f"min {shown(low)} given; a log_uniform_values range starts above 0")
    return _spaced_values(log_values, low, high, count, integer)


def _distribution(spec: Mapping[str, Any], integer: bool) -> str:
    """Return the distribution of a range of bounds."""
    distribution = spec.get("distribution", "int_uniform" if integer else "uniform")
    if distribution == "log_uniform":
        raise ValueError(
            "distribution 'log_uniform' given; in W&B its min and max are exponents, so write "
            "'log_uniform_values' with the values themselves"
        )
    if distribution not in DISTRIBUTIONS:
        raise ValueError(unknown("distribution", distribution, DISTRIBUTIONS))
    return str(distribution)


def _bound(spec: Mapping[str, Any], key: str) -> int | float:
    bound = spec.get(key)
    if bound is None:
        raise ValueError(f"{key} is missing; give {{ min = 0.0, max = 1.0, num = 5 }}, or values")
    if not _is_finite(bound):
        raise ValueError(f"{key} {shown(bound)} given; must be a finite number")
    number: int | float = bound
    return number


def _count(num: Any, low: float, high: float) -> int:
    if num is None:
        raise ValueError("num is missing; give the number of values from min to max, both included")
    if not is_integer(num) or not 1 <= num <= MAX_VALUES:
        raise ValueError(f"num {shown(num)} given; must be an integer from 1 to {MAX_VALUES}")
    if num == 1 and low != high:
        raise ValueError("num 1 given with min below max; both ends are included, so num is at least 2")
    return int(num)


def _integers(low: int | float, high: int | float, num: Any) -> range:
    if low != int(low) or high != int(high):
        raise ValueError(f"min {shown(low)} and max {shown(high)} given; an integer range has integer ends")
    span = int(high) - int(low)
    if num is None:
        num = span + 1
    count = _count(num, low, high)
    step, rest = divmod(span, max(count - 1, 1))
    if rest:
        raise ValueError(
            f"num {num} given; {count} integers are not evenly spaced from {shown(int(low))} to {shown(int(high))}"
        )
    return range(int(low), int(high) + 1, max(step, 1))


def _is_finite(value: Any) -> bool:
    """Return whether a value is a number that is finite as a float."""
    return (is_integer(value) or isinstance(value, float)) and abs(value) <= sys.float_info.max
