"""What is done with the sums of gradients of a window of several blocks: they are clipped, and update parameters."""

from __future__ import annotations

from collections.abc import Callable

from kernels.data.control_layout import make_control_layout
from kernels.data.packet import Packet, Place, make_n_joined, n_layers, numbering, place_of, unit_numbering
from kernels.data.patterns import Patterns
from kernels.lanes.arithmetic import select, sqrt
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.update import SQUARE, UPDATE, Backward, Mode, make_gradient_sinks
from kernels.variant import Variant


@made_once
def make_all_updates(recipe: Recipe, variant: Variant, memory: Memory, mode: Mode = UPDATE) -> Backward:
    """Make the update of all parameters from the sums of a window of several blocks, or the sum of their squares.

    ``(patterns, packet, n0) -> None``: reads ``packet.sums``, and no patterns.
    """
    architecture = recipe.architecture
    n_inputs, n_outputs = architecture.inputs, architecture.outputs
    bias, skip = architecture.bias, architecture.skip
    sink = make_gradient_sinks(recipe, variant, memory, mode)
    number = numbering(architecture, variant.hidden)
    n_joined = make_n_joined(architecture)
    load = memory.load
    update_hidden = (_make_deep_updates if architecture.deep else _make_unit_updates)(recipe, variant, memory, mode)

    @device
    def all_updates(patterns: Patterns, packet: Packet, n0: int) -> None:
        sums = packet.sums
        for o in range(n_outputs):
            if bias:
                row = number.c(packet, o)
                sink.c(packet, row, load(sums, row))
            if skip:
                for i in range(n_inputs + n_joined(packet)):
                    row = number.k(packet, i, o)
                    sink.k(packet, row, load(sums, row))
        update_hidden(packet)

    return all_updates


# Added to the norm of gradients, as in torch.nn.utils.clip_grad_norm_.
_CLIP_EPS = 1e-6


@made_once
def make_clip(recipe: Recipe, variant: Variant, memory: Memory) -> Backward:
    """Make the function that computes the factor of clipped gradients, ``(patterns, packet, n0) -> None``."""
    layout = make_control_layout(recipe)
    row, limit_row = layout.clip_factor, layout.settings.get("clip_norm", 0)
    load, store = memory.load, memory.store

    @device
    def nothing(patterns: Patterns, packet: Packet, n0: int) -> None:
        pass

    if row == 0:
        return nothing
    add_squares = make_all_updates(recipe, variant, memory, SQUARE)

    @device
    def clip(patterns: Patterns, packet: Packet, n0: int) -> None:
        store(packet.control, row, -0.0)
        add_squares(patterns, packet, n0)
        limit = load(packet.control, limit_row)
        norm = sqrt(load(packet.control, row)) + _CLIP_EPS
        store(packet.control, row, select(norm > limit, limit / norm, 1.0))

    return clip


def _make_unit_updates(recipe: Recipe, variant: Variant, memory: Memory, mode: Mode) -> Callable[[Packet], None]:
    """Make the update of the parameters of all units of the one hidden layer: ``(packet)``."""
    n_inputs, n_outputs, bias = recipe.architecture.inputs, recipe.architecture.outputs, recipe.architecture.bias
    sink = make_gradient_sinks(recipe, variant, memory, mode)
    number = unit_numbering(recipe.architecture, variant.hidden)
    load = memory.load

    @device
    def update_unit(packet: Packet, h: int) -> None:
        sums = packet.sums
        for o in range(n_outputs):
            sink.v(packet, number.v(h, o), load(sums, number.v(h, o)))
        for i in range(n_inputs):
            sink.w(packet, number.w(h, i), load(sums, number.w(h, i)))
        if bias:
            sink.b(packet, number.b(h), load(sums, number.b(h)))

    @device
    def update_units(packet: Packet) -> None:
        for h in range(number.n_hidden(packet)):
            update_unit(packet, h)

    return update_units


def _make_deep_updates(recipe: Recipe, variant: Variant, memory: Memory, mode: Mode) -> Callable[[Packet], None]:
    """Make the update of the parameters of all hidden layers and of v: ``(packet)``."""
    sink = make_gradient_sinks(recipe, variant, memory, mode)
    scales = variant.scales_hidden
    n_outputs = recipe.architecture.outputs
    bias, joins_all = recipe.architecture.bias, recipe.architecture.joins_all
    load = memory.load

    @device
    def update_layer(packet: Packet, place: Place) -> None:
        sums = packet.sums
        for h in range(place.n_units):
            first = place.first + h * place.stride
            for row in range(first, first + place.n_below):
                gradient = load(sums, row)
                sink.deep_w(packet, row, gradient * load(packet.control, place.scale) if scales else gradient)
            if bias:
                sink.b(packet, first + place.bias, load(sums, first + place.bias))
            if joins_all:
                for row in range(first + place.bias + bias, first + place.stride):
                    sink.deep_k(packet, row, load(sums, row))

    @device
    def updates(packet: Packet) -> None:
        for layer in range(n_layers(packet)):
            update_layer(packet, place_of(packet, layer))
        place = place_of(packet, n_layers(packet) - 1)
        for h in range(place.n_units):
            first = place.first + h * place.stride + place.n_below
            for row in range(first, first + n_outputs):
                sink.v(packet, row, load(packet.sums, row))

    return updates
