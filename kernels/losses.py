"""Losses over all patterns and outputs: value and gradient side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kernels.jit import device
from kernels.lanes import Lanes


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
