"""Which outputs of a pattern are right: those on the side of their targets, or of classes the largest."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kernels.data.packet import Packet
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.arithmetic import Lanes, Mask, select
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.vocabulary import OVER_OUTPUTS


class Right(NamedTuple):
    """Which outputs of a pattern are right, from ``packet.outputs``."""

    # (patterns, packet, n) -> lanes: outputs of pattern n that are right; of classes 1 if the largest output is that
    # of the largest target
    n_right: Callable[[Patterns, Packet, int], Lanes]
    whole: Callable[[Patterns, Packet, int], Mask]  # (patterns, packet, n) -> mask: whether all are


@made_once
def make_right(recipe: Recipe, memory: Memory, source: PatternSource) -> Right:
    """Make the functions that find which outputs are right."""
    make = _make_of_classes if recipe.architecture.output in OVER_OUTPUTS else _make_of_outputs
    return make(recipe, memory, source)


@made_once
def make_whole(recipe: Recipe, memory: Memory, source: PatternSource) -> Callable[[Patterns, Packet, int], Mask]:
    """Make the function that finds whether a pattern is right: ``(patterns, packet, n)``.

    Where targets are one-hot, it is right where the output of its class is the largest, whatever the output function.
    """
    return (_make_of_classes if recipe.one_hot else make_right)(recipe, memory, source).whole


@made_once
def make_count_right(recipe: Recipe, memory: Memory, source: PatternSource) -> Callable[[Patterns, Packet], Lanes]:
    """Make the function that counts the patterns that are right: ``(patterns, packet) -> lanes``."""
    whole = make_whole(recipe, memory, source)
    fill = memory.fill

    @device
    def count_right(patterns: Patterns, packet: Packet) -> Lanes:
        n_right = fill(0.0)
        for n in range(source.n_patterns(patterns)):
            n_right = n_right + select(whole(patterns, packet, n), fill(1.0), 0.0)
        return n_right

    return count_right


def _make_of_outputs(recipe: Recipe, memory: Memory, source: PatternSource) -> Right:
    """Make the functions for outputs each by itself."""
    n_outputs = recipe.architecture.outputs
    load = memory.load
    fill = memory.fill

    @device
    def is_right(patterns: Patterns, packet: Packet, n: int, o: int) -> Mask:
        y = load(packet.outputs, n * n_outputs + o)
        target = source.target(patterns, packet, n, o)
        decision_threshold = source.decision_threshold(patterns, packet)
        return select(target > decision_threshold, y > decision_threshold, y < decision_threshold)

    @device
    def n_right(patterns: Patterns, packet: Packet, n: int) -> Lanes:
        total = fill(0.0)
        for o in range(n_outputs):
            total = total + select(is_right(patterns, packet, n, o), fill(1.0), 0.0)
        return total

    @device
    def whole(patterns: Patterns, packet: Packet, n: int) -> Mask:
        right = is_right(patterns, packet, n, 0)
        for o in range(1, n_outputs):
            right = right & is_right(patterns, packet, n, o)
        return right

    return Right(n_right, whole)


def _make_of_classes(recipe: Recipe, memory: Memory, source: PatternSource) -> Right:
    """Make the functions for a class of each pattern."""
    n_outputs = recipe.architecture.outputs
    load = memory.load
    fill = memory.fill

    @device
    def whole(patterns: Patterns, packet: Packet, n: int) -> Mask:
        outputs = packet.outputs
        first = n * n_outputs
        zero = fill(0.0)
        largest = source.target(patterns, packet, n, 0) + zero
        own = load(outputs, first)
        for o in range(1, n_outputs):
            target = source.target(patterns, packet, n, o) + zero
            own = select(target > largest, load(outputs, first + o), own)
            largest = select(target > largest, target, largest)
        # Outputs that are NaN are not below, so a pattern with one is wrong; its own counts unless it is NaN.
        n_below = select(own == own, fill(1.0), 0.0)
        for o in range(n_outputs):
            y = load(outputs, first + o)
            n_below = n_below + select(y < own, fill(1.0), 0.0)
        return n_below == float(n_outputs)

    @device
    def n_right(patterns: Patterns, packet: Packet, n: int) -> Lanes:
        return select(whole(patterns, packet, n), fill(1.0), 0.0)

    return Right(n_right, whole)
