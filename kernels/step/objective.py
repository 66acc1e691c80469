"""The loss over patterns, term by term, and the derivatives of its terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kernels.components.inlined import loss
from kernels.data.control_layout import make_control_layout
from kernels.data.packet import Packet, make_load_rows
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.arithmetic import Lanes
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

    return Objective(load_needed, term_of, slope_of)


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
