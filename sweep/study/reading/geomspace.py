"""Values that are evenly spaced, or evenly spaced in the logarithm, each correctly rounded.

They are computed in integers and decimals, so no digit depends on the processor, its settings, a mathematical library
or the decimal context of the caller. ``numpy.geomspace`` returns other digits on other CPUs.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction

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
    with localcontext(_context()):
        exact = Decimal(first)
        ratio = ((Decimal(last).ln() - exact.ln()) / (count - 1)).exp()
        values = [first]
        for _ in range(count - 2):
            exact *= ratio
            values.append(float(exact))
        return [*values, last]


def log_value(first: float, last: float, k: int, n: int) -> float:
    """Return the number at ``k / n`` of the way between two positive numbers in the logarithm, correctly rounded.

    ``k = 0`` is exactly the first end, and ``k = n`` the last.
    """
    if k == 0:
        return first
    if k == n:
        return last
    with localcontext(_context()):
        start = Decimal(first).ln()
        return float((start + (Decimal(last).ln() - start) * k / n).exp())


def _context() -> Context:
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
