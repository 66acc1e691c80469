"""The backward pass of one block of patterns."""

from __future__ import annotations

from collections.abc import Callable

from kernels.components.inlined import activation
from kernels.data.control_layout import OUTPUT_SCALE
from kernels.data.packet import Packet, make_n_joined, numbering, unit_numbering
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.lane_rows import Memory, Rows
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.deep import make_deep_backward
from kernels.step.forward import hidden_activation
from kernels.step.layer import MOST_INPUTS
from kernels.step.objective import make_objective
from kernels.step.update import Backward, Mode, make_gradient_sinks, make_start
from kernels.variant import Variant
from kernels.vocabulary import LOSSES


@made_once
def make_output_gradients(
    recipe: Recipe, memory: Memory, source: PatternSource, n_patterns: int, count: float
) -> Callable[[Patterns, Packet, int], None]:
    """Make the first part of the backward pass: gradients of the loss with respect to the sums u of the outputs.

    The sum of the terms of the loss is divided by ``count``. ``(patterns, packet, n0)``: writes ``packet.gradients`` of
    the patterns of the block, from n0 on.
    """
    n_outputs = recipe.architecture.outputs
    objective = make_objective(recipe, memory, source)
    of_sum = LOSSES[recipe.loss].output is not None
    chain = None if of_sum else activation(recipe.architecture.output).chain
    load, store = memory.load, memory.store

    @device
    def output_gradients(patterns: Patterns, packet: Packet, n0: int) -> None:
        for p in range(n_patterns):
            loaded = objective.load(patterns, packet, n0 + p)
            for o in range(n_outputs):
                gradient = objective.slope(patterns, packet, n0 + p, o, loaded) / count
                if chain is not None:
                    gradient = chain(gradient, load(packet.output_slopes, (n0 + p) * n_outputs + o))
                store(packet.gradients, p * n_outputs + o, gradient)

    return output_gradients


@made_once
def make_backward(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, mode: Mode
) -> Backward:
    """Make the second part of the backward pass of a block: from gradients of outputs to those of all parameters.

    With the mode UPDATE parameters are updated at once, with ADD gradients are added to ``packet.sums``. ``(patterns,
    packet, n0)``: reads ``packet.gradients`` and the activations of the block.
    """
    number = unit_numbering(recipe.architecture, variant.hidden)
    output_parameters = make_backward_output_parameters(recipe, variant, memory, source, n_patterns, mode)
    if recipe.architecture.deep:
        hidden_layers = make_deep_backward(recipe, variant, memory, source, n_patterns, mode)

        @device
        def deep_backward(patterns: Patterns, packet: Packet, n0: int) -> None:
            output_parameters(patterns, packet, n0)
            hidden_layers(patterns, packet, n0)

        @device
        def joined_backward(patterns: Patterns, packet: Packet, n0: int) -> None:
            hidden_layers(patterns, packet, n0)  # which reads k
            output_parameters(patterns, packet, n0)

        return joined_backward if recipe.architecture.joins_all else deep_backward
    backward_unit = make_backward_unit(recipe, variant, memory, source, n_patterns, mode)

    @device
    def backward(patterns: Patterns, packet: Packet, n0: int) -> None:
        output_parameters(patterns, packet, n0)
        for h in range(number.n_hidden(packet)):
            backward_unit(patterns, packet, n0, h)

    return backward


@made_once
def make_backward_output_parameters(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, mode: Mode
) -> Callable[[Patterns, Packet, int], None]:
    """Make the backward pass of output biases and skip connections, as :func:`make_backward`."""
    architecture = recipe.architecture
    n_inputs, n_outputs, bias = architecture.inputs, architecture.outputs, architecture.bias
    n_direct = n_inputs if architecture.skip else 0
    n_joined = make_n_joined(architecture)
    sink = make_gradient_sinks(recipe, variant, memory, mode)
    start = make_start(memory, mode)
    number = numbering(architecture, variant.hidden)
    load = memory.load

    @device
    def output_parameters(patterns: Patterns, packet: Packet, n0: int) -> None:
        for o in range(n_outputs):
            if bias:
                total = start(packet, number.c(packet, o))
                for p in range(n_patterns):
                    total = total + load(packet.gradients, p * n_outputs + o)
                sink.c(packet, number.c(packet, o), total)
            for i in range(n_direct):
                total = start(packet, number.k(packet, i, o))
                for p in range(n_patterns):
                    if source.used(n0 + p, i):
                        gradient = load(packet.gradients, p * n_outputs + o)
                        total = total + source.input(patterns, packet, n0 + p, i) * gradient
                sink.k(packet, number.k(packet, i, o), total)
            for j in range(n_joined(packet)):
                row = number.k(packet, n_inputs + j, o)
                total = start(packet, row)
                for p in range(n_patterns):
                    total = total + load(packet.hidden, j * n_patterns + p) * load(packet.gradients, p * n_outputs + o)
                sink.k(packet, row, total)

    return output_parameters


