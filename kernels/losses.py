"""Losses over all patterns and outputs: value and gradient side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kernels import lanes
from kernels.batch import Patterns, PatternSource
from kernels.jit import device
from kernels.lanes import Lanes, Rows, any_lane, bits


class Loss(NamedTuple):
    """One loss on lanes: ``total(sum of term(y, target), count)``.

    Attributes
    ----------
    term : (y, target) -> lanes
        What one output adds to the sum.
    total : (sum, count) -> lanes
        The loss, given the sum of terms over ``count`` outputs.
    gradient : (y, target, count) -> lanes
        Its derivative with respect to one output y.
    """

    term: Callable[[Lanes, float], Lanes]
    total: Callable[[Lanes, int], Lanes]
    gradient: Callable[[Lanes, float, int], Lanes]


@device
def squared_error(y: Lanes, target: float) -> Lanes:
    e = y - target
    return e * e


@device
def sum_total(terms: Lanes, count: int) -> Lanes:
    return terms


@device
def sum_gradient(y: Lanes, target: float, count: int) -> Lanes:
    return 2.0 * (y - target)


@device
def mean_total(terms: Lanes, count: int) -> Lanes:
    return terms / count


@device
def mean_gradient(y: Lanes, target: float, count: int) -> Lanes:
    return (2.0 * (y - target)) / count


LOSSES = {
    "sse": Loss(squared_error, sum_total, sum_gradient),
    "mse": Loss(squared_error, mean_total, mean_gradient),
}


@cache
def make_total_loss(name: str, known: PatternSource, dtype: str, width: int) -> Callable[[Patterns, Rows], Lanes]:
    """Return the loss called ``name`` (a key of :data:`LOSSES`) as a function of patterns and outputs."""
    term, total, _ = LOSSES[name]
    memory = lanes.memory(dtype, width)
    load, fill = memory.load, memory.fill

    @device
    def total_loss(patterns: Patterns, outputs: Rows) -> Lanes:
        targets = known(patterns).targets
        n_patterns, n_outputs = targets.shape
        terms = fill(-0.0)
        for n in range(n_patterns):
            for o in range(n_outputs):
                terms = terms + term(load(outputs, n * n_outputs + o), targets[n, o])
        return total(terms, n_patterns * n_outputs)

    return total_loss


@cache
def make_errors_small(known: PatternSource, dtype: str, width: int) -> Callable[[Patterns, Rows], bool]:
    """Return the test that every error of every lane is below 2 in size.

    Then each loss is finite, for the price of a bit: the highest of the exponent is
    set in numbers from 2 upwards, in infinities and in NaN.
    """
    load = lanes.memory(dtype, width).load
    highest = 1 << (62 if dtype == "float64" else 30)

    @device
    def errors_small(patterns: Patterns, outputs: Rows) -> bool:
        targets = known(patterns).targets
        n_patterns, n_outputs = targets.shape
        union = bits(load(outputs, 0) - targets[0, 0])
        for n in range(n_patterns):
            for o in range(n_outputs):
                union = union | bits(load(outputs, n * n_outputs + o) - targets[n, o])
        return not any_lane((union & highest) != 0)

    return errors_small
