"""What a loop knows of training: how packets are looked at, and how they advance from one judging to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kernels.data.packet import Packet, numbering
from kernels.data.patterns import GIVEN, Patterns, PatternSource, constants, own_order
from kernels.recipe import Recipe
from kernels.simd.functions import Mask
from kernels.simd.jit import device, routine
from kernels.simd.lanes import Memory, any_lane
from kernels.simd.parts import made_once
from kernels.step.layout import make_control_layout
from kernels.step.windows import make_pass, make_predict
from kernels.variant import Variant
from kernels.vocabulary import OPTIMIZERS


class Step(NamedTuple):
    """What happens between two judgings: one step of all patterns, or an epoch of several steps.

    Attributes
    ----------
    look : (patterns, packet)
        Writes the outputs for all patterns, in file order.
    prepare : (patterns, packet)
        Writes what ``stays`` and ``advance`` need after ``look``: where a step takes all patterns at once, the
        gradients of outputs.
    may_stay : (patterns, packet) -> mask
        Lanes that an epoch might not change, told cheaply: where it would, some may be among them.
    advance : (patterns, packet)
        Takes all steps.
    advance_window : (patterns, packet, k)
        Takes the step of window k alone.
    stays : (patterns, packet, wanted) -> mask
        Those of the lanes that are wanted which no update of an epoch would change.
    """

    look: Callable[[Patterns, Packet], None]
    prepare: Callable[[Patterns, Packet], None]
    may_stay: Callable[[Patterns, Packet], Mask]
    advance: Callable[[Patterns, Packet], None]
    advance_window: Callable[[Patterns, Packet, int], None]
    stays: Callable[[Patterns, Packet, Mask], Mask]


def file_order(recipe: Recipe, variant: Variant) -> PatternSource:
    """Return where parts of a kernel that take patterns in file order read them."""
    return constants(variant.table, recipe.dtype, recipe.architecture.bias) if variant.table else GIVEN


@made_once
def make_step(recipe: Recipe, variant: Variant, memory: Memory) -> Step:
    """Return the step of a recipe: of all patterns, or of several windows."""
    return _make_epoch(recipe, variant, memory) if variant.n_windows > 1 else _make_full_step(recipe, variant, memory)


def _make_full_step(recipe: Recipe, variant: Variant, memory: Memory) -> Step:
    """Return the step whose forward pass is the one that is judged."""
    source = file_order(recipe, variant)
    forward, differentiate, update, may_stay = make_pass(recipe, variant, memory, source, variant.n_patterns)
    part = device if variant.table else routine  # what registers hold must be inlined

    @part
    def look(patterns: Patterns, packet: Packet) -> None:
        forward(patterns, packet, 0)

    @device
    def prepare(patterns: Patterns, packet: Packet) -> None:
        differentiate(patterns, packet, 0)

    @part
    def advance(patterns: Patterns, packet: Packet) -> None:
        update(patterns, packet, 0)

    @device
    def advance_window(patterns: Patterns, packet: Packet, k: int) -> None:
        advance(patterns, packet)

    stays = part(make_stays(recipe, variant, memory, advance_window))
    return Step(look, prepare, may_stay, advance, advance_window, stays)


def _make_epoch(recipe: Recipe, variant: Variant, memory: Memory) -> Step:
    """Return an epoch of several steps, which is judged by a pass of its own."""
    architecture, size, n_windows = recipe.architecture, variant.window, variant.n_windows
    source = GIVEN
    if variant.shuffles(recipe):
        source = own_order(architecture.inputs, architecture.outputs, memory)
    last_size = variant.n_patterns - (n_windows - 1) * size
    n_whole = n_windows if last_size == size else n_windows - 1
    advance_whole = make_advance_window(recipe, variant, memory, source, size)
    advance_last = make_advance_window(recipe, variant, memory, source, last_size)
    look, fill = make_predict(recipe, variant, memory, GIVEN), memory.fill

    @device
    def prepare(patterns: Patterns, packet: Packet) -> None:
        pass  # each window for itself

    @routine
    def advance(patterns: Patterns, packet: Packet) -> None:
        for k in range(n_whole):
            advance_whole(patterns, packet, k * size)
        if n_whole < n_windows:
            advance_last(patterns, packet, n_whole * size)

    @routine
    def advance_window(patterns: Patterns, packet: Packet, k: int) -> None:
        if n_whole == n_windows or k < n_whole:
            advance_whole(patterns, packet, k * size)
        else:
            advance_last(patterns, packet, n_whole * size)

    @device
    def may_stay(patterns: Patterns, packet: Packet) -> Mask:
        return fill(0.0) == fill(0.0)

    stays = routine(make_stays(recipe, variant, memory, advance_window))
    return Step(look, prepare, may_stay, advance, advance_window, stays)


def make_advance_window(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, size: int
) -> Callable[[Patterns, Packet, int], None]:
    """Return the step of a window of ``size`` patterns: ``(patterns, packet, n0)``."""
    forward, differentiate, update, *_ = make_pass(recipe, variant, memory, source, size)

    @device
    def advance(patterns: Patterns, packet: Packet, n0: int) -> None:
        forward(patterns, packet, n0)
        differentiate(patterns, packet, n0)
        update(patterns, packet, n0)

    return advance


def make_stays(
    recipe: Recipe, variant: Variant, memory: Memory, advance_window: Callable[[Patterns, Packet, int], None]
) -> Callable[[Patterns, Packet, Mask], Mask]:
    """Return the test which lanes no update changes: all are taken, and then taken back. It is yet to be compiled.

    Parameters are compared after each update of an epoch, as one may undo what another did.
    """
    load, store, n_windows = memory.load, memory.store, variant.n_windows
    n_copies = 1 + len(OPTIMIZERS[recipe.optimizer].states)
    n_parameters = numbering(recipe.architecture).n_parameters
    clocks = make_control_layout(recipe).clocks
    first_clock, n_clocks = (clocks[0] if clocks else 0), len(clocks)

    def stays(patterns: Patterns, packet: Packet, wanted: Mask) -> Mask:
        parameters, control, kept = packet.parameters, packet.control, packet.kept
        n_held = n_copies * n_parameters(packet)
        for k in range(n_held):
            store(kept, k, load(parameters, k))
        for k in range(n_clocks):
            store(kept, n_held + k, load(control, first_clock + k))
        for window in range(n_windows):
            if any_lane(wanted):
                advance_window(patterns, packet, window)
                for k in range(n_clocks):
                    wanted = wanted & (load(control, first_clock + k) == load(kept, n_held + k))
                for k in range(n_held):
                    old = load(kept, k)
                    wanted = wanted & (load(parameters, k) == old)
                    if n_windows == 1:
                        store(parameters, k, old)
        if n_windows > 1:
            for k in range(n_held):
                store(parameters, k, load(kept, k))
        for k in range(n_clocks):
            store(control, first_clock + k, load(kept, n_held + k))
        return wanted

    return stays
