"""The data of a packet of networks, and the row of each parameter: rows of lanes, one network in each lane.

Parameters lie layer after layer and unit after unit: unit h of the last hidden layer has w[0, h] .., then v[h, 0] ..,
then b[h], one of another layer w[0, h] .. and b[h]. Where each layer receives the outputs of all earlier ones, k2[0, h]
.. of a unit follow its bias. The output biases c and then the skip connections k follow the last unit. Each state of an
optimizer lies behind the parameters in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.lanes.arithmetic import Lanes
from kernels.lanes.lane_rows import Memory, Rows
from kernels.numba.jit import device
from kernels.recipe import Architecture


class Stack(NamedTuple):
    """Sizes of several hidden layers, and where their rows are."""

    n_parameters: int  # parameters of a network
    # The first row of derivatives of the loss with respect to sums z, counted from ``Packet.hidden_slopes``. That of
    # unit h of a layer and pattern p of a block is at (units of the layers below + h) * patterns + p.
    deltas: int
    scales: int  # the first row of control that holds the factor of a layer's sums
    # (layers, fields) of int64: for each hidden layer from the inputs up the numbers that :class:`Place` has
    places: NDArray[np.int64]


class Place(NamedTuple):
    """One of several hidden layers."""

    # Its units, and those of the layer below, or the inputs
    n_units: int
    n_below: int
    # The row of the first parameter of its first unit, and rows from one unit to the next
    first: int
    stride: int
    bias: int  # the row of a unit's bias, counted from the unit's first parameter
    # Units of all layers below it, and of all below the layer below
    units_before: int
    below_before: int
    scale: int  # the row of control with the factor of its sums


class Packet(NamedTuple):
    """Networks that train side by side. All attributes but the first are rows of lanes."""

    # Hidden units of each network, or the sizes of several hidden layers
    sizes: Any  # int, or Stack
    parameters: Rows  # parameters, and behind them the states of the optimizer
    control: Rows  # rows of :mod:`kernels.data.control_layout`
    sums: Rows  # gradients of the parameters, to which the blocks of a window add
    totals: Rows  # u of pattern n and output o at n * outputs + o, if the loss reads it
    outputs: Rows  # y of pattern n and output o at n * outputs + o
    # The derivative of y with respect to u at n * outputs + o, or y itself if the derivative is computed from it
    output_slopes: Rows
    # The derivative of the loss with respect to u of pattern p of a block and output o at p * outputs + o
    gradients: Rows
    # Activation of unit h for pattern p of a block at h * patterns + p; h counts the units of all hidden layers
    hidden: Rows
    hidden_slopes: Rows  # the derivative of the activation at h * patterns + p, or the activation itself
    previous: Rows  # one row: the loss at the evaluation before
    latest: Rows  # one row: the loss now
    # Where each network has its own patterns: its inputs, if they differ too, and then targets of pattern n one after
    # another, behind all patterns the decision threshold, and then inputs and targets of held-out patterns
    own: Rows
    # Inputs and then targets of pattern n of an epoch at n * (inputs + outputs), where each network has an order of
    # its own
    shuffled: Rows
    # Rows of float64: for the schedule of learning rates, see :mod:`kernels.step.schedule`, and behind them for sums
    # of losses, see :mod:`kernels.loop.loss_sums`
    doubles: Rows
    kept: Rows  # a copy of the parameters, the states, and the numbers that count updates, while updates are tried


class UnitNumbering(NamedTuple):
    """Functions for kernels of one hidden layer: the row of each parameter of a unit, counted from the first."""

    w: Callable[[int, int], int]  # (h, i)
    v: Callable[[int, int], int]  # (h, o)
    b: Callable[[int], int]  # (h)
    n_hidden: Callable[[Packet], int]


class Numbering(NamedTuple):
    """Functions for kernels: the row of each parameter that belongs to no unit, counted from the first parameter."""

    c: Callable[[Packet, int], int]  # (packet, o)
    # (packet, i, o), where i may be an input, and with ``joins_all`` the inputs plus a hidden unit of all layers
    k: Callable[[Packet, int, int], int]
    n_parameters: Callable[[Packet], int]


@cache
def unit_numbering(architecture: Architecture, hidden: int | None = None) -> UnitNumbering:
    """Return the row numbers of units, with ``hidden`` of them if that is a constant of the kernel."""
    n_unit, n_inputs, n_outputs = architecture.n_unit_parameters, architecture.inputs, architecture.outputs

    @device
    def w(h: int, i: int) -> int:
        return h * n_unit + i

    @device
    def v(h: int, o: int) -> int:
        return h * n_unit + n_inputs + o

    @device
    def b(h: int) -> int:
        return h * n_unit + n_inputs + n_outputs

    @device
    def n_hidden(packet: Packet) -> int:
        if hidden is not None:
            return hidden
        size: int = packet.sizes
        return size

    return UnitNumbering(w, v, b, n_hidden)


@cache
def numbering(architecture: Architecture, hidden: int | None = None) -> Numbering:
    """Return the row numbers of parameters of no unit, with ``hidden`` units if that is a constant of the kernel."""
    n_unit, n_outputs = architecture.n_unit_parameters, architecture.outputs
    n_biases = n_outputs * architecture.bias
    n_tail = architecture.n_output_parameters

    @device
    def n_of_units(packet: Packet) -> int:
        count: int = (packet.sizes if hidden is None else hidden) * n_unit
        return count

    @device
    def n_of_layers(packet: Packet) -> int:
        count: int = packet.sizes.n_parameters - n_tail
        return count

    @device
    def n_of_joined_layers(packet: Packet) -> int:
        last = place_of(packet, n_layers(packet) - 1)
        count: int = last.first + last.n_units * last.stride
        return count

    first = n_of_joined_layers if architecture.joins_all else n_of_layers if architecture.deep else n_of_units

    @device
    def c(packet: Packet, o: int) -> int:
        return first(packet) + o

    @device
    def k(packet: Packet, i: int, o: int) -> int:
        return first(packet) + n_biases + i * n_outputs + o

    @device
    def n_parameters(packet: Packet) -> int:
        return first(packet) + n_tail

    @device
    def n_parameters_of_joined(packet: Packet) -> int:
        count: int = packet.sizes.n_parameters
        return count

    return Numbering(c, k, n_parameters_of_joined if architecture.joins_all else n_parameters)


@device
def n_layers(packet: Packet) -> int:
    """Return the number of hidden layers, where there are several."""
    count: int = packet.sizes.places.shape[0]
    return count


@device
def place_of(packet: Packet, layer: int) -> Place:
    """Return the place of one of several hidden layers, counted from the inputs."""
    row = packet.sizes.places[layer]
    return Place(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7])


@cache
def make_n_joined(architecture: Architecture) -> Callable[[Packet], int]:
    """Make the function that counts the hidden units that outputs read through skip connections: ``(packet)``."""

    @device
    def of_layers(packet: Packet) -> int:
        return place_of(packet, n_layers(packet) - 1).units_before

    @device
    def none(packet: Packet) -> int:
        return 0

    return of_layers if architecture.joins_all else none


def make_load_rows(memory: Memory, rows: tuple[int, ...]) -> Callable[[Rows], tuple[Lanes, ...]]:
    """Make the function that loads some rows, at most five, as a tuple: ``(rows)``."""
    load = memory.load
    first, second, third, fourth, fifth = (*rows, 0, 0, 0, 0, 0)[:5]

    def load_none(rows: Rows) -> tuple[Lanes, ...]:
        return ()

    def load_one(rows: Rows) -> tuple[Lanes, ...]:
        return (load(rows, first),)

    def load_two(rows: Rows) -> tuple[Lanes, ...]:
        return load(rows, first), load(rows, second)

    def load_three(rows: Rows) -> tuple[Lanes, ...]:
        return load(rows, first), load(rows, second), load(rows, third)

    def load_four(rows: Rows) -> tuple[Lanes, ...]:
        return load(rows, first), load(rows, second), load(rows, third), load(rows, fourth)

    def load_five(rows: Rows) -> tuple[Lanes, ...]:
        return load(rows, first), load(rows, second), load(rows, third), load(rows, fourth), load(rows, fifth)

    return device((load_none, load_one, load_two, load_three, load_four, load_five)[len(rows)])


def make_store_rows(memory: Memory, rows: tuple[int, ...]) -> Callable[[Rows, tuple[Lanes, ...]], None]:
    """Make the function that stores a tuple in neighboring rows: ``(rows, values)``."""
    store = memory.store
    first = rows[0] if rows else 0

    @device
    def store_rows(rows: Rows, values: tuple[Lanes, ...]) -> None:
        for k in range(len(values)):
            store(rows, first + k, values[k])

    return store_rows
