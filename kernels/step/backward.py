"""The backward pass of one block of patterns."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels.recipe import Recipe
from kernels.simd.jit import device
from kernels.simd.lanes import Mask, Memory, Rows, any_lane
from kernels.step.block import Block
from kernels.step.control import OUTPUT_SCALE
from kernels.step.forward import hidden_activation
from kernels.step.packet import Packet, numbering
from kernels.step.patterns import Patterns, PatternSource
from kernels.step.update import TRY, Mode, make_start, make_takers
from kernels.variant import Variant
from kernels.words.activations import activation
from kernels.words.losses import loss


@cache
def make_output_gradients(
    recipe: Recipe, memory: Memory, source: PatternSource, n_patterns: int, count: float
) -> Callable[[Patterns, Packet, int], None]:
    """Return the first part of backpropagation.

    The function takes ``(patterns, packet, n0)`` and writes the gradients of ``n_patterns`` patterns
    with respect to the sums u, of a loss whose terms are divided by ``count``.
    """
    n_outputs, term = recipe.architecture.outputs, loss(recipe.loss, memory)
    slope, of_sum = term.slope, term.of_sum
    chain = activation(recipe.architecture.output, memory.dtype).chain
    load, store = memory.load, memory.store

    @device
    def output_gradients(patterns: Patterns, packet: Packet, n0: int) -> None:
        for p in range(n_patterns):
            for o in range(n_outputs):
                k = (n0 + p) * n_outputs + o
                y = load(packet.outputs, k)
                gradient = slope(y, source.target(patterns, packet, n0 + p, o)) / count
                if not of_sum:
                    gradient = chain(gradient, load(packet.output_slopes, k))
                store(packet.gradients, p * n_outputs + o, gradient)

    return output_gradients


@cache
def make_backward(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, block: Block, mode: Mode
) -> Callable[[Patterns, Packet, int, int, Mask], Mask]:
    """Return the rest of backpropagation for the patterns of a block.

    The function takes ``(patterns, packet, n_hidden, n0, wanted)``, with the gradients of outputs, and
    returns the lanes in which a parameter or state changed, or would. A trial ends as soon as that is so in
    all that are ``wanted``.
    """
    units, fixed, trial = block.units, variant.hidden, mode == TRY
    several_units = make_backward_units(recipe, variant, memory, source, block, mode)
    one_unit = make_backward_units(recipe, variant, memory, source, block._replace(units=1), mode)
    output_parameters = make_backward_output_parameters(recipe, variant, memory, source, block.patterns, mode)

    @device
    def backward(patterns: Patterns, packet: Packet, n_hidden: int, n0: int, wanted: Mask) -> Mask:
        if fixed is not None:
            n_hidden = fixed
        changed = output_parameters(patterns, packet, n_hidden, n0)
        whole = n_hidden - n_hidden % units
        for h in range(0, whole, units):
            if trial and not any_lane(wanted & ~changed):
                return changed
            changed = changed | several_units(patterns, packet, n_hidden, n0, h)
        for h in range(whole, n_hidden):
            if trial and not any_lane(wanted & ~changed):
                return changed
            changed = changed | one_unit(patterns, packet, n_hidden, n0, h)
        return changed

    return backward


@cache
def make_backward_output_parameters(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, mode: Mode
) -> Callable[[Patterns, Packet, int, int], Mask]:
    """Return what becomes of output biases and skip connections, ``(patterns, packet, n_hidden, n0)``."""
    architecture = recipe.architecture
    n_inputs, n_outputs, bias = architecture.inputs, architecture.outputs, architecture.bias
    n_direct = n_inputs if architecture.skip else 0
    take, start, number = make_takers(recipe, variant, memory, mode), make_start(memory, mode), numbering(architecture)
    load, fill = memory.load, memory.fill

    @device
    def output_parameters(patterns: Patterns, packet: Packet, n_hidden: int, n0: int) -> Mask:
        n_parameters = number.n_parameters(n_hidden)
        changed = fill(0.0) != fill(0.0)
        for o in range(n_outputs):
            if bias:
                total = start(packet, number.c(n_hidden, o))
                for p in range(n_patterns):
                    total = total + load(packet.gradients, p * n_outputs + o)
                changed = changed | take.c(packet, n_parameters, number.c(n_hidden, o), total)
            for i in range(n_direct):
                total = start(packet, number.k(n_hidden, i, o))
                for p in range(n_patterns):
                    if source.used(n0 + p, i):
                        gradient = load(packet.gradients, p * n_outputs + o)
                        total = total + source.input(patterns, packet, n0 + p, i) * gradient
                changed = changed | take.c(packet, n_parameters, number.k(n_hidden, i, o), total)
        return changed

    return output_parameters


@cache
def make_backward_units(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, block: Block, mode: Mode
) -> Callable[[Patterns, Packet, int, int, int], Mask]:
    """Return backpropagation through a few hidden units, ``(patterns, packet, n_hidden, n0, h0)``."""
    architecture, (n_patterns, n_units, n_at_once) = recipe.architecture, block
    n_inputs, n_outputs, bias = architecture.inputs, architecture.outputs, architecture.bias
    number, scales = numbering(architecture), variant.scales_outputs
    chain = hidden_activation(recipe, variant).chain
    take, start = make_takers(recipe, variant, memory, mode), make_start(memory, mode)
    whole = n_inputs - n_inputs % n_at_once
    input_weights = make_backward_inputs(recipe, variant, memory, source, block, mode)
    last_weights = make_backward_inputs(
        recipe, variant, memory, source, block._replace(inputs=n_inputs - whole or 1), mode
    )
    load, store, fill = memory.load, memory.store, memory.fill
    make_deltas = memory.stack(n_patterns * n_units)

    @device
    def backward_units(patterns: Patterns, packet: Packet, n_hidden: int, n0: int, h0: int) -> Mask:
        parameters, gradients = packet.parameters, packet.gradients
        n_parameters = number.n_parameters(n_hidden)
        deltas = make_deltas()
        for u in range(n_units):
            for p in range(n_patterns):
                back = fill(-0.0)
                for o in range(n_outputs):
                    back = back + load(gradients, p * n_outputs + o) * load(parameters, number.v(h0 + u, o))
                if scales:
                    back = back * load(packet.control, OUTPUT_SCALE)
                kept = load(packet.hidden_slopes, (h0 + u) * n_patterns + p)
                store(deltas, u * n_patterns + p, chain(back, kept))
        changed = fill(0.0) != fill(0.0)
        for u in range(n_units):
            for o in range(n_outputs):
                total = start(packet, number.v(h0 + u, o))
                for p in range(n_patterns):
                    a = load(packet.hidden, (h0 + u) * n_patterns + p)
                    total = total + a * load(gradients, p * n_outputs + o)
                changed = changed | take.v(packet, n_parameters, number.v(h0 + u, o), total)
            if bias:
                total = start(packet, number.b(h0 + u))
                for p in range(n_patterns):
                    total = total + load(deltas, u * n_patterns + p)
                changed = changed | take.b(packet, n_parameters, number.b(h0 + u), total)
        for i in range(0, whole, n_at_once):
            changed = changed | input_weights(patterns, packet, deltas, n_parameters, n0, h0, i)
        if whole < n_inputs:
            changed = changed | last_weights(patterns, packet, deltas, n_parameters, n0, h0, whole)
        return changed

    return backward_units


@cache
def make_backward_inputs(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, block: Block, mode: Mode
) -> Callable[[Patterns, Packet, Rows, int, int, int, int], Mask]:
    """Return what becomes of some input weights of a few units.

    The function takes ``(patterns, packet, deltas, n_parameters, n0, h0, i0)``.
    """
    n_patterns, n_units, n_inputs = block
    number = numbering(recipe.architecture)
    take, start = make_takers(recipe, variant, memory, mode), make_start(memory, mode)
    load, store, fill = memory.load, memory.store, memory.fill
    make_sums = memory.stack(n_units * n_inputs)

    @device
    def input_weights(
        patterns: Patterns, packet: Packet, deltas: Rows, n_parameters: int, n0: int, h0: int, i0: int
    ) -> Mask:
        sums = make_sums()
        for u in range(n_units):
            for i in range(n_inputs):
                store(sums, u * n_inputs + i, start(packet, number.w(h0 + u, i0 + i)))
        for p in range(n_patterns):
            for i in range(n_inputs):
                if source.used(n0 + p, i0 + i):
                    x = source.input(patterns, packet, n0 + p, i0 + i)
                    for u in range(n_units):
                        k = u * n_inputs + i
                        store(sums, k, load(sums, k) + x * load(deltas, u * n_patterns + p))
        changed = fill(0.0) != fill(0.0)
        for u in range(n_units):
            for i in range(n_inputs):
                total = load(sums, u * n_inputs + i)
                changed = changed | take.w(packet, n_parameters, number.w(h0 + u, i0 + i), total)
        return changed

    return input_weights
