"""Losses over patterns and outputs, of the sum u and the output y = out(u): value and gradient side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kernels.simd.elementary import elementary
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Memory, absolute, select

NAMES = ("squared", "half_squared", "bce", "hinge")
REDUCTIONS = ("sum", "mean", "pattern_mean")


class Loss(NamedTuple):
    """One loss on lanes; a target is a number or lanes.

    Attributes
    ----------
    term : (u, y, target) -> lanes
        What one pattern and output add to the loss, before the sum is divided by :func:`count` and multiplied by
        ``factor``.
    slope : (y, target) -> lanes
        The derivative of ``factor * term`` with respect to y.
    factor
        Of the whole loss.
    of_sum
        Whether ``slope`` is the derivative with respect to u instead, and ``term`` reads u.
    """

    term: Callable[[Lanes, Lanes, Lanes], Lanes]
    slope: Callable[[Lanes, Lanes], Lanes]
    factor: float = 1.0
    of_sum: bool = False


def count(reduction: str, n_patterns: int, n_outputs: int) -> float:
    """Return by what the sum over patterns and outputs is divided; division by the 1 of ``"sum"`` is exact."""
    return float({"sum": 1, "mean": n_patterns * n_outputs, "pattern_mean": n_patterns}[reduction])


@device
def squared_error(u: Lanes, y: Lanes, target: Lanes) -> Lanes:
    error = y - target
    return error * error


@device
def twice_the_error(y: Lanes, target: Lanes) -> Lanes:
    return 2.0 * (y - target)


@device
def error(y: Lanes, target: Lanes) -> Lanes:
    return y - target


@cache
def loss(name: str, memory: Memory) -> Loss:
    """Return one of the losses of :data:`NAMES` for lanes of ``memory``."""
    softplus, fill = elementary(memory.dtype).softplus, memory.fill

    @device
    def cross_entropy(u: Lanes, y: Lanes, target: Lanes) -> Lanes:
        """(max(u, 0) - target u) + log(1 + e^-|u|), which overflows for no u; NaN stays NaN."""
        return (select(u < 0.0, 0.0, u) - target * u) + softplus(-absolute(u))

    @device
    def hinge(u: Lanes, y: Lanes, target: Lanes) -> Lanes:
        margin = 1.0 - target * y
        return select(margin < 0.0, 0.0, margin)

    @device
    def hinge_slope(y: Lanes, target: Lanes) -> Lanes:
        return select(target * y < 1.0, target * fill(-1.0), 0.0)

    return {
        "squared": Loss(squared_error, twice_the_error),
        "half_squared": Loss(squared_error, error, factor=0.5),
        "bce": Loss(cross_entropy, error, of_sum=True),
        "hinge": Loss(hinge, hinge_slope),
    }[name]
