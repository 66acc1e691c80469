"""Skip connections between all layers, where each hidden layer receives the outputs of all earlier layers.

Weights k of a unit follow its bias: first those from the inputs, then those from the units of all layers but the one
directly below, from the lowest up. Those to the outputs are in :mod:`kernels.step.output_layer`.
"""

from __future__ import annotations

from collections.abc import Callable

from kernels.data.packet import Packet, Place, n_layers, numbering, place_of
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.lane_rows import Memory, Rows
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.update import Backward, Mode, make_gradient_sinks, make_start
from kernels.variant import Variant


@made_once
def make_sum_earlier(
    recipe: Recipe, memory: Memory, source: PatternSource, n_patterns: int
) -> Callable[[Patterns, Packet, Place, int, int, Rows], None]:
    """Make the sum over what a unit receives from earlier layers: ``(patterns, packet, place, n0, h, sums)``.

    It writes a row for each pattern of the block to ``sums``.
    """
    n_inputs, n_biases = recipe.architecture.inputs, int(recipe.architecture.bias)
    load, store = memory.load, memory.store

    @device
    def sum_earlier(patterns: Patterns, packet: Packet, place: Place, n0: int, h: int, sums: Rows) -> None:
        first = place.first + h * place.stride + place.bias + n_biases
        for p in range(n_patterns):
            store(sums, p, -0.0)
        for i in range(n_inputs):
            weight = load(packet.parameters, first + i)
            for p in range(n_patterns):
                if source.used(n0 + p, i):
                    store(sums, p, load(sums, p) + source.input(patterns, packet, n0 + p, i) * weight)
        for j in range(place.below_before):
            weight = load(packet.parameters, first + n_inputs + j)
            for p in range(n_patterns):
                store(sums, p, load(sums, p) + load(packet.hidden, j * n_patterns + p) * weight)

    return sum_earlier


@made_once
def make_sum_later(
    recipe: Recipe, variant: Variant, memory: Memory, n_patterns: int
) -> Callable[[Packet, int, int, Rows], None]:
    """Make the sum of derivatives that a unit receives from layers above the next: ``(packet, layer, i, sums)``.

    It is over the units of these layers from the lowest up, and then over outputs, one row of ``sums`` for each pattern
    of the block.
    """
    architecture = recipe.architecture
    n_inputs, n_outputs, n_biases = architecture.inputs, architecture.outputs, int(architecture.bias)
    number = numbering(architecture, variant.hidden)
    load, store = memory.load, memory.store

    @device
    def sum_later(packet: Packet, layer: int, i: int, sums: Rows) -> None:
        for p in range(n_patterns):
            store(sums, p, -0.0)
        row = n_inputs + place_of(packet, layer).units_before + i
        for upper in range(layer + 2, n_layers(packet)):
            above = place_of(packet, upper)
            first = packet.sizes.deltas + above.units_before * n_patterns
            for h in range(above.n_units):
                weight = load(packet.parameters, above.first + h * above.stride + above.bias + n_biases + row)
                for p in range(n_patterns):
                    store(sums, p, load(sums, p) + load(packet.hidden_slopes, first + h * n_patterns + p) * weight)
        for o in range(n_outputs):
            weight = load(packet.parameters, number.k(packet, row, o))
            for p in range(n_patterns):
                store(sums, p, load(sums, p) + load(packet.gradients, p * n_outputs + o) * weight)

    @device
    def nothing(packet: Packet, layer: int, i: int, sums: Rows) -> None:
        pass

    return sum_later if architecture.joins_all else nothing


@made_once
def make_shortcut_gradients(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, mode: Mode
) -> Backward:
    """Make the backward pass of the weights k to all hidden layers: ``(patterns, packet, n0)``."""
    n_inputs, n_biases = recipe.architecture.inputs, int(recipe.architecture.bias)
    sink = make_gradient_sinks(recipe, variant, memory, mode)
    start = make_start(memory, mode)
    load = memory.load

    @device
    def unit_gradients(patterns: Patterns, packet: Packet, place: Place, n0: int, h: int) -> None:
        first = place.first + h * place.stride + place.bias + n_biases
        delta = packet.sizes.deltas + (place.units_before + h) * n_patterns
        for i in range(n_inputs):
            total = start(packet, first + i)
            for p in range(n_patterns):
                if source.used(n0 + p, i):
                    x = source.input(patterns, packet, n0 + p, i)
                    total = total + x * load(packet.hidden_slopes, delta + p)
            sink.deep_k(packet, first + i, total)
        for j in range(place.below_before):
            total = start(packet, first + n_inputs + j)
            for p in range(n_patterns):
                total = total + load(packet.hidden, j * n_patterns + p) * load(packet.hidden_slopes, delta + p)
            sink.deep_k(packet, first + n_inputs + j, total)

    @device
    def shortcut_gradients(patterns: Patterns, packet: Packet, n0: int) -> None:
        for layer in range(1, n_layers(packet)):
            place = place_of(packet, layer)
            for h in range(place.n_units):
                unit_gradients(patterns, packet, place, n0, h)

    return shortcut_gradients
