"""Spaced values: each correctly rounded, with any settings of the process."""

from __future__ import annotations

import decimal
import math
import sys
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sweep.study.reading.value_forms import linear_values, log_value, log_values
from sweep.system.plain_values import MAX_VALUES
from tests.kernels.support import some_compiled
from tests.sweep.strategies import finite, positive

LARGEST, SMALLEST = sys.float_info.max, 5e-324


def assert_between_neighbors(value: float, power: int, exact_power: Fraction) -> None:
    """Require ``value`` to be the float nearest to the ``power``-th root of ``exact_power``, by exact comparisons."""
    assert value > 0
    below, above = math.nextafter(value, 0.0), math.nextafter(value, math.inf)
    assert ((Fraction(value) + Fraction(below)) / 2) ** power <= exact_power
    if above < math.inf:
        assert exact_power <= ((Fraction(value) + Fraction(above)) / 2) ** power


@given(positive, positive, st.integers(2, 9))
@example(1e-3, 1.0, 13)
@example(1e-4, 10.0, 51)
@example(SMALLEST, LARGEST, 5)
@example(0.1, 0.3, 101)
def test_log_values_are_correctly_rounded(one: float, other: float, num: int) -> None:
    """Value k is the float nearest to (low^(n-k) high^k)^(1/n), and the ends are exact."""
    low, high = sorted((one, other))
    values = log_values(low, high, num)
    assert len(values) == num
    assert (values[0], values[-1]) == (low, high)
    assert values == sorted(values)
    power = num - 1
    for k, value in enumerate(values):
        assert_between_neighbors(value, power, Fraction(low) ** (power - k) * Fraction(high) ** k)


@given(finite, finite, st.integers(2, 50))
def test_linear_values_are_correctly_rounded(one: float, other: float, num: int) -> None:
    """Value k is the float nearest to low + (high - low) k / n, and the ends are exact."""
    low, high = sorted((one, other))
    values = linear_values(low, high, num)
    assert len(values) == num
    assert (values[0], values[-1]) == (low, high)
    assert values == sorted(values)
    for k, value in enumerate(values):
        exact = Fraction(low) + (Fraction(high) - Fraction(low)) * k / (num - 1)
        error = abs(Fraction(value) - exact)
        for neighbor in (math.nextafter(value, -math.inf), math.nextafter(value, math.inf)):
            assert math.isinf(neighbor) or error <= abs(Fraction(neighbor) - exact)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("first", "last"),
    some_compiled([(1e-3, 1.0), (SMALLEST, LARGEST), (SMALLEST, 2e-308), (LARGEST, 1e308)], (SMALLEST, LARGEST).__eq__),
)
def test_errors_do_not_grow_with_the_number_of_values(first: float, last: float) -> None:
    """The last of the most values, each computed from the previous one, are as exact as the first."""
    count = MAX_VALUES
    values = log_values(first, last, count)
    assert len(values) == count
    with decimal.localcontext(prec=60):
        start = decimal.Decimal(first).ln()
        span = decimal.Decimal(last).ln() - start
        for k in [*range(1, count, 997), *range(count - 50, count - 1)]:
            assert values[k] == float((start + span * k / (count - 1)).exp())


@pytest.fixture
def odd_decimals() -> Iterator[None]:
    """Set up decimals as some program might: few digits, rounding up, small exponents, every trap set."""
    traps = dict.fromkeys(decimal.DefaultContext.traps, True)
    odd = decimal.Context(prec=3, rounding=decimal.ROUND_UP, Emin=-5, Emax=5, clamp=1, capitals=0, traps=traps)
    default = decimal.DefaultContext
    kept = default.prec, default.rounding, default.Emin, default.Emax, dict(default.traps)
    default.prec, default.rounding, default.Emin, default.Emax = 3, decimal.ROUND_UP, -5, 5
    default.traps.update(traps)
    with decimal.localcontext(odd):
        yield
    default.prec, default.rounding, default.Emin, default.Emax = kept[:4]
    default.traps.update(kept[4])


def test_decimals_of_the_process_decide_no_digit(odd_decimals: None) -> None:
    """Precision, rounding, limits and traps of decimals, also of the defaults, change no value."""
    assert decimal.getcontext().prec == decimal.Context().prec == 3
    assert log_values(1e-3, 1.0, 4) == [1e-3, 1e-2, 1e-1, 1.0]
    assert log_values(0.1, 0.3, 3) == [0.1, 0.17320508075688773, 0.3]
    assert log_values(SMALLEST, LARGEST, 3)[1] == math.nextafter(2.0**-25, 0)  # 2^-109 of it from the middle
    assert log_value(0.1, 0.3, 1, 2) == 0.17320508075688773
    assert linear_values(0.1, 0.3, 3) == [0.1, 0.2, 0.3]
    assert decimal.getcontext().prec == 3
