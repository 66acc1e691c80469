"""The windows of an epoch: a step takes the patterns of its window all at once or block by block."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kernels.components.reductions import count
from kernels.data.packet import Packet, numbering
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.arithmetic import Mask
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once, routine
from kernels.recipe import Recipe
from kernels.step.backward import make_backward, make_output_gradients
from kernels.step.forward import make_forward
from kernels.step.single_weights import make_add_shared, make_hold
from kernels.step.sums import make_all_updates, make_clip
from kernels.step.update import ADD, OUTPUT, UPDATE, Backward, make_clock, make_move
from kernels.variant import Variant
from kernels.vocabulary import OPTIMIZERS


class Pass(NamedTuple):
    """The parts of a step of one window, which begins at pattern n0."""

    # (patterns, packet, n0): writes outputs. Where the window has several blocks, it also adds up the gradients of
    # parameters.
    forward: Callable[[Patterns, Packet, int], None]
    # (patterns, packet, n0): writes gradients of outputs, where the window is one block
    differentiate: Callable[[Patterns, Packet, int], None]
    update: Callable[[Patterns, Packet, int], None]  # (patterns, packet, n0): updates parameters
    # (patterns, packet) -> mask: lanes in which the first output bias would keep its value, a cheap test
    may_be_fixed_point: Callable[[Patterns, Packet], Mask]


@made_once
def make_pass(recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, size: int) -> Pass:
    """Make the parts of a step of one window."""
    if size <= variant.most_at_once:
        return _make_pass_at_once(recipe, variant, memory, source, size)
    return _make_pass_in_blocks(recipe, variant, memory, source, size)


def _make_pass_at_once(recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, size: int) -> Pass:
    divisor = count(recipe.reduction, size, recipe.architecture.outputs)
    forward = make_forward(recipe, variant, memory, source, size, slopes=True)
    differentiate = make_output_gradients(recipe, memory, source, size, divisor)
    backward = make_backward(recipe, variant, memory, source, size, UPDATE)
    update = _make_update(recipe, variant, memory, backward)
    return Pass(forward, differentiate, update, make_may_be_fixed_point(recipe, variant, memory, size))


def _make_pass_in_blocks(recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, size: int) -> Pass:
    n_patterns = variant.block_patterns
    whole = size - size % variant.block_patterns
    divisor = count(recipe.reduction, size, recipe.architecture.outputs)
    add_block = make_add_block(recipe, variant, memory, source, n_patterns, divisor)
    add_pattern = make_add_block(recipe, variant, memory, source, 1, divisor)
    store = memory.store
    number = numbering(recipe.architecture, variant.hidden)
    shares, add_shared = bool(recipe.share), make_add_shared(recipe, variant, memory)

    @device
    def forward(patterns: Patterns, packet: Packet, n0: int) -> None:
        for k in range(number.n_parameters(packet)):
            store(packet.sums, k, -0.0)
        for n in range(n0, n0 + whole, n_patterns):
            add_block(patterns, packet, n)
        if whole < size:
            for n in range(n0 + whole, n0 + size):
                add_pattern(patterns, packet, n)
        if shares:
            add_shared(packet)

    @device
    def differentiate(patterns: Patterns, packet: Packet, n0: int) -> None:
        pass  # done with the blocks

    update = _make_update(recipe, variant, memory, make_all_updates(recipe, variant, memory))
    return Pass(forward, differentiate, update, make_may_be_fixed_point(recipe, variant, memory, 0))


def _make_update(
    recipe: Recipe, variant: Variant, memory: Memory, apply_gradients: Backward
) -> Callable[[Patterns, Packet, int], None]:
    """Make ``update`` of :class:`Pass`, which updates the parameters and the numbers that count updates."""
    begin, end = make_clock(recipe, memory)
    clip = make_clip(recipe, variant, memory)
    if recipe.frozen_weights:
        apply_gradients = _make_held(recipe, variant, memory, apply_gradients)

    @device
    def update(patterns: Patterns, packet: Packet, n0: int) -> None:
        begin(packet)
        clip(patterns, packet, n0)
        apply_gradients(patterns, packet, n0)
        end(packet)

    return update


def _make_held(recipe: Recipe, variant: Variant, memory: Memory, apply_gradients: Backward) -> Backward:
    """Make an update of parameters that leaves weights which are frozen one by one."""
    hold, give_back = make_hold(recipe, variant, memory)

    @device
    def apply_held(patterns: Patterns, packet: Packet, n0: int) -> None:
        hold(packet)
        apply_gradients(patterns, packet, n0)
        give_back(packet)

    return apply_held


def make_may_be_fixed_point(
    recipe: Recipe, variant: Variant, memory: Memory, n_gradients: int
) -> Callable[[Patterns, Packet], Mask]:
    """Make the test whether the first output bias would keep its value.

    ``n_gradients`` gradients of outputs are added up; with 0 ``packet.sums`` holds their sum. ``(patterns, packet) ->
    mask``: all lanes where there are no biases, output biases are frozen, or their update depends on more than their
    gradient: there an output bias proves nothing.
    """
    architecture = recipe.architecture
    n_outputs = architecture.outputs
    number = numbering(architecture, variant.hidden)
    depends_on_more = OPTIMIZERS[recipe.optimizer].clocks or "clip_norm" in recipe.used  # than its own gradient
    bias_proves = architecture.bias and not {"c", "c[0]"} & {*recipe.freeze} and not depends_on_more
    move = make_move(recipe, variant, memory, OUTPUT, recipe.has_decay("c"))
    load = memory.load
    fill = memory.fill

    @device
    def may_be_fixed_point(patterns: Patterns, packet: Packet) -> Mask:
        if not bias_proves:
            return fill(0.0) == fill(0.0)
        row = number.c(packet, 0)
        total = fill(-0.0)
        for p in range(n_gradients):
            total = total + load(packet.gradients, p * n_outputs)
        if n_gradients == 0:
            total = load(packet.sums, row)
        p, _, _ = move(packet, row, total)
        return p == load(packet.parameters, row)

    return may_be_fixed_point


@made_once
def make_add_block(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, divisor: float
) -> Callable[[Patterns, Packet, int], None]:
    """Make the function that adds the gradients of a block of ``n_patterns`` to the sums of its window.

    The sum of the terms of the window's loss is divided by ``divisor``.
    """
    forward = make_forward(recipe, variant, memory, source, n_patterns, slopes=True)
    output_gradients = make_output_gradients(recipe, memory, source, n_patterns, divisor)
    backward = make_backward(recipe, variant, memory, source, n_patterns, ADD)

    @device
    def add_block(patterns: Patterns, packet: Packet, n0: int) -> None:
        forward(patterns, packet, n0)
        output_gradients(patterns, packet, n0)
        backward(patterns, packet, n0)

    return add_block


@made_once
def make_predict(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, *, inline: bool = False
) -> Callable[[Patterns, Packet], None]:
    """Make the forward pass over all patterns that serves only the evaluation of runs.

    ``(patterns, packet) -> None``: writes ``packet.outputs``. It is inlined, or called.
    """
    size = variant.n_patterns
    n_patterns = size if size <= variant.most_at_once else variant.block_patterns
    whole = size - size % n_patterns
    forward = make_forward(recipe, variant, memory, source, n_patterns, slopes=False)
    forward_one = make_forward(recipe, variant, memory, source, 1, slopes=False)

    @(device if inline else routine)
    def predict(patterns: Patterns, packet: Packet) -> None:
        for n in range(0, whole, n_patterns):
            forward(patterns, packet, n)
        if whole < size:
            for n in range(whole, size):
                forward_one(patterns, packet, n)

    return predict
