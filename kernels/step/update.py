"""What becomes of the gradient of a parameter: an update, or a part of a sum."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final, Literal, NamedTuple, TypeAlias

from kernels.data.control import HIDDEN_SCALE, OUTPUT_SCALE
from kernels.data.packet import Packet, numbering
from kernels.data.patterns import Patterns
from kernels.recipe import Recipe
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Memory
from kernels.simd.parts import made_once
from kernels.variant import Variant
from kernels.words.optimizers import optimizer

# What becomes of gradients: parameters are updated, or the gradients are added to the sums of a window of
# several blocks.
Mode: TypeAlias = Literal["update", "add"]
UPDATE: Final = "update"
ADD: Final = "add"

# (packet, n_parameters, row of the parameter, gradient)
Take: TypeAlias = Callable[[Packet, int, int, Lanes], None]

# (patterns, packet, n_hidden, n0)
Backward: TypeAlias = Callable[[Patterns, Packet, int, int], None]


class Takers(NamedTuple):
    """What takes the gradient of a parameter, of each kind.

    Attributes
    ----------
    w
        Of the input weights, whose gradient has yet to be multiplied by the scale of the hidden layer.
    v
        Of the output weights, likewise of the output layer.
    b
        Of the hidden biases.
    c
        Of the output biases and skip connections.
    """

    w: Take
    v: Take
    b: Take
    c: Take


@made_once
def make_updaters(recipe: Recipe, variant: Variant, memory: Memory) -> Takers:
    """Return what updates a parameter and its states."""
    method = optimizer(recipe.optimizer, memory)
    update, rate_rows, n_states = method.update, method.rates, len(method.states)
    load, store = memory.load, memory.store

    def make(rate_row: int, scale_row: int | None) -> Take:
        scale = scale_row or 0  # row 0 of control holds no scale

        @device
        def take(packet: Packet, n_parameters: int, row: int, gradient: Lanes) -> None:
            parameters, control = packet.parameters, packet.control
            if scale > 0:
                gradient = gradient * load(control, scale)
            old = load(parameters, row)
            first = load(parameters, n_parameters + row) if n_states > 0 else gradient
            second = load(parameters, 2 * n_parameters + row) if n_states > 1 else gradient
            change, new_first, new_second = update(gradient, first, second, load(control, rate_row), control)
            store(parameters, row, old - change)
            if n_states > 0:
                store(parameters, n_parameters + row, new_first)
            if n_states > 1:
                store(parameters, 2 * n_parameters + row, new_second)

        return take

    b, c = make(rate_rows[0], None), make(rate_rows[1], None)
    w = make(rate_rows[0], HIDDEN_SCALE) if variant.scales_hidden else b
    v = make(rate_rows[1], OUTPUT_SCALE) if variant.scales_outputs else c
    return Takers(w, v, b, c)


@cache
def make_adders(memory: Memory) -> Takers:
    """Return what writes a sum back, for the next block of a window or the update at its end."""
    store = memory.store

    @device
    def take(packet: Packet, n_parameters: int, row: int, gradient: Lanes) -> None:
        store(packet.sums, row, gradient)

    return Takers(take, take, take, take)


@cache
def make_start(memory: Memory, mode: Mode) -> Callable[[Packet, int], Lanes]:
    """Return what the sum of a gradient starts with, ``(packet, row)``: -0, or the sum over earlier blocks."""
    load, fill = memory.load, memory.fill

    @device
    def first_block(packet: Packet, row: int) -> Lanes:
        return fill(-0.0)

    @device
    def later_block(packet: Packet, row: int) -> Lanes:
        return load(packet.sums, row)

    return later_block if mode == ADD else first_block


@made_once
def make_takers(recipe: Recipe, variant: Variant, memory: Memory, mode: Mode) -> Takers:
    """Return what takes gradients in a mode."""
    return make_adders(memory) if mode == ADD else make_updaters(recipe, variant, memory)


@made_once
def make_all_updates(recipe: Recipe, variant: Variant, memory: Memory) -> Backward:
    """Return the update of all parameters from the sums of a window of several blocks.

    Of the patterns it reads nothing any more.
    """
    architecture = recipe.architecture
    n_inputs, n_outputs = architecture.inputs, architecture.outputs
    bias, skip = architecture.bias, architecture.skip
    take, number = make_updaters(recipe, variant, memory), numbering(architecture)
    load = memory.load

    @device
    def update_unit(packet: Packet, n_parameters: int, h: int) -> None:
        sums = packet.sums
        for o in range(n_outputs):
            take.v(packet, n_parameters, number.v(h, o), load(sums, number.v(h, o)))
        for i in range(n_inputs):
            take.w(packet, n_parameters, number.w(h, i), load(sums, number.w(h, i)))
        if bias:
            take.b(packet, n_parameters, number.b(h), load(sums, number.b(h)))

    @device
    def all_updates(patterns: Patterns, packet: Packet, n_hidden: int, n0: int) -> None:
        n_parameters, sums = number.n_parameters(n_hidden), packet.sums
        for o in range(n_outputs):
            if bias:
                row = number.c(n_hidden, o)
                take.c(packet, n_parameters, row, load(sums, row))
            if skip:
                for i in range(n_inputs):
                    row = number.k(n_hidden, i, o)
                    take.c(packet, n_parameters, row, load(sums, row))
        for h in range(n_hidden):
            update_unit(packet, n_parameters, h)

    return all_updates
