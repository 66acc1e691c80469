"""Polynomials of lanes, with constant coefficients in ascending order."""

from __future__ import annotations

from kernels.lanes.arithmetic import Lanes
from kernels.numba.jit import device


@device
def horner(x: Lanes, coefficients: tuple[float, ...]) -> Lanes:
    """Evaluate a polynomial of ascending ``coefficients``, highest power first."""
    last = len(coefficients) - 1
    value = x * coefficients[last] + coefficients[last - 1]
    for k in range(2, len(coefficients)):
        value = value * x + coefficients[last - k]
    return value


@device
def horner_in_two(x: Lanes, square: Lanes, even: tuple[float, ...], odd: tuple[float, ...]) -> Lanes:
    """Evaluate E(x^2) + x O(x^2), which shortens the chain of dependent operations by half.

    Coefficients of E and O ascend.
    """
    return horner(square, even) + x * horner(square, odd)
