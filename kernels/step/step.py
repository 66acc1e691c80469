"""What a loop knows of training: how packets are looked at, and how they advance from one judging to the next."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kernels.recipe import Recipe
from kernels.simd.jit import device
from kernels.simd.lanes import Mask, Memory, any_lane
from kernels.step.packet import Packet
from kernels.step.patterns import GIVEN, Patterns, PatternSource, constants, own_order
from kernels.step.windows import make_pass, make_predict
from kernels.variant import Variant


class Step(NamedTuple):
    """What happens between two judgings: one step of all patterns, or an epoch of several steps.

    Attributes
    ----------
    look : (patterns, packet, n_hidden)
        Writes the outputs for all patterns, in file order.
    prepare : (patterns, packet)
        What comes between ``look`` and ``stays`` or ``advance``.
    advance : (patterns, packet, n_hidden)
        Takes all steps.
    advance_window : (patterns, packet, n_hidden, k)
        Takes the one of window k.
    stays : (patterns, packet, n_hidden, wanted) -> mask
        Those of the lanes that are wanted which no update of an epoch would change.
    """

    look: Callable[[Patterns, Packet, int], None]
    prepare: Callable[[Patterns, Packet], None]
    advance: Callable[[Patterns, Packet, int], None]
    advance_window: Callable[[Patterns, Packet, int, int], None]
    stays: Callable[[Patterns, Packet, int, Mask], Mask]


def file_order(recipe: Recipe, variant: Variant) -> PatternSource:
    """Return where parts that take patterns in file order read them."""
    return constants(variant.table, recipe.dtype, recipe.architecture.bias) if variant.table else GIVEN


@cache
def make_step(recipe: Recipe, variant: Variant, memory: Memory) -> Step:
    """Return the step of a recipe: of all patterns, or of several windows."""
    return _make_epoch(recipe, variant, memory) if variant.n_windows > 1 else _make_full_step(recipe, variant, memory)


def _make_full_step(recipe: Recipe, variant: Variant, memory: Memory) -> Step:
    """Return the step whose forward pass is the one that is judged."""
    source = file_order(recipe, variant)
    forward, differentiate, update, changes = make_pass(recipe, variant, memory, source, variant.n_patterns)

    @device
    def look(patterns: Patterns, packet: Packet, n_hidden: int) -> None:
        forward(patterns, packet, n_hidden, 0)

    @device
    def prepare(patterns: Patterns, packet: Packet) -> None:
        differentiate(patterns, packet, 0)

    @device
    def advance(patterns: Patterns, packet: Packet, n_hidden: int) -> None:
        update(patterns, packet, n_hidden, 0)

    @device
    def advance_window(patterns: Patterns, packet: Packet, n_hidden: int, k: int) -> None:
        update(patterns, packet, n_hidden, 0)

    @device
    def stays(patterns: Patterns, packet: Packet, n_hidden: int, wanted: Mask) -> Mask:
        return wanted & ~changes(patterns, packet, n_hidden, 0, wanted)

    return Step(look, prepare, advance, advance_window, stays)


def _make_epoch(recipe: Recipe, variant: Variant, memory: Memory) -> Step:
    """Return an epoch of several steps, which is judged by a pass of its own."""
    architecture = recipe.architecture
    source = GIVEN
    if recipe.order == "shuffled":
        source = own_order(architecture.inputs, architecture.outputs, memory)
    size, n_windows = variant.window, variant.n_windows
    last_size = variant.n_patterns - (n_windows - 1) * size
    n_whole = n_windows if last_size == size else n_windows - 1
    whole = make_pass(recipe, variant, memory, source, size)
    last = make_pass(recipe, variant, memory, source, last_size)
    predict = make_predict(recipe, variant, memory, GIVEN)

    @device
    def prepare(patterns: Patterns, packet: Packet) -> None:
        pass  # each window for itself

    @device
    def advance_whole(patterns: Patterns, packet: Packet, n_hidden: int, n0: int) -> None:
        whole.forward(patterns, packet, n_hidden, n0)
        whole.differentiate(patterns, packet, n0)
        whole.update(patterns, packet, n_hidden, n0)

    @device
    def advance_last(patterns: Patterns, packet: Packet, n_hidden: int) -> None:
        n0 = n_whole * size
        last.forward(patterns, packet, n_hidden, n0)
        last.differentiate(patterns, packet, n0)
        last.update(patterns, packet, n_hidden, n0)

    @device
    def advance(patterns: Patterns, packet: Packet, n_hidden: int) -> None:
        for k in range(n_whole):
            advance_whole(patterns, packet, n_hidden, k * size)
        if n_whole < n_windows:
            advance_last(patterns, packet, n_hidden)

    @device
    def advance_window(patterns: Patterns, packet: Packet, n_hidden: int, k: int) -> None:
        if n_whole == n_windows or k < n_whole:
            advance_whole(patterns, packet, n_hidden, k * size)
        else:
            advance_last(patterns, packet, n_hidden)

    @device
    def stays(patterns: Patterns, packet: Packet, n_hidden: int, wanted: Mask) -> Mask:
        for k in range(n_whole):
            if not any_lane(wanted):
                return wanted
            whole.forward(patterns, packet, n_hidden, k * size)
            whole.differentiate(patterns, packet, k * size)
            wanted = wanted & ~whole.changes(patterns, packet, n_hidden, k * size, wanted)
        if n_whole < n_windows and any_lane(wanted):
            n0 = n_whole * size
            last.forward(patterns, packet, n_hidden, n0)
            last.differentiate(patterns, packet, n0)
            wanted = wanted & ~last.changes(patterns, packet, n_hidden, n0, wanted)
        return wanted

    return Step(predict, prepare, advance, advance_window, stays)
