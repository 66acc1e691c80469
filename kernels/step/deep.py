"""The forward and the backward pass of one block of patterns through several hidden layers.

Layers are visited in loops over their places: one kernel serves any number of layers of any sizes. The derivatives by
the sums of a layer are computed for all its units before any of the weights above change.
"""

from __future__ import annotations

from collections.abc import Callable

from kernels.components.inlined import activation
from kernels.data.control_layout import OUTPUT_SCALE
from kernels.data.packet import Packet, Place, n_layers, place_of
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.layer import make_forward_layer, make_layer_gradients, make_layer_inputs, make_pattern_inputs
from kernels.step.output_layer import make_finish_outputs
from kernels.step.shortcuts import make_shortcut_gradients, make_sum_earlier, make_sum_later
from kernels.step.update import Backward, Mode, make_gradient_sinks, make_start
from kernels.variant import Variant


@made_once
def make_deep_forward(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, slopes: bool
) -> Callable[[Patterns, Packet, int], None]:
    """Make the forward pass of a block of patterns, as :func:`kernels.step.forward.make_forward`."""
    n_outputs = recipe.architecture.outputs
    first_layer = make_forward_layer(recipe, variant, memory, make_pattern_inputs(recipe, source), n_patterns, slopes)
    inputs = make_layer_inputs(memory, n_patterns)
    sum_earlier = make_sum_earlier(recipe, memory, source, n_patterns) if recipe.architecture.joins_all else None
    next_layer = make_forward_layer(recipe, variant, memory, inputs, n_patterns, slopes, sum_earlier)
    finish_outputs = make_finish_outputs(recipe, variant, memory, source, n_patterns, slopes)
    load, store = memory.load, memory.store
    sums = memory.stack(n_patterns)

    @device
    def sum_outputs(packet: Packet, place: Place, n0: int) -> None:
        """Write the sums over the units of the last hidden layer."""
        u = sums()
        for o in range(n_outputs):
            for p in range(n_patterns):
                store(u, p, -0.0)
            for h in range(place.n_units):
                weight = load(packet.parameters, place.first + h * place.stride + place.n_below + o)
                for p in range(n_patterns):
                    a = load(packet.hidden, (place.units_before + h) * n_patterns + p)
                    store(u, p, load(u, p) + a * weight)
            for p in range(n_patterns):
                store(packet.outputs, (n0 + p) * n_outputs + o, load(u, p))

    @device
    def forward(patterns: Patterns, packet: Packet, n0: int) -> None:
        first_layer(patterns, packet, place_of(packet, 0), n0)
        for layer in range(1, n_layers(packet)):
            next_layer(patterns, packet, place_of(packet, layer), n0)
        sum_outputs(packet, place_of(packet, n_layers(packet) - 1), n0)
        finish_outputs(patterns, packet, n0)

    return forward


@made_once
def make_deep_backward(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, n_patterns: int, mode: Mode
) -> Backward:
    """Make the backward pass of a block to the parameters of all hidden layers and to v, in a mode."""
    last_layer = _make_last_layer(recipe, variant, memory, n_patterns, mode)
    pass_down = _make_pass_down(recipe, variant, memory, n_patterns)
    below = make_layer_inputs(memory, n_patterns)
    patterns_below = make_pattern_inputs(recipe, source)
    layer_gradients = make_layer_gradients(recipe, variant, memory, below, n_patterns, mode)
    first_gradients = make_layer_gradients(recipe, variant, memory, patterns_below, n_patterns, mode)

    shortcut_gradients = make_shortcut_gradients(recipe, variant, memory, source, n_patterns, mode)

    @device
    def backward(patterns: Patterns, packet: Packet, n0: int) -> None:
        last_layer(packet, place_of(packet, n_layers(packet) - 1))
        for layer in range(n_layers(packet) - 1, 0, -1):
            place = place_of(packet, layer)
            pass_down(packet, place, place_of(packet, layer - 1), layer - 1)
            layer_gradients(patterns, packet, place, n0)
        first_gradients(patterns, packet, place_of(packet, 0), n0)

    @device
    def joined_backward(patterns: Patterns, packet: Packet, n0: int) -> None:
        """Update weights after all derivatives, which read those of all layers above."""
        last_layer(packet, place_of(packet, n_layers(packet) - 1))
        for layer in range(n_layers(packet) - 2, -1, -1):
            pass_down(packet, place_of(packet, layer + 1), place_of(packet, layer), layer)
        for layer in range(n_layers(packet) - 1, 0, -1):
            layer_gradients(patterns, packet, place_of(packet, layer), n0)
        first_gradients(patterns, packet, place_of(packet, 0), n0)
        shortcut_gradients(patterns, packet, n0)

    return joined_backward if recipe.architecture.joins_all else backward


