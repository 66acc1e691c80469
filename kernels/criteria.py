"""Convergence criteria, judged before each update."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels import lanes
from kernels.batch import Patterns, PatternSource
from kernels.jit import device
from kernels.lanes import Lanes, Mask, Rows, absolute

NAMES = ("loss", "max_error", "correct", "none")


@cache
def make_criterion(name: str, known: PatternSource, dtype: str, width: int) -> Callable[..., Mask]:
    """Return the criterion called ``name`` (one of :data:`NAMES`).

    The function takes ``(loss, outputs, patterns, below)`` and returns the lanes
    that have converged. Comparisons are strict and false for NaN.
    """
    load = lanes.memory(dtype, width).load

    @device
    def loss_criterion(loss: Lanes, outputs: Rows, patterns: Patterns, below: Lanes) -> Mask:
        return loss < below

    @device
    def max_error_criterion(loss: Lanes, outputs: Rows, patterns: Patterns, below: Lanes) -> Mask:
        met = below == below
        targets = known(patterns).targets
        for n in range(targets.shape[0]):
            for o in range(targets.shape[1]):
                met = met & (absolute(load(outputs, n * targets.shape[1] + o) - targets[n, o]) < below)
        return met

    @device
    def correct_criterion(loss: Lanes, outputs: Rows, patterns: Patterns, below: Lanes) -> Mask:
        met = below == below
        _, targets, _, middle = known(patterns)
        for n in range(targets.shape[0]):
            for o in range(targets.shape[1]):
                y = load(outputs, n * targets.shape[1] + o)
                if targets[n, o] > middle:
                    met = met & (y > middle)
                else:
                    met = met & (y < middle)
        return met

    @device
    def no_criterion(loss: Lanes, outputs: Rows, patterns: Patterns, below: Lanes) -> Mask:
        return below != below

    return {
        "loss": loss_criterion,
        "max_error": max_error_criterion,
        "correct": correct_criterion,
        "none": no_criterion,
    }[name]
