"""Convergence criteria, judged before each update."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels.batch import Patterns, PatternSource
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Mask, Memory, Rows, absolute

NAMES = ("loss", "max_error", "correct", "none")


@cache
def make_criterion(name: str, known: PatternSource, memory: Memory) -> Callable[..., Mask]:
    """Return the criterion called ``name`` (one of :data:`NAMES`).

    The function takes ``(patterns, loss, outputs, errors, below)`` and returns the lanes
    that have converged. Comparisons are strict and false for NaN.
    """
    load = memory.load

    @device
    def loss_criterion(patterns: Patterns, loss: Lanes, outputs: Rows, errors: Rows, below: Lanes) -> Mask:
        return loss < below

    @device
    def max_error_criterion(patterns: Patterns, loss: Lanes, outputs: Rows, errors: Rows, below: Lanes) -> Mask:
        met = below == below
        for k in range(known(patterns).targets.size):
            met = met & (absolute(load(errors, k)) < below)
        return met

    @device
    def correct_criterion(patterns: Patterns, loss: Lanes, outputs: Rows, errors: Rows, below: Lanes) -> Mask:
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
    def no_criterion(patterns: Patterns, loss: Lanes, outputs: Rows, errors: Rows, below: Lanes) -> Mask:
        return below != below

    return {
        "loss": loss_criterion,
        "max_error": max_error_criterion,
        "correct": correct_criterion,
        "none": no_criterion,
    }[name]