def _make_last_layer(
    recipe: Recipe, variant: Variant, memory: Memory, n_patterns: int, mode: Mode
) -> Callable[[Packet, Place], None]:
    """Make the derivatives by the sums of the last hidden layer, and the backward pass of v: ``(packet, place)``."""
    n_outputs = recipe.architecture.outputs
    scales = variant.scales_outputs
    chain = activation(recipe.architecture.activation).chain
    sink = make_gradient_sinks(recipe, variant, memory, mode)
    start = make_start(memory, mode)
    load, store, fill = memory.load, memory.store, memory.fill

    @device
    def unit(packet: Packet, place: Place, h: int) -> None:
        parameters, gradients = packet.parameters, packet.gradients
        v = place.first + h * place.stride + place.n_below
        row = (place.units_before + h) * n_patterns
        for p in range(n_patterns):
            back = fill(-0.0)
            for o in range(n_outputs):
                back = back + load(gradients, p * n_outputs + o) * load(parameters, v + o)
            if scales:
                back = back * load(packet.control, OUTPUT_SCALE)
            slope = load(packet.hidden_slopes, row + p)
            store(packet.hidden_slopes, packet.sizes.deltas + row + p, chain(back, slope))
        for o in range(n_outputs):
            total = start(packet, v + o)
            for p in range(n_patterns):
                total = total + load(packet.hidden, row + p) * load(gradients, p * n_outputs + o)
            sink.v(packet, v + o, total)

    @device
    def last_layer(packet: Packet, place: Place) -> None:
        for h in range(place.n_units):
            unit(packet, place, h)

    return last_layer


def _make_pass_down(
    recipe: Recipe, variant: Variant, memory: Memory, n_patterns: int
) -> Callable[[Packet, Place, Place, int], None]:
    """Make the derivatives by the sums of a layer from those above: ``(packet, place above, place, layer)``."""
    scales, joins_all = variant.scales_hidden, recipe.architecture.joins_all
    sum_later = make_sum_later(recipe, variant, memory, n_patterns)
    chain = activation(recipe.architecture.activation).chain
    load, store = memory.load, memory.store
    sums = memory.stack(n_patterns)

    @device
    def unit(packet: Packet, above: Place, place: Place, layer: int, i: int) -> None:
        back = sums()
        for p in range(n_patterns):
            store(back, p, -0.0)
        first = packet.sizes.deltas + above.units_before * n_patterns
        for h in range(above.n_units):
            weight = load(packet.parameters, above.first + h * above.stride + i)
            for p in range(n_patterns):
                store(back, p, load(back, p) + load(packet.hidden_slopes, first + h * n_patterns + p) * weight)
        if joins_all:
            later = sums()
            sum_later(packet, layer, i, later)
        row = (place.units_before + i) * n_patterns
        for p in range(n_patterns):
            total = load(back, p)
            if scales:
                total = total * load(packet.control, above.scale)
            if joins_all:
                total = total + load(later, p)
            slope = load(packet.hidden_slopes, row + p)
            store(packet.hidden_slopes, packet.sizes.deltas + row + p, chain(total, slope))

    @device
    def pass_down(packet: Packet, above: Place, place: Place, layer: int) -> None:
        for i in range(place.n_units):
            unit(packet, above, place, layer, i)

    return pass_down
