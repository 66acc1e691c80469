"""Values that are evenly spaced, or evenly spaced in the logarithm, each correctly rounded.

They are computed in integers and decimals, so no digit depends on the processor, its settings, a mathematical library
or the decimal context of the caller.
"""

from __future__ import annotations

import decimal
import math
from fractions import Fraction
from functools import lru_cache

# Bits of the products that become values. Each product and the ratio have a relative error of at most 2^-209, so
# after a million products (2^20) the relative error of a value is below 2^-188.
_BITS = 210
# A value this near to the midpoint of two floats, in units of the last of these bits, is in doubt: 2^-180 of the value,
# 30 times the error of the formula in decimals, which then decides.
_DOUBT = 2**30

_FORMULA_DIGITS = 60
_RATIO_DIGITS = 90  # 80 of them are right after a million products

_FLOAT_BITS, _LOWEST_PLACE = 53, -1074


def linear_values(first: float, last: float, count: int) -> list[float]:
    """Return evenly spaced values, each correctly rounded.

    Parameters
    ----------
    first, last
        Ends, both included.
    count
        Number of values.

    Returns
    -------
    list of float
        ``count`` values from ``first`` to ``last``.
    """
    steps, start, stop = max(count - 1, 1), Fraction(first), Fraction(last)
    unit = max(start.denominator, stop.denominator)  # powers of two
    start_units, stop_units = int(start * unit), int(stop * unit)
    dividend, step = start_units * steps, stop_units - start_units
    return [(dividend + step * k) / (unit * steps) for k in range(count)]


def log_values(first: float, last: float, count: int) -> list[float]:
    """Return values spaced evenly in the logarithm, each correctly rounded.

    Each value is the previous one times a ratio, in integers of 210 bits with a bounded error. If the nearest float is
    in doubt, an exponential in 60 decimals decides. ``numpy.geomspace`` returns other digits on other CPUs.

    Parameters
    ----------
    first, last
        Positive ends, both included and exact.
    count
        Number of values.

    Returns
    -------
    list of float
        ``count`` values from ``first`` to ``last``.
    """
    if count < 3:
        return [first, last][:count]
    ratio, ratio_exponent = _ratio(first, last, count)
    mantissa, exponent = _leading_bits(Fraction(first))
    values = [first]
    for k in range(1, count - 1):
        product = mantissa * ratio
        surplus = product.bit_length() - _BITS
        mantissa = product >> surplus
        exponent += ratio_exponent + surplus
        value = _nearest(mantissa, exponent)
        values.append(_by_formula(first, last, count, k) if value is None else value)
    return [*values, last]


def _nearest(mantissa: int, exponent: int) -> float | None:
    """Return the float nearest to ``mantissa * 2**exponent``; None if the error of the mantissa leaves it in doubt."""
    place = max(exponent + _BITS - _FLOAT_BITS, _LOWEST_PLACE)  # exponent of the last bit of the float
    shift = place - exponent
    raised = mantissa + (1 << (shift - 1))
    bits = (raised - _DOUBT) >> shift
    return math.ldexp(bits, place) if bits == (raised + _DOUBT) >> shift else None


def _by_formula(first: float, last: float, count: int, k: int) -> float:
    """Return one logarithmically spaced value, computed in decimals; an exponential takes 60 microseconds."""
    with decimal.localcontext(_context(_FORMULA_DIGITS)):
        start, span = _logarithm_and_span(first, last, _FORMULA_DIGITS)
        return float((start + span * k / (count - 1)).exp())


def log_value(first: float, last: float, k: int, n: int) -> float:
    """Return the number at ``k / n`` of the way between two positive numbers in the logarithm.

    Parameters
    ----------
    first, last
        Positive ends.
    k, n
        Integers; ``k = 0`` is exactly the first end, and ``k = n`` the last.

    Returns
    -------
    float
        Computed in 60 decimals and rounded once.
    """
    return first if k == 0 else last if k == n else _by_formula(first, last, n + 1, k)


def _ratio(first: float, last: float, count: int) -> tuple[int, int]:
    """Return the ratio of a value to the one before, as leading bits and exponent."""
    with decimal.localcontext(_context(_RATIO_DIGITS)):
        _, span = _logarithm_and_span(first, last, _RATIO_DIGITS)
        ratio = (span / (count - 1)).exp()
    return _leading_bits(Fraction(ratio))


@lru_cache(maxsize=16)
def _logarithm_and_span(first: float, last: float, digits: int) -> tuple[decimal.Decimal, decimal.Decimal]:
    """Return the logarithm of the first end, and its difference to that of the last end."""
    with decimal.localcontext(_context(digits)):
        start = decimal.Decimal(first).ln()
        return start, decimal.Decimal(last).ln() - start


def _leading_bits(number: Fraction) -> tuple[int, int]:
    """Return a positive number as an integer of ``_BITS`` bits, truncated, and an exponent of 2."""
    exponent = number.numerator.bit_length() - number.denominator.bit_length() - _BITS - 1
    mantissa = math.floor(number / Fraction(2) ** exponent)  # has one or two bits more
    surplus = mantissa.bit_length() - _BITS
    return mantissa >> surplus, exponent + surplus


def _context(digits: int) -> decimal.Context:
    """Return a decimal context with every attribute set, since users may have changed the defaults."""
    return decimal.Context(
        prec=digits,
        rounding=decimal.ROUND_HALF_EVEN,
        Emin=-999_999,
        Emax=999_999,
        capitals=1,
        clamp=0,
        flags=[],
        traps=[],
    )
