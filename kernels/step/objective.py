"""The loss over patterns, term by term, and the derivatives of its terms, with smoothed labels and class weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kernels.components.inlined import loss
from kernels.data.control_layout import make_control_layout
from kernels.data.packet import Packet, make_load_rows
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.arithmetic import Lanes, select
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.vocabulary import OVER_OUTPUTS


class Objective(NamedTuple):
    """The loss of an output of a pattern, from ``packet.outputs`` or from the sums in ``packet.totals``."""

    # (patterns, packet, n) -> what the terms of pattern n need, as the last argument of the functions below
    load: Callable[[Patterns, Packet, int], tuple[Any, ...]]
    # (patterns, packet, n, o, loaded) -> lanes: the term, as :class:`kernels.components.declarations.Loss`
    term: Callable[[Patterns, Packet, int, int, tuple[Any, ...]], Lanes]
    slope: Callable[[Patterns, Packet, int, int, tuple[Any, ...]], Lanes]  # the derivative


@made_once
def make_objective(recipe: Recipe, memory: Memory, source: PatternSource, *, of_training: bool = True) -> Objective:
    """Make the loss of the patterns of a source: that of training, or the plain one of held-out patterns."""
    component = loss(recipe.loss)
    term, slope, of_sum = component.term, component.slope, component.output is not None
    n_outputs = recipe.architecture.outputs
    load_settings = make_load_rows(memory, make_control_layout(recipe).rows(component.settings))
    target = _make_smoothed_target(recipe, memory, source) if of_training else source.target
    load = memory.load

    @device
    def load_needed(patterns: Patterns, packet: Packet, n: int) -> tuple[Any, ...]:
        return load_settings(packet.control)

    @device
    def term_of(patterns: Patterns, packet: Packet, n: int, o: int, loaded: tuple[Any, ...]) -> Lanes:
        k = n * n_outputs + o
        y = load(packet.outputs, k)
        u = load(packet.totals, k) if of_sum else y
        return term(u, y, target(patterns, packet, n, o), *loaded)

    @device
    def slope_of(patterns: Patterns, packet: Packet, n: int, o: int, loaded: tuple[Any, ...]) -> Lanes:
        return slope(load(packet.outputs, n * n_outputs + o), target(patterns, packet, n, o), *loaded)

    if not (of_training and recipe.class_weight):
        return Objective(load_needed, term_of, slope_of)
    weight_of = _make_weight(recipe, memory, source)

    @device
    def load_with_weight(patterns: Patterns, packet: Packet, n: int) -> tuple[Any, ...]:
        return weight_of(patterns, packet, n), load_needed(patterns, packet, n)

    @device
    def weighted_term(patterns: Patterns, packet: Packet, n: int, o: int, loaded: tuple[Any, ...]) -> Lanes:
        return loaded[0] * term_of(patterns, packet, n, o, loaded[1])

    @device
    def weighted_slope(patterns: Patterns, packet: Packet, n: int, o: int, loaded: tuple[Any, ...]) -> Lanes:
        return loaded[0] * slope_of(patterns, packet, n, o, loaded[1])

    return Objective(load_with_weight, weighted_term, weighted_slope)


@made_once
def _make_smoothed_target(
    recipe: Recipe, memory: Memory, source: PatternSource
) -> Callable[[Patterns, Packet, int, int], Lanes]:
    """Make the function that returns a target of a source after label smoothing."""
    if "label_smoothing" not in recipe.used:
        return source.target
    architecture = recipe.architecture
    n_classes = float(architecture.outputs if architecture.output in OVER_OUTPUTS else 2)
    row = make_control_layout(recipe).settings["label_smoothing"]
    load = memory.load

    @device
    def smoothed_target(patterns: Patterns, packet: Packet, n: int, o: int) -> Lanes:
        smoothing = load(packet.control, row)
        return source.target(patterns, packet, n, o) * (1.0 - smoothing) + smoothing / n_classes

    return smoothed_target


@made_once
def _make_class(recipe: Recipe, memory: Memory, source: PatternSource) -> Callable[[Patterns, Packet, int], Lanes]:
    """Make the function that returns the number of the class of pattern n, as lanes: ``(patterns, packet, n)``.

    With one output it is 1 where the target is high, otherwise that of the largest target.
    """
    n_outputs = recipe.architecture.outputs
    fill = memory.fill

    @device
    def class_of(patterns: Patterns, packet: Packet, n: int) -> Lanes:
        zero, number = fill(0.0), fill(0.0)
        largest = source.target(patterns, packet, n, 0) + zero
        if n_outputs == 1:
            return select(largest > source.decision_threshold(patterns, packet), zero + 1.0, zero)
        for o in range(1, n_outputs):
            target = source.target(patterns, packet, n, o) + zero
            number = select(target > largest, zero + float(o), number)
            largest = select(target > largest, target, largest)
        return number

    return class_of


@made_once
def _make_weight(recipe: Recipe, memory: Memory, source: PatternSource) -> Callable[[Patterns, Packet, int], Lanes]:
    """Make the function that returns the factor of the terms of pattern n: ``(patterns, packet, n)``."""
    class_of = _make_class(recipe, memory, source)
    n_classes = recipe.architecture.n_classes
    first = make_control_layout(recipe).class_weights
    load = memory.load

    @device
    def weight_of(patterns: Patterns, packet: Packet, n: int) -> Lanes:
        number = class_of(patterns, packet, n)
        weight = load(packet.control, first)
        for k in range(1, n_classes):
            weight = select(number == float(k), load(packet.control, first + k), weight)
        return weight

    return weight_of


@made_once
def make_weigh_classes(recipe: Recipe, memory: Memory, source: PatternSource) -> Callable[[Patterns, Packet], None]:
    """Make the function that writes the weights of classes to control: ``(patterns, packet)``.

    Balanced weights are those of ``sklearn.utils.class_weight.compute_class_weight``: the number of patterns divided by
    that of the classes which have some, and by the number of patterns of the class. Each lane has its own patterns.
    """
    is_balanced = recipe.class_weight == "balanced"
    n_classes = recipe.architecture.n_classes
    given = np.array(() if isinstance(recipe.class_weight, str) else recipe.class_weight, recipe.dtype)
    first = make_control_layout(recipe).class_weights
    class_of = _make_class(recipe, memory, source)
    load, store, fill = memory.load, memory.store, memory.fill

    @device
    def write_nothing(patterns: Patterns, packet: Packet) -> None:
        pass

    @device
    def write_given(patterns: Patterns, packet: Packet) -> None:
        for k in range(n_classes):
            store(packet.control, first + k, fill(given[k]))

    @device
    def write_balanced(patterns: Patterns, packet: Packet) -> None:
        control, one = packet.control, fill(1.0)
        n_patterns = source.n_patterns(patterns)
        for k in range(n_classes):
            store(control, first + k, 0.0)
        for n in range(n_patterns):
            number = class_of(patterns, packet, n)
            for k in range(n_classes):
                store(control, first + k, load(control, first + k) + select(number == float(k), one, 0.0))
        n_present = fill(0.0)
        for k in range(n_classes):
            n_present = n_present + select(load(control, first + k) > 0.0, one, 0.0)
        for k in range(n_classes):
            count = load(control, first + k)
            store(control, first + k, select(count > 0.0, fill(float(n_patterns)) / (n_present * count), one))

    if not recipe.class_weight:
        return write_nothing
    return write_balanced if is_balanced else write_given
