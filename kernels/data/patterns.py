"""The patterns that networks learn, and how the parts of a kernel read them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernels.data.packet import Packet
from kernels.lanes.arithmetic import Lanes
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once

Array = NDArray[Any]


class Patterns(NamedTuple):
    """The patterns that networks learn: one set for all cells, or several, of which each cell has one.

    Attributes
    ----------
    inputs : (patterns, inputs), or (sets, patterns, inputs) where the inputs of sets differ
    targets : (patterns, outputs), or (sets, patterns, outputs) where there are several sets
    decision_threshold : number, or (sets,)
        Outputs above it are high, those below it low: usually the middle of the range of the targets.
    held_inputs, held_targets
        Held-out patterns in as many sets, on which networks are evaluated while they train; None without any.
    """

    inputs: Array
    targets: Array
    decision_threshold: Any
    held_inputs: Any = None
    held_targets: Any = None

    @property
    def n_patterns(self) -> int:
        """Patterns of a set."""
        return int(self.targets.shape[-2])

    @property
    def n_sets(self) -> int:
        """Number of sets."""
        return int(self.targets.shape[0]) if self.targets.ndim == 3 else 1

    def sets(self) -> tuple[Patterns, ...]:
        """Return each set by itself."""
        if self.targets.ndim == 2:
            return (self,)
        inputs = [self.inputs] * self.n_sets if self.inputs.ndim == 2 else self.inputs
        return tuple(map(Patterns, inputs, self.targets, self.decision_threshold))


# Patterns as nested tuples: inputs, targets (none where each network has its own), and the
# decision_threshold.
Table: TypeAlias = tuple[tuple[tuple[float, ...], ...], tuple[tuple[float, ...], ...], float]


class PatternSource(NamedTuple):
    """How a part of a kernel reads patterns.

    Every part calls these functions itself: LLVM optimizes each part before it joins them, and unrolls only
    loops whose length it knows then.
    """

    input: Callable[[Patterns, Packet, int, int], Lanes]
    target: Callable[[Patterns, Packet, int, int], Lanes]
    used: Callable[[int, int], bool]  # (n, i) -> bool: whether the products with an input are computed
    decision_threshold: Callable[[Patterns, Packet], Lanes | float]
    n_patterns: Callable[[Patterns], int]


@device
def _always_used(n: int, i: int) -> bool:
    return True


@device
def _threshold_in_memory(patterns: Patterns, packet: Packet) -> float:
    decision_threshold: float = patterns.decision_threshold
    return decision_threshold


@device
def _count_in_memory(patterns: Patterns) -> int:
    count: int = patterns.targets.shape[0]
    return count


@device
def _input_in_memory(patterns: Patterns, packet: Packet, n: int, i: int) -> Lanes:
    return patterns.inputs[n, i]


@device
def _target_in_memory(patterns: Patterns, packet: Packet, n: int, o: int) -> Lanes:
    return patterns.targets[n, o]


# Patterns in file order, as arguments of the kernel.
IN_MEMORY = PatternSource(_input_in_memory, _target_in_memory, _always_used, _threshold_in_memory, _count_in_memory)


@device
def _held_count(patterns: Patterns) -> int:
    count: int = patterns.held_targets.shape[0]
    return count


@device
def _held_input(patterns: Patterns, packet: Packet, n: int, i: int) -> Lanes:
    number: Lanes = patterns.held_inputs[n, i]
    return number


@device
def _held_target(patterns: Patterns, packet: Packet, n: int, o: int) -> Lanes:
    number: Lanes = patterns.held_targets[n, o]
    return number


# Held-out patterns, as arguments of the kernel.
HELD_OUT = PatternSource(_held_input, _held_target, _always_used, _threshold_in_memory, _held_count)


@made_once
def constants(table: Table, dtype: str, bias: bool) -> PatternSource:
    """Make the source of patterns that are constants of a kernel, whose zeros are skipped."""
    no_targets = np.zeros((len(table[0]), 1))  # which no kernel reads
    raw_targets = np.array(table[1]) if table[1] else no_targets
    inputs, targets, decision_threshold, *_ = make_patterns(np.array(table[0]), raw_targets, dtype, table[2])
    products = used_inputs(inputs, bias)
    count = len(inputs)

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
    def constant_middle(patterns: Patterns, packet: Packet) -> float:
        number: float = decision_threshold
        return number

    @device
    def constant_count(patterns: Patterns) -> int:
        return count

    return PatternSource(constant_input, constant_target, used, constant_middle, constant_count)


@cache
def own_order(n_inputs: int, n_outputs: int, memory: Memory) -> PatternSource:
    """Make the source of patterns in each network's own order."""
    load = memory.load
    n_numbers = n_inputs + n_outputs

    @device
    def own_input(patterns: Patterns, packet: Packet, n: int, i: int) -> Lanes:
        return load(packet.shuffled, n * n_numbers + i)

    @device
    def own_target(patterns: Patterns, packet: Packet, n: int, o: int) -> Lanes:
        return load(packet.shuffled, n * n_numbers + n_inputs + o)

    return PatternSource(own_input, own_target, _always_used, _threshold_in_memory, _count_in_memory)


