"""The patterns that networks learn, and where the parts of a kernel read them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernels.data.packet import Packet
from kernels.simd.functions import Lanes
from kernels.simd.jit import device
from kernels.simd.lanes import Memory
from kernels.simd.parts import made_once

Array = NDArray[Any]


class Patterns(NamedTuple):
    """The patterns that networks learn.

    Attributes
    ----------
    inputs : (patterns, inputs)
    targets : (patterns, outputs)
    middle
        Middle of the range of the targets, which separates high from low outputs.
    """

    inputs: Array
    targets: Array
    middle: Any


# Patterns as nested tuples: inputs and targets.
Table: TypeAlias = tuple[tuple[tuple[float, ...], ...], tuple[tuple[float, ...], ...]]


class PatternSource(NamedTuple):
    """Where a part of a kernel reads patterns.

    Every part calls these functions itself: LLVM optimizes each part before it joins them, and unrolls only
    loops whose length it knows then.

    Attributes
    ----------
    input : (patterns, packet, n, i) -> number or lanes
    target : (patterns, packet, n, o) -> number or lanes
    used : (n, i) -> bool
        Whether the products with an input are computed.
    middle : (patterns) -> number
    n_patterns : (patterns) -> int
    """

    input: Callable[[Patterns, Packet, int, int], Lanes]
    target: Callable[[Patterns, Packet, int, int], Lanes]
    used: Callable[[int, int], bool]
    middle: Callable[[Patterns], float]
    n_patterns: Callable[[Patterns], int]


@device
def _always_used(n: int, i: int) -> bool:
    return True


@device
def _given_middle(patterns: Patterns) -> float:
    middle: float = patterns.middle
    return middle


@device
def _given_count(patterns: Patterns) -> int:
    count: int = patterns.targets.shape[0]
    return count


@device
def _given_input(patterns: Patterns, packet: Packet, n: int, i: int) -> Lanes:
    return patterns.inputs[n, i]


@device
def _given_target(patterns: Patterns, packet: Packet, n: int, o: int) -> Lanes:
    return patterns.targets[n, o]


# Patterns in file order, as the kernel was called with them.
GIVEN = PatternSource(_given_input, _given_target, _always_used, _given_middle, _given_count)


@made_once
def constants(table: Table, dtype: str, bias: bool) -> PatternSource:
    """Make the source of patterns that are constants of a kernel, whose zeros are skipped.

    Parameters
    ----------
    table
        The patterns.
    dtype
        Of the networks.
    bias
        Whether the networks have biases.

    Returns
    -------
    PatternSource
    """
    inputs, targets, middle = make_patterns(np.array(table[0]), np.array(table[1]), dtype)
    products, count = used_inputs(inputs, bias), len(inputs)

    @device
    def constant_input(patterns: Patterns, packet: Packet, n: int, i: int) -> Lanes:
        return inputs[n, i]

    @device
    def constant_target(patterns: Patterns, packet: Packet, n: int, o: int) -> Lanes:
        return targets[n, o]

    @device
    def used(n: int, i: int) -> bool:
        is_used: bool = products[n, i]
        return is_used

    @device
    def constant_middle(patterns: Patterns) -> float:
        number: float = middle
        return number

    @device
    def constant_count(patterns: Patterns) -> int:
        return count

    return PatternSource(constant_input, constant_target, used, constant_middle, constant_count)


@cache
def own_order(n_inputs: int, n_outputs: int, memory: Memory) -> PatternSource:
    """Make the source of patterns in an order that each network has of its own.

    Parameters
    ----------
    n_inputs, n_outputs
        Of the networks.
    memory
        Loads rows of lanes.

    Returns
    -------
    PatternSource
    """
    load, n_numbers = memory.load, n_inputs + n_outputs

    @device
    def own_input(patterns: Patterns, packet: Packet, n: int, i: int) -> Lanes:
        return load(packet.shuffled, n * n_numbers + i)

    @device
    def own_target(patterns: Patterns, packet: Packet, n: int, o: int) -> Lanes:
        return load(packet.shuffled, n * n_numbers + n_inputs + o)

    return PatternSource(own_input, own_target, _always_used, _given_middle, _given_count)


def make_patterns(inputs: Array, targets: Array, dtype: str) -> Patterns:
    """Round patterns to ``dtype``.

    Parameters
    ----------
    inputs : (patterns, inputs)
    targets : (patterns, outputs)
    dtype
        ``"float64"`` or ``"float32"``.

    Returns
    -------
    Patterns
        Copies, which cannot be written.
    """
    inputs = np.array(inputs, dtype, order="C")  # copies: the caller's arrays stay the caller's
    targets = np.array(targets, dtype, order="C")
    low, high = float(targets.min()), float(targets.max())
    for array in (inputs, targets):
        array.flags.writeable = False
    return Patterns(inputs, targets, np.dtype(dtype).type((low + high) / 2))


def used_inputs(inputs: Array, bias: bool) -> NDArray[np.bool_]:
    """Return which products with an input must be computed, (patterns, inputs) of bool.

    Products with zero may be left out: they change nothing while all parameters
    are finite. So that a gradient that is not finite always reaches an input
    weight or a bias, where the kernel checks for it, a pattern of zeros keeps its
    first product in networks without biases.

    Parameters
    ----------
    inputs : (patterns, inputs)
    bias
        Whether the networks have biases.
    """
    used = inputs != 0
    if not bias:
        used[:, 0] |= ~used.any(axis=1)
    return np.asarray(used)


def sums_watched(table: Table) -> bool:
    """Return whether NaN in a sum over inputs implies an input weight or hidden bias that is not finite.

    A kernel with constant patterns checks those when a run ends. Finite terms may overflow to
    one infinity and stay there; a sum is NaN only if some term is not finite, and with
    inputs up to 1 in size the product with a finite weight is finite.
    """
    return all(abs(x) <= 1 for row in table[0] for x in row)
