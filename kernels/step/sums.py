"""The update of all parameters from the sums of gradients of a window of several blocks."""

from __future__ import annotations

from collections.abc import Callable

from kernels.data.packet import Packet, Place, make_n_joined, n_layers, numbering, place_of, unit_numbering
from kernels.data.patterns import Patterns
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.layer import make_weight_sink
from kernels.step.update import UPDATE, Backward, make_updaters
from kernels.variant import Variant


@made_once
def make_all_updates(recipe: Recipe, variant: Variant, memory: Memory) -> Backward:
    """Make the update of all parameters from the sums of a window of several blocks.

    ``(patterns, packet, n0) -> None``: reads ``packet.sums``, and no patterns.
    """
    architecture = recipe.architecture
    n_inputs, n_outputs = architecture.inputs, architecture.outputs
    bias, skip = architecture.bias, architecture.skip
    sink = make_updaters(recipe, variant, memory)
    number = numbering(architecture, variant.hidden)
    n_joined = make_n_joined(architecture)
    load = memory.load
    update_hidden = (_make_deep_updates if architecture.deep else _make_unit_updates)(recipe, variant, memory)

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


def _make_unit_updates(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Packet], None]:
    """Make the update of the parameters of all units of the one hidden layer: ``(packet)``."""
    n_inputs, n_outputs, bias = recipe.architecture.inputs, recipe.architecture.outputs, recipe.architecture.bias
    sink = make_updaters(recipe, variant, memory)
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


def _make_deep_updates(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Packet], None]:
    """Make the update of the parameters of all hidden layers and of v: ``(packet)``."""
    sink = make_updaters(recipe, variant, memory)
    sink_w = make_weight_sink(recipe, variant, memory, UPDATE)
    n_outputs = recipe.architecture.outputs
    bias, joins_all = recipe.architecture.bias, recipe.architecture.joins_all
    load = memory.load

    @device
    def update_layer(packet: Packet, place: Place) -> None:
        sums = packet.sums
        for h in range(place.n_units):
            first = place.first + h * place.stride
            for row in range(first, first + place.n_below):
                sink_w(packet, place, row, load(sums, row))
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
