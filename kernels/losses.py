"""Losses over all patterns and outputs: value and gradient side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kernels.batch import Patterns, PatternSource, Signals
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Memory, Rows, bits, multiply_add


class Loss(NamedTuple):
    """One loss on lanes, ``total(sum of term(error), count)``; an error is an output less its target.

    Attributes
    ----------
    term : (error) -> lanes
        What one output adds to the sum.
    total : (sum, count) -> lanes
        The loss, given the sum of terms over ``count`` outputs.
    gradient : (twice the error, count) -> lanes
        Its derivative with respect to one output.
    """

    term: Callable[[Lanes], Lanes]
    total: Callable[[Lanes, int], Lanes]
    gradient: Callable[[Lanes, int], Lanes]


@device
def squared_error(error: Lanes) -> Lanes:
    return error * error


@device
def sum_total(terms: Lanes, count: int) -> Lanes:
    return terms


@device
def sum_gradient(twice: Lanes, count: int) -> Lanes:
    return twice


@device
def mean_total(terms: Lanes, count: int) -> Lanes:
    return terms / count


@device
def mean_gradient(twice: Lanes, count: int) -> Lanes:
    return twice / count


@device
def twice_the_error(total: Lanes, bias: Lanes, target: float) -> Lanes:
    """Return ``2 * (total + bias - target)`` in two operations, or in one if the target is 0.

    To double before rounding or after gives the same bits. Only where a double overflows it
    does not, and then the result is not finite.
    """
    return multiply_add(total, 2.0, bias + bias) - 2.0 * target


LOSSES = {
    "sse": Loss(squared_error, sum_total, sum_gradient),
    "mse": Loss(squared_error, mean_total, mean_gradient),
}


@cache
def make_total_loss(name: str, known: PatternSource, memory: Memory) -> Callable[[Patterns, Rows], Lanes]:
    """Return the loss called ``name`` (a key of :data:`LOSSES`) as a function of patterns and errors."""
    term, total, _ = LOSSES[name]
    load, fill = memory.load, memory.fill

    @device
    def total_loss(patterns: Patterns, errors: Rows) -> Lanes:
        count = known(patterns).targets.size
        terms = fill(-0.0)
        for k in range(count):
            terms = terms + term(load(errors, k))
        return total(terms, count)

    return total_loss


@cache
def make_large_errors(known: PatternSource, memory: Memory) -> Callable[[Patterns, Signals], Lanes]:
    """Return the test for errors, as they are or doubled, of 2 or more in size: bits all 0 in lanes that have none.

    The loss is plainly finite there. One bit tells: the highest of the exponent is set in
    numbers from 2 upwards, in infinities and in NaN.
    """
    load, fill = memory.load, memory.fill
    highest = 1 << (62 if memory.dtype == "float64" else 30)

    @device
    def large_errors(patterns: Patterns, signals: Signals) -> Lanes:
        union = bits(fill(0.0))
        for k in range(known(patterns).targets.size):
            union = union | bits(load(signals.errors, k))
        return union & highest

    return large_errors
