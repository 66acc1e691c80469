"""One of several hidden layers: the inputs of its units, its forward pass, and the gradients of weights and biases.

The first layer reads patterns, of which zeros are skipped where they are constants; the others read activations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from kernels.components.inlined import activation
from kernels.data.control_layout import make_control_layout
from kernels.data.packet import Packet, Place, make_load_rows
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.arithmetic import Lanes
from kernels.lanes.lane_rows import Memory, Rows
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.output_layer import make_activate
from kernels.step.update import UPDATE, Mode, make_gradient_sinks, make_start
from kernels.variant import Variant

# How many weights of a unit have their sums in registers at a time.
MOST_INPUTS = 8


class Inputs(NamedTuple):
    """What the units of a layer read."""

    value: Callable[[Patterns, Packet, Place, int, int, int], Lanes]
    used: Callable[[int, int], bool]  # (n, i) -> bool: whether the product with an input is computed
    count: Callable[[Place], int]


@made_once
def make_pattern_inputs(recipe: Recipe, source: PatternSource) -> Inputs:
    """Make the inputs of the first hidden layer: those of patterns."""
    n_inputs = recipe.architecture.inputs
    read = source.input

    @device
    def value(patterns: Patterns, packet: Packet, place: Place, n0: int, p: int, i: int) -> Lanes:
        return read(patterns, packet, n0 + p, i)

    @device
    def count(place: Place) -> int:
        return n_inputs

    return Inputs(value, source.used, count)


@made_once
def make_layer_inputs(memory: Memory, n_patterns: int) -> Inputs:
    """Make the inputs of the other hidden layers: activations of the layer below, for ``n_patterns`` of a block."""
    load = memory.load

    @device
    def value(patterns: Patterns, packet: Packet, place: Place, n0: int, p: int, i: int) -> Lanes:
        return load(packet.hidden, (place.below_before + i) * n_patterns + p)

    @device
    def used(n: int, i: int) -> bool:
        return True

    @device
    def count(place: Place) -> int:
        return place.n_below

    return Inputs(value, used, count)


# (patterns, packet, place, n0, h, sums): see :func:`kernels.step.shortcuts.make_sum_earlier`
SumEarlier: TypeAlias = Callable[[Patterns, Packet, Place, int, int, Rows], None]


@device
def _no_sum(patterns: Patterns, packet: Packet, place: Place, n0: int, h: int, sums: Rows) -> None:
    """Stand for the sum of a layer without skip connections."""


@made_once
def make_forward_layer(
    recipe: Recipe,
    variant: Variant,
    memory: Memory,
    inputs: Inputs,
    n_patterns: int,
    slopes: bool,
    sum_earlier: SumEarlier | None = None,
) -> Callable[[Patterns, Packet, Place, int], None]:
    """Make the forward pass of a hidden layer that reads ``inputs``, as :func:`kernels.step.forward.make_forward`.

    ``(patterns, packet, place, n0)``: writes the activations of the layer, and with ``slopes`` their derivatives.
    ``sum_earlier`` is that of :func:`kernels.step.shortcuts.make_sum_earlier`, None where the layer has no skip
    connections.
    """
    value, used, count = inputs
    scales = variant.scales_hidden
    bias = recipe.architecture.bias
    function = activation(recipe.architecture.activation)
    activate = make_activate(function, variant, memory, n_patterns, slopes)
    load_settings = make_load_rows(memory, make_control_layout(recipe).rows(function.settings))
    load, store = memory.load, memory.store
    sums = memory.stack(n_patterns)
    joined, add_up = sum_earlier is not None, sum_earlier or _no_sum

    @device
    def forward_unit(patterns: Patterns, packet: Packet, place: Place, n0: int, h: int) -> None:
        parameters = packet.parameters
        first = place.first + h * place.stride
        z = sums()
        for p in range(n_patterns):
            store(z, p, -0.0)
        for i in range(count(place)):
            weight = load(parameters, first + i)
            for p in range(n_patterns):
                if used(n0 + p, i):
                    store(z, p, load(z, p) + value(patterns, packet, place, n0, p, i) * weight)
        row = (place.units_before + h) * n_patterns
        if joined:
            earlier = sums()
            add_up(patterns, packet, place, n0, h, earlier)
        for p in range(n_patterns):
            total = load(z, p)
            if scales:
                total = total * load(packet.control, place.scale)
            if joined:
                total = total + load(earlier, p)
            if bias:
                total = total + load(parameters, first + place.bias)
            store(z, p, total)
        for p in range(n_patterns):  # after all loads of parameters, see make_forward_unit in kernels/step/forward.py
            store(packet.hidden, row + p, load(z, p))
        activate(packet.hidden, packet.hidden_slopes, row, load_settings(packet.control))

    @device
    def forward_layer(patterns: Patterns, packet: Packet, place: Place, n0: int) -> None:
        for h in range(place.n_units):
            forward_unit(patterns, packet, place, n0, h)

    return forward_layer


@made_once
def make_weight_sink(
    recipe: Recipe, variant: Variant, memory: Memory, mode: Mode
) -> Callable[[Packet, Place, int, Lanes], None]:
    """Make the function that receives the gradient of a weight w, still without the factor of the layer's scale."""
    receive = make_gradient_sinks(recipe, variant, memory, mode).deep_w
    load = memory.load
    scales = variant.scales_hidden and mode == UPDATE

    @device
    def receive_weight(packet: Packet, place: Place, row: int, gradient: Lanes) -> None:
        if scales:
            gradient = gradient * load(packet.control, place.scale)
        receive(packet, row, gradient)

    return receive_weight