@made_once
def make_backward_unit(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, mode: Mode
) -> Callable[[Patterns, Packet, int, int], None]:
    """Make the backward pass of the weights and the bias of one hidden unit: ``(patterns, packet, n0, h)``."""
    architecture = recipe.architecture
    n_outputs, bias = architecture.outputs, architecture.bias
    number = unit_numbering(architecture, variant.hidden)
    scales = variant.scales_outputs
    chain = hidden_activation(recipe, variant).chain
    sink = make_gradient_sinks(recipe, variant, memory, mode)
    start = make_start(memory, mode)
    input_weights = make_backward_inputs(recipe, variant, memory, source, n_patterns, mode)
    load, store, fill = memory.load, memory.store, memory.fill
    make_deltas = memory.stack(n_patterns)

    @device
    def backward_unit(patterns: Patterns, packet: Packet, n0: int, h: int) -> None:
        parameters, gradients = packet.parameters, packet.gradients
        deltas = make_deltas()
        for p in range(n_patterns):
            back = fill(-0.0)
            for o in range(n_outputs):
                back = back + load(gradients, p * n_outputs + o) * load(parameters, number.v(h, o))
            if scales:
                back = back * load(packet.control, OUTPUT_SCALE)
            store(deltas, p, chain(back, load(packet.hidden_slopes, h * n_patterns + p)))
        for o in range(n_outputs):
            total = start(packet, number.v(h, o))
            for p in range(n_patterns):
                total = total + load(packet.hidden, h * n_patterns + p) * load(gradients, p * n_outputs + o)
            sink.v(packet, number.v(h, o), total)
        if bias:
            total = start(packet, number.b(h))
            for p in range(n_patterns):
                total = total + load(deltas, p)
            sink.b(packet, number.b(h), total)
        input_weights(patterns, packet, deltas, n0, h)

    return backward_unit


@made_once
def make_backward_inputs(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, mode: Mode
) -> Callable[[Patterns, Packet, Rows, int, int], None]:
    """Make the backward pass of the input weights of one hidden unit: ``(patterns, packet, deltas, n0, h)``.

    ``deltas`` are the gradients with respect to z of unit h, one row for each pattern of the block.
    """
    n_inputs = recipe.architecture.inputs
    whole = n_inputs - n_inputs % MOST_INPUTS
    firsts = range(0, whole, MOST_INPUTS)
    several = make_backward_some_inputs(recipe, variant, memory, source, (n_patterns, firsts), mode)
    firsts = range(whole, n_inputs, max(1, n_inputs - whole))
    rest = make_backward_some_inputs(recipe, variant, memory, source, (n_patterns, firsts), mode)

    @device
    def input_weights(patterns: Patterns, packet: Packet, deltas: Rows, n0: int, h: int) -> None:
        if whole > 0:
            several(patterns, packet, deltas, n0, h)
        if whole < n_inputs:
            rest(patterns, packet, deltas, n0, h)

    return input_weights


@made_once
def make_backward_some_inputs(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, block: tuple[int, range], mode: Mode
) -> Callable[[Patterns, Packet, Rows, int, int], None]:
    """Make the backward pass of some input weights of a hidden unit, a few at a time, as :func:`make_backward_inputs`.

    ``block`` is the number of patterns, and the range of inputs: its step is how many inputs go together.
    """
    n_patterns, inputs = block
    number = unit_numbering(recipe.architecture, variant.hidden)
    first, end, n_inputs = inputs.start, inputs.stop, inputs.step
    sink = make_gradient_sinks(recipe, variant, memory, mode)
    start = make_start(memory, mode)
    load, store = memory.load, memory.store
    make_sums = memory.stack(n_inputs)

    @device
    def some_inputs(patterns: Patterns, packet: Packet, deltas: Rows, n0: int, h: int) -> None:
        sums = make_sums()
        for i0 in range(first, end, n_inputs):
            for i in range(n_inputs):
                store(sums, i, start(packet, number.w(h, i0 + i)))
            for p in range(n_patterns):
                for i in range(n_inputs):
                    if source.used(n0 + p, i0 + i):
                        x = source.input(patterns, packet, n0 + p, i0 + i)
                        store(sums, i, load(sums, i) + x * load(deltas, p))
            for i in range(n_inputs):
                sink.w(packet, number.w(h, i0 + i), load(sums, i))

    return some_inputs
