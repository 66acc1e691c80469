"""The data of a packet of networks, and the row of each parameter: rows of lanes, one network in each lane.

Parameters lie unit after unit: those of unit h are w[0, h] .., v[h, 0] .., b[h]; the output biases c and then the
skip connections k follow the last unit. Each state of an optimizer lies behind the parameters in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kernels.recipe import Architecture
from kernels.simd.functions import Lanes
from kernels.simd.jit import device
from kernels.simd.lanes import Memory, Rows


class Packet(NamedTuple):
    """Networks that train side by side. All attributes but the first are rows of lanes.

    Attributes
    ----------
    n_hidden
        Hidden units of each network.
    parameters
        Parameters, and behind them the states of the optimizer.
    control
        Rows of :mod:`kernels.data.control`, and behind them those of the words of the recipe.
    sums
        Gradients of the parameters, to which the blocks of a window add.
    totals
        u of pattern n and output o at n * outputs + o, if the loss reads it.
    outputs
        y of pattern n and output o at n * outputs + o.
    output_slopes
        The derivative of y with respect to u at n * outputs + o, or y itself if the derivative is computed from it.
    gradients
        The derivative of the loss with respect to u of pattern p of a block and output o at p * outputs + o.
    hidden
        Activation of unit h for pattern p of a block at h * patterns + p.
    hidden_slopes
        The derivative of the activation at h * patterns + p, or the activation itself.
    previous
        One row: the loss at the judging before.
    latest
        One row: the loss now.
    shuffled
        Inputs and then targets of pattern n of an epoch at n * (inputs + outputs), where each network has an order of
        its own.
    kept
        A copy of the parameters, the states, and the numbers that count updates, while updates are tried.
    """

    n_hidden: int
    parameters: Rows
    control: Rows
    sums: Rows
    totals: Rows
    outputs: Rows
    output_slopes: Rows
    gradients: Rows
    hidden: Rows
    hidden_slopes: Rows
    previous: Rows
    latest: Rows
    shuffled: Rows
    kept: Rows


class Numbering(NamedTuple):
    """Functions for kernels: the row of each parameter, counted from the first one.

    Attributes
    ----------
    w, v, b : (h, i), (h, o) and (h) -> row
    c, k : (packet, o) and (packet, i, o) -> row
    n_hidden, n_parameters : (packet) -> int
    """

    w: Callable[[int, int], int]
    v: Callable[[int, int], int]
    b: Callable[[int], int]
    c: Callable[[Packet, int], int]
    k: Callable[[Packet, int, int], int]
    n_hidden: Callable[[Packet], int]
    n_parameters: Callable[[Packet], int]


@cache
def numbering(architecture: Architecture, hidden: int | None = None) -> Numbering:
    """Return the row numbers of the parameters, with ``hidden`` units if that is a constant of the kernel."""
    n_unit, n_inputs, n_outputs = architecture.n_unit_parameters, architecture.inputs, architecture.outputs
    n_biases, n_tail = n_outputs * architecture.bias, architecture.n_output_parameters

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
        return packet.n_hidden

    @device
    def c(packet: Packet, o: int) -> int:
        return n_hidden(packet) * n_unit + o

    @device
    def k(packet: Packet, i: int, o: int) -> int:
        return n_hidden(packet) * n_unit + n_biases + i * n_outputs + o

    @device
    def n_parameters(packet: Packet) -> int:
        return n_hidden(packet) * n_unit + n_tail

    return Numbering(w, v, b, c, k, n_hidden, n_parameters)


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
    """Make the function that stores a tuple in neighbouring rows: ``(rows, values)``."""
    store, first = memory.store, rows[0] if rows else 0

    @device
    def store_rows(rows: Rows, values: tuple[Lanes, ...]) -> None:
        for k in range(len(values)):
            store(rows, first + k, values[k])

    return store_rows