@made_once
def make_layer_gradients(
    recipe: Recipe, variant: Variant, memory: Memory, inputs: Inputs, n_patterns: int, mode: Mode
) -> Callable[[Patterns, Packet, Place, int], None]:
    """Make the backward pass of the weights and biases of a hidden layer, from the derivatives by its sums.

    ``(patterns, packet, place, n0)``, in a mode of :func:`kernels.step.backward.make_backward`.
    """
    count = inputs.count
    bias = recipe.architecture.bias
    load = memory.load
    sink_b = make_gradient_sinks(recipe, variant, memory, mode).b
    start = make_start(memory, mode)
    several = _make_some_weights(recipe, variant, memory, inputs, (n_patterns, MOST_INPUTS), mode)
    one = _make_some_weights(recipe, variant, memory, inputs, (n_patterns, 1), mode)

    @device
    def unit_gradients(patterns: Patterns, packet: Packet, place: Place, n0: int, h: int) -> None:
        first = place.first + h * place.stride
        delta = packet.sizes.deltas + (place.units_before + h) * n_patterns
        if bias:
            total = start(packet, first + place.bias)
            for p in range(n_patterns):
                total = total + load(packet.hidden_slopes, delta + p)
            sink_b(packet, first + place.bias, total)
        whole = count(place) - count(place) % MOST_INPUTS
        for i in range(0, whole, MOST_INPUTS):
            several(patterns, packet, place, n0, h, i)
        for i in range(whole, count(place)):
            one(patterns, packet, place, n0, h, i)

    @device
    def layer_gradients(patterns: Patterns, packet: Packet, place: Place, n0: int) -> None:
        for h in range(place.n_units):
            unit_gradients(patterns, packet, place, n0, h)

    return layer_gradients


@made_once
def _make_some_weights(
    recipe: Recipe, variant: Variant, memory: Memory, inputs: Inputs, block: tuple[int, int], mode: Mode
) -> Callable[[Patterns, Packet, Place, int, int, int], None]:
    """Make the backward pass of some weights of a unit: ``(patterns, packet, place, n0, h, i0)``.

    ``block`` is how many patterns and how many weights go together.
    """
    n_patterns, n_weights = block
    value = inputs.value
    used = inputs.used
    sink_w = make_weight_sink(recipe, variant, memory, mode)
    start = make_start(memory, mode)
    load, store = memory.load, memory.store
    make_sums = memory.stack(n_weights)

    @device
    def some_weights(patterns: Patterns, packet: Packet, place: Place, n0: int, h: int, i0: int) -> None:
        first = place.first + h * place.stride
        delta = packet.sizes.deltas + (place.units_before + h) * n_patterns
        sums = make_sums()
        for i in range(n_weights):
            store(sums, i, start(packet, first + i0 + i))
        for p in range(n_patterns):
            for i in range(n_weights):
                if used(n0 + p, i0 + i):
                    x = value(patterns, packet, place, n0, p, i0 + i)
                    store(sums, i, load(sums, i) + x * load(packet.hidden_slopes, delta + p))
        for i in range(n_weights):
            sink_w(packet, place, first + i0 + i, load(sums, i))

    return some_weights
