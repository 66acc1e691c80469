"""Values spaced evenly, or evenly in their logarithm: each is the float nearest to the number that is meant.

Integers and decimals compute them, so no digit depends on the processor, its settings or a mathematical library, nor on
the decimal context of who asks.
"""

from __future__ import annotations

import decimal
import math
from fractions import Fraction

# Bits of the products by which values follow from each other. Each product and the ratio are wrong by at most 2^-209 of
# themselves, so after a million products (2^20) a value is wrong by less than 2^-188 of itself.
_BITS = 210
# In units of the last of these bits, 2^-180 of the value: what lies as near to the middle between two floats is in
# doubt. That is 30 times the error of the formula in decimals, which decides then.
_DOUBT = 2**30

_FORMULA_DIGITS = 60
_RATIO_DIGITS = 90  # of which a million products leave 80

_FLOAT_BITS, _LOWEST_PLACE = 53, -1074


def linear_values(first: float, last: float, count: int) -> list[float]:
    """Space ``count`` values evenly from ``first`` to ``last``, each correctly rounded."""
    steps, start, stop = max(count - 1, 1), Fraction(first), Fraction(last)
    unit = max(start.denominator, stop.denominator)  # powers of two
    start_units, stop_units = int(start * unit), int(stop * unit)
    dividend, step = start_units * steps, stop_units - start_units
    return [(dividend + step * k) / (unit * steps) for k in range(count)]


def log_values(first: float, last: float, count: int) -> list[float]:
    """Space ``count`` values evenly in the logarithm, each correctly rounded, ends exact.

    Each value is the one before times a ratio, in integers of so many bits that it is known which float is the nearest.
    ``numpy.geomspace`` gives other digits on other CPUs.
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
    """Return the float nearest to ``mantissa * 2**exponent``; None where the last bits of the mantissa decide that."""
    place = max(exponent + _BITS - _FLOAT_BITS, _LOWEST_PLACE)  # of the last bit of the float
    shift = place - exponent
    raised = mantissa + (1 << (shift - 1))
    bits = (raised - _DOUBT) >> shift
    return math.ldexp(bits, place) if bits == (raised + _DOUBT) >> shift else None


def _by_formula(first: float, last: float, count: int, k: int) -> float:
    """Compute one logarithmically spaced value in decimals, where an exponential takes 60 microseconds."""
    with decimal.localcontext(_context(_FORMULA_DIGITS)):
        start, span = _logarithm_and_span(first, last)
        return float((start + span * k / (count - 1)).exp())


def _ratio(first: float, last: float, count: int) -> tuple[int, int]:
    """Return by what a value exceeds the one before, as leading bits and exponent."""
    with decimal.localcontext(_context(_RATIO_DIGITS)):
        _, span = _logarithm_and_span(first, last)
        ratio = (span / (count - 1)).exp()
    return _leading_bits(Fraction(ratio))


def _logarithm_and_span(first: float, last: float) -> tuple[decimal.Decimal, decimal.Decimal]:
    start = decimal.Decimal(first).ln()
    return start, decimal.Decimal(last).ln() - start


def _leading_bits(number: Fraction) -> tuple[int, int]:
    """Return a positive number as an integer of ``_BITS`` bits, what is below is cut off, and the exponent of 2."""
    exponent = number.numerator.bit_length() - number.denominator.bit_length() - _BITS - 1
    mantissa = math.floor(number / Fraction(2) ** exponent)  # of one or two bits more
    surplus = mantissa.bit_length() - _BITS
    return mantissa >> surplus, exponent + surplus


def _context(digits: int) -> decimal.Context:
    """Return a context with all said, as what is left out follows from defaults that somebody may have changed."""
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
