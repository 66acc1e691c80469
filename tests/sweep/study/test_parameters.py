"""Expansion of swept parameters: the values of each form, and invalid forms."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sweep.study.reading.value_forms import MAX_VALUES, expand
from tests.sweep.strategies import positive

ODD = ["2", None, True, math.nan, math.inf, 10**400, [2]]  # no finite numbers


def log_range(low: float, high: float, num: int) -> list[Any]:
    """Expand a logarithmic range as a study file gives it."""
    return expand({"distribution": "log_uniform_values", "min": low, "max": high, "num": num}, integer=False)


def test_log_values_that_are_numbers_are_exact() -> None:
    """Powers that a float can hold come out as such."""
    assert log_range(1, 1024, 11) == [float(2**k) for k in range(11)]
    assert log_range(1e-3, 1e3, 7) == [1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1e3]
    assert all(isinstance(value, float) for value in log_range(1, 1024, 11))


@given(st.integers(1, 1000), st.integers(1, 20), st.integers(1, 50))
def test_integer_ranges(low: int, step: int, num: int) -> None:
    """Integers are evenly spaced with both ends included; without ``num`` all of them."""
    assume(num > 1)
    high = low + step * (num - 1)
    expected = list(range(low, high + 1, step))
    assert expand({"min": low, "max": high, "num": num}, integer=True) == expected
    assert (
        expand({"min": float(low), "max": high, "num": num, "distribution": "int_uniform"}, integer=False) == expected
    )
    everything = expand({"min": low, "max": high}, integer=True)
    assert everything == list(range(low, high + 1))
    assert all(type(value) is int for value in expected + everything)


def test_single_values() -> None:
    """One value, a list of one and a range of one are the same."""
    assert expand(3, integer=True) == expand([3], integer=True) == [3]
    assert expand(0.3, integer=False) == expand({"linspace": [0.3, 0.3, 1]}, integer=False) == [0.3]
    assert expand({"geomspace": [0.3, 0.3, 1]}, integer=False) == [0.3]
    assert expand({"range": [3, 3]}, integer=True) == [3]
    assert expand("relu", integer=False) == ["relu"]
    assert expand(False, integer=False) == [False]
    assert expand({"value": 3}, integer=True) == [3]
    assert expand({"values": (3,)}, integer=True) == [3]
    assert expand({"min": 3, "max": 3}, integer=True) == [3]
    assert expand({"min": 0.3, "max": 0.3, "num": 1}, integer=False) == [0.3]
    assert log_range(0.3, 0.3, 1) == [0.3]


@pytest.mark.parametrize(
    ("form", "distribution"), [("geomspace", "log_uniform_values"), ("linspace", "uniform"), ("linspace", None)]
)
@given(positive, positive, st.integers(2, 9))
def test_spaces_are_ranges(form: str, distribution: str | None, one: float, other: float, num: int) -> None:
    """They give the values of ``min``, ``max`` and ``num``; backward they give them backward."""
    low, high = sorted((one, other))
    kind = {"distribution": distribution} if distribution else {}
    expected = expand({"min": low, "max": high, "num": num, **kind}, integer=False)
    assert expand({form: [low, high, num]}, integer=False) == expected
    assert expand({form: (high, low, num)}, integer=False) == expected[::-1]


@given(st.integers(-1000, 1000), st.integers(-20, 20).filter(bool), st.integers(1, 50))
def test_range_includes_both_ends(first: int, step: int, num: int) -> None:
    """``range`` gives integers up or down to its last number; a step of 1 can be left out."""
    last = first + step * (num - 1)
    values = expand({"range": [first, last, step]}, integer=True)
    assert values == [first + k * step for k in range(num)]
    assert all(type(value) is int for value in values)
    if step == 1:
        assert expand({"range": [first, last]}, integer=True) == values


def test_spaced_integers() -> None:
    """A parameter that takes integers gets integers from any form, where they are integers."""
    spaced: list[tuple[dict[str, Any], list[int]]] = [
        ({"linspace": [2, 8, 4]}, [2, 4, 6, 8]),
        ({"geomspace": [1, 1024, 11]}, [2**k for k in range(11)]),
        ({"geomspace": [1000.0, 1, 4]}, [1000, 100, 10, 1]),
        ({"min": 2, "max": 8, "num": 4, "distribution": "uniform"}, [2, 4, 6, 8]),
        ({"min": 1, "max": 100, "num": 3, "distribution": "log_uniform_values"}, [1, 10, 100]),
    ]
    for spec, expected in spaced:
        values = expand(spec, integer=True)
        assert values == expected
        assert all(type(value) is int for value in values)
        assert all(type(value) is float for value in expand(spec, integer=False))


def test_spaced_values_that_are_not_integers() -> None:
    """For an option that takes integers they are refused, never rounded."""
    for spec in ({"linspace": [2, 7, 3]}, {"geomspace": [2, 100, 3]}, {"linspace": [0.5, 2.5, 3]}):
        with pytest.raises(ValueError, match=r"must be integers, .* \[2, 4, 8\]"):
            expand(spec, integer=True)


def test_order_of_values_is_kept() -> None:
    """Values are not sorted: their order numbers the cells."""
    assert expand({"values": [3, 1, 2]}, integer=True) == expand([3, 1, 2], integer=True) == [3, 1, 2]


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        (None, ("None", "[2, 4, 8]", "{ geomspace = [1e-3, 1.0, 13] }", "{ range = [2, 8] }", "min = ")),
        ({}, ("got {}", "[2, 4, 8]")),
        ([], ("empty", "[2, 4, 8]")),
        (range(0, 10**12), ("range(0, 1000000000000)", "a list")),
        ([0] * (MAX_VALUES + 1), ("at most 100,000 values", "got 100,001")),
        ({"valeus": [1]}, ("'valeus'", "did you mean 'values'")),
        ({"values": 3}, ("3", "list")),
        ({"value": 1, "values": [1]}, ("value, values", "only key")),
        ({"geomspace": [1e-3, 1, 3], "num": 3}, ("geomspace, num", "geomspace must be the only key")),
        *(({form: 3}, (form, "got 3", f"{{ {form} = [")) for form in ("geomspace", "linspace", "range")),
        ({"geomspace": [0, 1, 3]}, ("geomspace", "got [0, 1, 3]", "not exponents", "above 0")),
        *(({form: [1, 2, 1]}, ("number of values", "2 to 100000")) for form in ("geomspace", "linspace")),
        *(({form: [1, 2, 3.0]}, ("number of values", "[1, 2, 3.0]", "integer")) for form in ("geomspace", "linspace")),
        *(({form: [1, 2, MAX_VALUES + 1]}, ("number of values", "100001")) for form in ("geomspace", "linspace")),
        *(({form: [1, value, 3]}, ("[first, last, number",)) for form in ("geomspace", "linspace") for value in ODD),
        ({"range": [1, 2.0]}, ("range", "got [1, 2.0]", "integers")),
        ({"range": [1, 2, 3, 4]}, ("[1, 2, 3, 4]", "[first, last, step]")),
        ({"range": [2, 8, 4]}, ("range [2, 8, 4]", "steps of 4", "from 2 to 8", "{ range = [2, 8, 3] }")),
        ({"range": [2, 8, 0]}, ("steps of 0",)),
        ({"range": [1, MAX_VALUES + 1]}, ("at most 100,000",)),
        ({"min": 1, "num": 3}, ("max", "missing")),
        ({"min": 1, "max": 2}, ("num", "missing")),
        ({"min": 2, "max": 1, "num": 3}, ("min 2", "max 1")),
        ({"min": "1", "max": 2, "num": 3}, ("min", "'1'", "number")),
        ({"min": 1, "max": math.nan, "num": 3}, ("max", "nan", "finite")),
        ({"min": 1, "max": 2, "num": 0}, ("num", "got 0", "1 to 100000")),
        ({"min": 1, "max": 2, "num": "3"}, ("num", "got '3'")),
        ({"min": 1, "max": 2, "num": MAX_VALUES + 1}, ("num", "got 100001")),
        ({"min": 1, "max": 2, "num": 1}, ("num", "got 1", "at least 2")),
        ({"min": 1, "max": 2, "num": 2, "distribution": "normal"}, ("'normal'", "uniform, log_uniform_values")),
        ({"min": -3, "max": 0, "num": 2, "distribution": "log_uniform"}, ("log_uniform_values", "W&B", "exponents")),
        ({"min": 0, "max": 1, "num": 2, "distribution": "log_uniform_values"}, ("min", "got 0", "above 0")),
        ({"min": 1.5, "max": 3, "num": 2, "distribution": "int_uniform"}, ("min 1.5", "integer")),
        ({"min": 1, "max": 4, "num": 3, "distribution": "int_uniform"}, ("num", "got 3", "evenly")),
        ({"min": 1, "max": 10**12, "distribution": "int_uniform"}, ("num", "100000")),
    ],
)
def test_bad_specification(spec: Any, parts: tuple[str, ...]) -> None:
    """A bad form is one sentence with the value and what is allowed."""
    with pytest.raises(ValueError, match=r"\w") as caught:
        expand(spec, integer=False)
    assert type(caught.value) is ValueError
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)