@made_once
def own_patterns(
    shared: PatternSource,
    memory: Memory,
    sizes: tuple[int, int, int],
    threshold_row: int,
    *,
    own_inputs: bool = True,
    first: int = 0,
) -> PatternSource:
    """Make the source of patterns where each network has its own set, in file order.

    They lie in ``packet.own`` from row ``first`` on, and their decision threshold in another row; ``sizes`` are the
    numbers of patterns, inputs and outputs. ``shared`` is the source of what all networks share; with ``own_inputs``
    each has its own inputs, besides its own targets.
    """
    n_patterns, n_inputs, n_outputs = sizes
    load = memory.load
    first_target = first + (n_inputs if own_inputs else 0)
    n_numbers = first_target - first + n_outputs

    @device
    def input_of_own(patterns: Patterns, packet: Packet, n: int, i: int) -> Lanes:
        return load(packet.own, first + n * n_numbers + i)

    @device
    def target_of_own(patterns: Patterns, packet: Packet, n: int, o: int) -> Lanes:
        return load(packet.own, first_target + n * n_numbers + o)

    @device
    def middle_of_own(patterns: Patterns, packet: Packet) -> Lanes:
        return load(packet.own, threshold_row)

    @device
    def count_of_own(patterns: Patterns) -> int:
        return n_patterns

    own = shared._replace(target=target_of_own, decision_threshold=middle_of_own, n_patterns=count_of_own)
    return own._replace(input=input_of_own, used=_always_used) if own_inputs else own


def make_patterns(inputs: Array, targets: Array, dtype: str, decision_threshold: Any = np.nan) -> Patterns:
    """Round patterns to ``dtype``.

    Parameters
    ----------
    inputs : (patterns, inputs), or (sets, patterns, inputs)
    targets : (patterns, outputs), or (sets, patterns, outputs)
        Both with one set, or both with several.
    dtype
        ``"float64"`` or ``"float32"``.
    decision_threshold : number, or (sets,)
        Outputs above it are high, those below it low; NaN for the middle of the range of the targets.

    Returns
    -------
    Patterns
        Read-only copies. Sets with equal inputs share one copy of them.
    """
    inputs = np.array(inputs, dtype, order="C")  # copies: the caller may change its arrays
    targets = np.array(targets, dtype, order="C")
    several = targets.ndim == 3
    if several and (inputs == inputs[0]).all():
        inputs = inputs[0].copy()
    low, high = (np.asarray(end(axis=(-2, -1)), np.float64) for end in (targets.min, targets.max))
    decision_threshold = np.where(np.isnan(decision_threshold), (low + high) / 2, decision_threshold).astype(dtype)
    for array in (inputs, targets, decision_threshold):
        array.flags.writeable = False
    return Patterns(inputs, targets, decision_threshold if several else decision_threshold[()])


def used_inputs(inputs: Array, bias: bool) -> NDArray[np.bool_]:
    """Return which products with an input must be computed, (patterns, inputs) of bool.

    Products with zero may be left out: they change nothing while all parameters are finite. So that a gradient that is
    not finite always reaches an input weight or a bias, where the kernel checks for it, a pattern of zeros keeps its
    first product in networks without biases.
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
