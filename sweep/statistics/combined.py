"""Intervals of products, sums and differences, from the intervals of their parts.

This is the method of variance estimates recovery (MOVER): Zou and Donner, Statist. in Medicine 27 (2008) 1693.
Intervals of parts need not be symmetric, so the method holds where nearly all runs or hardly any converge.
"""

from __future__ import annotations

import numpy as np

from sweep.statistics.intervals import Array

# An estimate and the ends of its interval, by group.
Interval = tuple[Array, Array, Array]


def product_interval(one: Interval, other: Interval, correlation: Array | float = 0.0) -> tuple[Array, Array]:
    """Return the ends of the interval of the product of two positive quantities, whose estimates have a correlation."""
    ends = []
    for side in (1, 2):
        parts = other[0] * (one[side] - one[0]), one[0] * (other[side] - other[0])
        spread = np.sqrt(np.maximum(parts[0] ** 2 + parts[1] ** 2 + 2 * correlation * parts[0] * parts[1], 0.0))
        ends.append(one[0] * other[0] + (-spread if side == 1 else spread))
    return ends[0], ends[1]


def logarithms(interval: Interval) -> Interval:
    """Return the interval of a logarithm."""
    value, low, high = interval
    return np.log(value), np.log(low), np.log(high)


def sum_interval(one: Interval, other: Interval, correlation: Array) -> tuple[Array, Array]:
    """Return the interval of a sum of two estimates with this correlation."""
    ends = []
    for side, sign in ((1, -1), (2, 1)):
        parts = np.abs(one[side] - one[0]), np.abs(other[side] - other[0])
        with np.errstate(invalid="ignore"):
            squares = parts[0] ** 2 + parts[1] ** 2 + 2 * correlation * parts[0] * parts[1]
        far = np.isinf(parts[0]) | np.isinf(parts[1])
        ends.append(one[0] + other[0] + sign * np.sqrt(np.where(far, np.inf, np.maximum(squares, 0.0))))
    return ends[0], ends[1]


def difference_interval(one: Interval, other: Interval, correlation: Array) -> tuple[Array, Array]:
    """Return the interval of a difference of two estimates with this correlation."""
    return sum_interval(one, (-other[0], -other[2], -other[1]), -correlation)
