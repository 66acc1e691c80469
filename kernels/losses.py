"""Losses over all patterns and outputs: value and gradient side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kernels.batch import Patterns, PatternSource, Signals
from kernels.jit import device
from kernels.lanes import Lanes, Memory, Rows, any_lane, bits, multiply_add

# Smaller targets are lost beside an output whose double overflows, in float32 too: then so does twice the error.
HUGE = 2.0**60


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
def twice_the_error(output: Lanes, target: float) -> Lanes:
    """Return ``2 * (output - target)``, in one operation where the CPU has it.

    To double before rounding or after gives the same bits, unless a double overflows that is not
    the result: so huge targets take the long way.
    """
    return multiply_add(output, 2.0, -2.0 * target) if abs(target) < HUGE else 2.0 * (output - target)


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
def make_losses_finite(known: PatternSource, memory: Memory) -> Callable[[Patterns, Signals, Signals], bool]:
    """Return the test that the losses of two batches are plainly finite, given their signals.

    They are if every output is below 2 in size; where the target is not, the error is looked at
    instead. One bit tells: the highest of the exponent is set in numbers from 2 upwards, in
    infinities and in NaN.
    """
    load, fill = memory.load, memory.fill
    highest = 1 << (62 if memory.dtype == "float64" else 30)

    @device
    def losses_finite(patterns: Patterns, first: Signals, second: Signals) -> bool:
        targets = known(patterns).targets
        union = bits(fill(0.0))
        for n in range(targets.shape[0]):
            for o in range(targets.shape[1]):
                k = n * targets.shape[1] + o
                if abs(targets[n, o]) < 2.0:
                    union = union | bits(load(first.outputs, k)) | bits(load(second.outputs, k))
                else:
                    union = union | bits(load(first.errors, k)) | bits(load(second.errors, k))
        return not any_lane((union & highest) != 0)

    return losses_finite
