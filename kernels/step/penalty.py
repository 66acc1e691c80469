"""The penalty on squares of parameters of which weight decay is the gradient, as a part of the loss."""

from __future__ import annotations

from collections.abc import Callable

from kernels.data.control_layout import make_control_layout
from kernels.data.packet import Packet, make_n_joined, n_layers, numbering, place_of, unit_numbering
from kernels.lanes.arithmetic import Lanes, select
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.single_weights import make_repeats
from kernels.variant import Variant

# (packet, sum) -> the sum with the squares of some parameters added
AddSquares = Callable[[Packet, Lanes], Lanes]


@made_once
def make_penalized(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Packet, Lanes], Lanes]:
    """Make the function that adds the penalty to a loss: ``(packet, loss) -> lanes``."""
    make_hidden = _make_layers if recipe.architecture.deep else _make_units
    add_hidden, add_outputs = (make(recipe, variant, memory) for make in (make_hidden, _make_outputs))
    load, fill = memory.load, memory.fill
    row = make_control_layout(recipe).settings.get("weight_decay", 0)

    @device
    def penalized(packet: Packet, loss: Lanes) -> Lanes:
        decay = load(packet.control, row)
        squares = add_outputs(packet, add_hidden(packet, fill(-0.0)))
        return select(decay > 0.0, loss + (decay * 0.5) * squares, loss)

    return penalized


@made_once
def _make_add_square(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Packet, Lanes, int], Lanes]:
    """Make the function that adds the square of a parameter to a sum: ``(packet, sum, row) -> lanes``.

    Of parameters that stay equal it adds one.
    """
    load = memory.load
    repeats = make_repeats(recipe, variant)

    @device
    def add_square(packet: Packet, total: Lanes, row: int) -> Lanes:
        if repeats(packet, row):
            return total
        p = load(packet.parameters, row)
        return total + p * p

    return add_square


def _make_units(recipe: Recipe, variant: Variant, memory: Memory) -> AddSquares:
    """Make the sum over w, v and b of the one hidden layer."""
    architecture = recipe.architecture
    n_inputs, n_outputs = architecture.inputs, architecture.outputs
    w, v, b = (recipe.has_decay(kind) for kind in "wvb")
    number = unit_numbering(architecture, variant.hidden)
    add_square = _make_add_square(recipe, variant, memory)

    @device
    def add_units(packet: Packet, total: Lanes) -> Lanes:
        n_hidden = number.n_hidden(packet)
        if w:
            for i in range(n_inputs):
                for h in range(n_hidden):
                    total = add_square(packet, total, number.w(h, i))
        if v:
            for h in range(n_hidden):
                for o in range(n_outputs):
                    total = add_square(packet, total, number.v(h, o))
        if b:
            for h in range(n_hidden):
                total = add_square(packet, total, number.b(h))
        return total

    return add_units


def _make_layers(recipe: Recipe, variant: Variant, memory: Memory) -> AddSquares:
    """Make the sum over w of all hidden layers, v, and b of all hidden layers."""
    n_outputs = recipe.architecture.outputs
    w, v, b = (recipe.has_decay(kind) for kind in "wvb")
    add_square = _make_add_square(recipe, variant, memory)

    @device
    def add_layers(packet: Packet, total: Lanes) -> Lanes:
        if w:
            for layer in range(n_layers(packet)):
                place = place_of(packet, layer)
                for i in range(place.n_below):
                    for h in range(place.n_units):
                        total = add_square(packet, total, place.first + h * place.stride + i)
        if v:
            place = place_of(packet, n_layers(packet) - 1)
            for h in range(place.n_units):
                for o in range(n_outputs):
                    total = add_square(packet, total, place.first + h * place.stride + place.n_below + o)
        if b:
            for layer in range(n_layers(packet)):
                place = place_of(packet, layer)
                for h in range(place.n_units):
                    total = add_square(packet, total, place.first + h * place.stride + place.bias)
        return total

    return add_layers


def _make_outputs(recipe: Recipe, variant: Variant, memory: Memory) -> AddSquares:
    """Make the sum over c and k, which without hidden units are output weights and come first."""
    n_hidden = unit_numbering(recipe.architecture, variant.hidden).n_hidden
    n_inputs, n_outputs, bias = recipe.architecture.inputs, recipe.architecture.outputs, recipe.architecture.bias
    joins_all = recipe.architecture.joins_all
    n_joined = make_n_joined(recipe.architecture)
    c, k = (recipe.has_decay(kind) for kind in "ck")
    number = numbering(recipe.architecture, variant.hidden)
    add_square = _make_add_square(recipe, variant, memory)

    @device
    def layers_have_units(packet: Packet) -> bool:
        return True

    @device
    def layer_has_units(packet: Packet) -> bool:
        return n_hidden(packet) > 0

    has_units = layers_have_units if recipe.architecture.deep else layer_has_units

    @device
    def add_skips_to_layers(packet: Packet, total: Lanes) -> Lanes:
        for layer in range(1, n_layers(packet)):
            place = place_of(packet, layer)
            first = place.first + place.bias + bias
            for i in range(n_inputs + place.below_before):
                for h in range(place.n_units):
                    total = add_square(packet, total, first + h * place.stride + i)
        return total

    @device
    def add_none(packet: Packet, total: Lanes) -> Lanes:
        return total

    add_to_layers = add_skips_to_layers if joins_all else add_none

    @device
    def add_skips(packet: Packet, total: Lanes) -> Lanes:
        total = add_to_layers(packet, total)
        for i in range(n_inputs + n_joined(packet)):
            for o in range(n_outputs):
                total = add_square(packet, total, number.k(packet, i, o))
        return total

    @device
    def add_outputs(packet: Packet, total: Lanes) -> Lanes:
        if k and not has_units(packet):
            total = add_skips(packet, total)
        if c:
            for o in range(n_outputs):
                total = add_square(packet, total, number.c(packet, o))
        if k and has_units(packet):
            total = add_skips(packet, total)
        return total

    return add_outputs
