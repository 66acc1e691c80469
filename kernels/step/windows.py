"""The windows of an epoch: which patterns a step takes, all at once or block by block."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kernels.data.packet import Packet, numbering
from kernels.data.patterns import Patterns, PatternSource
from kernels.recipe import Recipe
from kernels.simd.jit import device, routine
from kernels.simd.lanes import Mask, Memory
from kernels.step.backward import make_backward, make_output_gradients
from kernels.step.forward import make_forward
from kernels.step.update import ADD, TRY, UPDATE, Backward, make_all_updates, make_updaters
from kernels.variant import Variant
from kernels.words.losses import count
from kernels.words.optimizers import optimizer


class Pass(NamedTuple):
    """A forward pass over the patterns of a window, from n0 on, and what an update makes of it.

    Attributes
    ----------
    forward : (patterns, packet, n_hidden, n0)
        Writes outputs; where there are several blocks, also the sums of gradients.
    differentiate : (patterns, packet, n0)
        Writes gradients of outputs, where there is one block.
    update : (patterns, packet, n_hidden, n0)
        Updates parameters.
    changes : (patterns, packet, n_hidden, n0, wanted) -> mask
        In which lanes an update would change something; only lanes that are ``wanted`` count.
    may_stay : (patterns, packet, n_hidden) -> mask
        Lanes in which the first output bias would stay as it is, which costs next to nothing.
    """

    forward: Callable[[Patterns, Packet, int, int], None]
    differentiate: Callable[[Patterns, Packet, int], None]
    update: Callable[[Patterns, Packet, int, int], None]
    changes: Callable[[Patterns, Packet, int, int, Mask], Mask]
    may_stay: Callable[[Patterns, Packet, int], Mask]


@cache
def make_pass(recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, size: int) -> Pass:
    """Return the pass over a window of ``size`` patterns."""
    if size <= variant.most_at_once:
        return _make_pass_at_once(recipe, variant, memory, source, size)
    return _make_pass_in_blocks(recipe, variant, memory, source, size)


def _make_pass_at_once(recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, size: int) -> Pass:
    divisor = count(recipe.reduction, size, recipe.architecture.outputs)
    forward = make_forward(recipe, variant, memory, source, size, slopes=True)
    differentiate = make_output_gradients(recipe, memory, source, size, divisor)
    backward = make_backward(recipe, variant, memory, source, size, UPDATE)
    trial = make_backward(recipe, variant, memory, source, size, TRY)
    update, changes = _make_update(recipe, memory, backward, trial)
    may_stay = make_may_stay(recipe, variant, memory, size)
    return Pass(forward, differentiate, update, changes, may_stay)


def _make_pass_in_blocks(recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, size: int) -> Pass:
    n_patterns, whole = variant.block_patterns, size - size % variant.block_patterns
    divisor = count(recipe.reduction, size, recipe.architecture.outputs)
    add_block = make_add_block(recipe, variant, memory, source, n_patterns, divisor)
    add_pattern = make_add_block(recipe, variant, memory, source, 1, divisor)
    updates = make_all_updates(recipe, variant, memory, trial=False)
    trial = make_all_updates(recipe, variant, memory, trial=True)
    store, number = memory.store, numbering(recipe.architecture)

    @device
    def forward(patterns: Patterns, packet: Packet, n_hidden: int, n0: int) -> None:
        for k in range(number.n_parameters(n_hidden)):
            store(packet.sums, k, -0.0)
        for n in range(n0, n0 + whole, n_patterns):
            add_block(patterns, packet, n_hidden, n)
        if whole < size:
            for n in range(n0 + whole, n0 + size):
                add_pattern(patterns, packet, n_hidden, n)

    @device
    def differentiate(patterns: Patterns, packet: Packet, n0: int) -> None:
        pass  # done with the blocks

    update, changes = _make_update(recipe, memory, updates, trial)
    may_stay = make_may_stay(recipe, variant, memory, 0)
    return Pass(forward, differentiate, update, changes, may_stay)


def _make_update(
    recipe: Recipe, memory: Memory, take_gradients: Backward, try_gradients: Backward
) -> tuple[Callable[[Patterns, Packet, int, int], None], Callable[[Patterns, Packet, int, int, Mask], Mask]]:
    """Return ``update`` and ``changes`` of :class:`Pass`: what happens to parameters, and to the optimizer's powers."""
    method, fill = optimizer(recipe.optimizer, memory), memory.fill
    begin, has_settled, end = method.begin, method.has_settled, method.end

    @device
    def update(patterns: Patterns, packet: Packet, n_hidden: int, n0: int) -> None:
        begin(packet.control)
        take_gradients(patterns, packet, n_hidden, n0, fill(0.0) == fill(0.0))
        end(packet.control)

    @device
    def changes(patterns: Patterns, packet: Packet, n_hidden: int, n0: int, wanted: Mask) -> Mask:
        begin(packet.control)
        return ~has_settled(packet.control) | try_gradients(patterns, packet, n_hidden, n0, wanted)

    return update, changes


def make_may_stay(
    recipe: Recipe, variant: Variant, memory: Memory, n_gradients: int
) -> Callable[[Patterns, Packet, int], Mask]:
    """Return the test whether the first output bias stays, given ``n_gradients`` of outputs, or with 0 their sum."""
    method, n_outputs = optimizer(recipe.optimizer, memory), recipe.architecture.outputs
    take, number = make_updaters(recipe, variant, memory, trial=True).c, numbering(recipe.architecture)
    tells = recipe.architecture.bias and not method.has_powers
    load, fill = memory.load, memory.fill

    @device
    def may_stay(patterns: Patterns, packet: Packet, n_hidden: int) -> Mask:
        if not tells:
            return fill(0.0) == fill(0.0)
        row, total = number.c(n_hidden, 0), fill(-0.0)
        for p in range(n_gradients):
            total = total + load(packet.gradients, p * n_outputs)
        if n_gradients == 0:
            total = load(packet.sums, row)
        return ~take(packet, number.n_parameters(n_hidden), row, total)

    return may_stay


@cache
def make_add_block(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, divisor: float
) -> Callable[[Patterns, Packet, int, int], None]:
    """Return what adds the gradients of a block to the sums: ``(patterns, packet, n_hidden, n0)``."""
    forward = make_forward(recipe, variant, memory, source, n_patterns, slopes=True)
    output_gradients = make_output_gradients(recipe, memory, source, n_patterns, divisor)
    backward, fill = make_backward(recipe, variant, memory, source, n_patterns, ADD), memory.fill

    @device
    def add_block(patterns: Patterns, packet: Packet, n_hidden: int, n0: int) -> None:
        forward(patterns, packet, n_hidden, n0)
        output_gradients(patterns, packet, n0)
        backward(patterns, packet, n_hidden, n0, fill(0.0) == fill(0.0))

    return add_block


@cache
def make_predict(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource
) -> Callable[[Patterns, Packet, int], None]:
    """Return the forward pass over all patterns that is for the judge alone: ``(patterns, packet, n_hidden)``."""
    size = variant.n_patterns
    n_patterns = size if size <= variant.most_at_once else variant.block_patterns
    whole = size - size % n_patterns
    forward = make_forward(recipe, variant, memory, source, n_patterns, slopes=False)
    forward_one = make_forward(recipe, variant, memory, source, 1, slopes=False)

    @routine
    def predict(patterns: Patterns, packet: Packet, n_hidden: int) -> None:
        for n in range(0, whole, n_patterns):
            forward(patterns, packet, n_hidden, n)
        if whole < size:
            for n in range(whole, size):
                forward_one(patterns, packet, n_hidden, n)

    return predict
