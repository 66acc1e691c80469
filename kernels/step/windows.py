"""The windows of an epoch: which patterns a step takes, all at once or block by block."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kernels.data.packet import Packet, numbering
from kernels.data.patterns import Patterns, PatternSource
from kernels.recipe import Recipe
from kernels.simd.jit import device, routine
from kernels.simd.lanes import Mask, Memory
from kernels.simd.parts import made_once
from kernels.step.backward import make_backward, make_output_gradients
from kernels.step.forward import make_forward
from kernels.step.update import ADD, UPDATE, Backward, make_all_updates
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
    may_stay : (patterns, packet, n_hidden) -> mask
        Lanes in which the first output bias would stay as it is, which costs next to nothing.
    """

    forward: Callable[[Patterns, Packet, int, int], None]
    differentiate: Callable[[Patterns, Packet, int], None]
    update: Callable[[Patterns, Packet, int, int], None]
    may_stay: Callable[[Patterns, Packet, int], Mask]


@made_once
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
    update = _make_update(recipe, memory, backward)
    return Pass(forward, differentiate, update, make_may_stay(recipe, memory, size))


def _make_pass_in_blocks(recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, size: int) -> Pass:
    n_patterns, whole = variant.block_patterns, size - size % variant.block_patterns
    divisor = count(recipe.reduction, size, recipe.architecture.outputs)
    add_block = make_add_block(recipe, variant, memory, source, n_patterns, divisor)
    add_pattern = make_add_block(recipe, variant, memory, source, 1, divisor)
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

    update = _make_update(recipe, memory, make_all_updates(recipe, variant, memory))
    return Pass(forward, differentiate, update, make_may_stay(recipe, memory, 0))


def _make_update(
    recipe: Recipe, memory: Memory, take_gradients: Backward
) -> Callable[[Patterns, Packet, int, int], None]:
    """Return ``update`` of :class:`Pass`: what happens to parameters, and to the optimizer's powers."""
    method = optimizer(recipe.optimizer, memory)
    begin, end = method.begin, method.end

    @device
    def update(patterns: Patterns, packet: Packet, n_hidden: int, n0: int) -> None:
        begin(packet.control)
        take_gradients(patterns, packet, n_hidden, n0)
        end(packet.control)

    return update


def make_may_stay(recipe: Recipe, memory: Memory, n_gradients: int) -> Callable[[Patterns, Packet, int], Mask]:
    """Return the test whether the first output bias stays, given ``n_gradients`` of outputs, or with 0 their sum."""
    method, architecture = optimizer(recipe.optimizer, memory), recipe.architecture
    take, rate, n_states = method.update, method.rates[1], len(method.states)
    n_outputs, number = architecture.outputs, numbering(architecture)
    tells = architecture.bias and not method.has_powers
    load, fill = memory.load, memory.fill

    @device
    def may_stay(patterns: Patterns, packet: Packet, n_hidden: int) -> Mask:
        if not tells:
            return fill(0.0) == fill(0.0)
        parameters, control = packet.parameters, packet.control
        row, total = number.c(n_hidden, 0), fill(-0.0)
        for p in range(n_gradients):
            total = total + load(packet.gradients, p * n_outputs)
        if n_gradients == 0:
            total = load(packet.sums, row)
        n_parameters = number.n_parameters(n_hidden)
        first = load(parameters, n_parameters + row) if n_states > 0 else total
        second = load(parameters, 2 * n_parameters + row) if n_states > 1 else total
        change, _, _ = take(total, first, second, load(control, rate), control)
        return load(parameters, row) - change == load(parameters, row)

    return may_stay


@made_once
def make_add_block(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, divisor: float
) -> Callable[[Patterns, Packet, int, int], None]:
    """Return what adds the gradients of a block to the sums: ``(patterns, packet, n_hidden, n0)``."""
    forward = make_forward(recipe, variant, memory, source, n_patterns, slopes=True)
    output_gradients = make_output_gradients(recipe, memory, source, n_patterns, divisor)
    backward = make_backward(recipe, variant, memory, source, n_patterns, ADD)

    @device
    def add_block(patterns: Patterns, packet: Packet, n_hidden: int, n0: int) -> None:
        forward(patterns, packet, n_hidden, n0)
        output_gradients(patterns, packet, n0)
        backward(patterns, packet, n_hidden, n0)

    return add_block


@made_once
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
