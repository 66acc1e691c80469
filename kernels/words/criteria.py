"""Convergence criteria, judged before an update."""

from __future__ import annotations

from collections.abc import Callable

from kernels.data.packet import Packet
from kernels.data.patterns import Patterns, PatternSource
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Mask, Memory, absolute
from kernels.simd.parts import made_once

NAMES = ("loss", "max_error", "correct", "none")


@made_once
def make_criterion(
    name: str, memory: Memory, source: PatternSource, n_outputs: int
) -> Callable[[Patterns, Packet, Lanes, Lanes], Mask]:
    """Return the criterion called ``name`` (one of :data:`NAMES`).

    The function takes ``(patterns, packet, loss, below)``, with the outputs for all patterns, and returns the
    lanes that have converged. Comparisons are strict and false for NaN; no lane converges below NaN.
    """
    load = memory.load

    @device
    def loss_criterion(patterns: Patterns, packet: Packet, loss: Lanes, below: Lanes) -> Mask:
        return loss < below

    @device
    def max_error_criterion(patterns: Patterns, packet: Packet, loss: Lanes, below: Lanes) -> Mask:
        met = below == below
        for n in range(source.n_patterns(patterns)):
            for o in range(n_outputs):
                error = load(packet.outputs, n * n_outputs + o) - source.target(patterns, packet, n, o)
                met = met & (absolute(error) < below)
        return met

    @device
    def correct_criterion(patterns: Patterns, packet: Packet, loss: Lanes, below: Lanes) -> Mask:
        met, middle = below == below, source.middle(patterns)
        for n in range(source.n_patterns(patterns)):
            for o in range(n_outputs):
                y = load(packet.outputs, n * n_outputs + o)
                if source.target(patterns, packet, n, o) > middle:
                    met = met & (y > middle)
                else:
                    met = met & (y < middle)
        return met

    @device
    def no_criterion(patterns: Patterns, packet: Packet, loss: Lanes, below: Lanes) -> Mask:
        return below < below

    return {
        "loss": loss_criterion,
        "max_error": max_error_criterion,
        "correct": correct_criterion,
        "none": no_criterion,
    }[name]
