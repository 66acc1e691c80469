"""Losses over all patterns and outputs: value and gradient side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kernels.batch import Patterns, PatternSource
from kernels.jit import device
from kernels.lanes import Lanes, Memory, Rows, any_lane, bits


class Loss(NamedTuple):
    """One loss on lanes, ``total(sum of term(error), count)``; an error is an output less its target.

    Attributes
    ----------
    term : (error) -> lanes
        What one output adds to the sum.
    total : (sum, count) -> lanes
        The loss, given the sum of terms over ``count`` outputs.
    gradient : (error, count) -> lanes
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
def sum_gradient(error: Lanes, count: int) -> Lanes:
    return 2.0 * error


@device
def mean_total(terms: Lanes, count: int) -> Lanes:
    return terms / count


@device
def mean_gradient(error: Lanes, count: int) -> Lanes:
    return (2.0 * error) / count


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
def make_errors_small(known: PatternSource, memory: Memory) -> Callable[[Patterns, Rows, Rows], bool]:
    """Return the test that every error of every lane of two batches is below 2 in size.

    Then each loss is finite, for the price of a bit: the highest of the exponent is
    set in numbers from 2 upwards, in infinities and in NaN.
    """
    load = memory.load
    highest = 1 << (62 if memory.dtype == "float64" else 30)

    @device
    def errors_small(patterns: Patterns, first: Rows, second: Rows) -> bool:
        union = bits(load(first, 0))
        for k in range(known(patterns).targets.size):
            union = union | bits(load(first, k)) | bits(load(second, k))
        return not any_lane((union & highest) != 0)

    return errors_small
