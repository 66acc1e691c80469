"""The running loss of an epoch: each pattern counts with the parameters before the update that it is part of."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kernels.components.reductions import count
from kernels.data.control_layout import make_control_layout
from kernels.data.packet import Packet
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.arithmetic import Lanes
from kernels.lanes.lane_rows import Memory
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.objective import make_objective
from kernels.step.penalty import make_penalized
from kernels.variant import Variant
from kernels.vocabulary import LOSSES


class RunningLoss(NamedTuple):
    """The parts of an epoch of several windows that add up its running loss; they do nothing unless it is kept."""

    begin: Callable[[Packet], None]  # (packet): before the first window
    finish: Callable[[Packet], None]  # (packet): after the last window
    load: Callable[[Packet], Lanes]  # (packet) -> lanes: that of the last epoch, NaN before the first
    # Around windows that are only tried: (packet) -> all rows, and (packet, rows)
    keep: Callable[[Packet], tuple[Lanes, Lanes, Lanes]]
    restore: Callable[[Packet, tuple[Lanes, Lanes, Lanes]], None]


@device
def _nothing(packet: Packet) -> None:
    pass


@made_once
def make_running_loss(recipe: Recipe, variant: Variant, memory: Memory) -> RunningLoss:
    """Make the parts of an epoch. In full batch the running loss is the loss at the evaluation before."""
    layout = make_control_layout(recipe)
    row, total_row, penalty_row = layout.running_loss
    factor = LOSSES[recipe.loss].factor
    divisor = count(recipe.reduction, variant.n_patterns, recipe.architecture.outputs)
    has_penalty = recipe.has_penalty
    load, store, fill = memory.load, memory.store, memory.fill

    @device
    def begin(packet: Packet) -> None:
        store(packet.control, total_row, -0.0)
        if has_penalty:
            store(packet.control, penalty_row, -0.0)

    @device
    def finish(packet: Packet) -> None:
        loss = (load(packet.control, total_row) / divisor) * factor
        if has_penalty:
            loss = loss + load(packet.control, penalty_row)
        store(packet.control, row, loss)

    @device
    def load_kept(packet: Packet) -> Lanes:
        return load(packet.control, row)

    @device
    def load_previous(packet: Packet) -> Lanes:
        return load(packet.previous, 0)

    @device
    def load_nothing(packet: Packet) -> Lanes:
        return fill(0.0)

    @device
    def keep(packet: Packet) -> tuple[Lanes, Lanes, Lanes]:
        control = packet.control
        return load(control, row), load(control, total_row), load(control, penalty_row)

    @device
    def restore(packet: Packet, kept: tuple[Lanes, Lanes, Lanes]) -> None:
        store(packet.control, row, kept[0])
        store(packet.control, total_row, kept[1])
        store(packet.control, penalty_row, kept[2])

    @device
    def keep_nothing(packet: Packet) -> tuple[Lanes, Lanes, Lanes]:
        return fill(0.0), fill(0.0), fill(0.0)

    @device
    def restore_nothing(packet: Packet, kept: tuple[Lanes, Lanes, Lanes]) -> None:
        pass

    if not recipe.keeps_running_loss or variant.n_windows == 1:
        of_last = load_previous if recipe.keeps_running_loss else load_nothing
        return RunningLoss(_nothing, _nothing, of_last, keep_nothing, restore_nothing)
    return RunningLoss(begin, finish, load_kept, keep, restore)


@made_once
def make_add_terms(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource, size: int
) -> Callable[[Patterns, Packet, int], None]:
    """Make the function that adds the terms of a window of ``size`` patterns: ``(patterns, packet, n0)``.

    A penalty counts for the window's share of all patterns.
    """
    n_outputs = recipe.architecture.outputs
    objective = make_objective(recipe, memory, source)
    _, row, penalty_row = make_control_layout(recipe).running_loss
    keeps = recipe.keeps_running_loss
    has_penalty = recipe.has_penalty
    penalized = make_penalized(recipe, variant, memory)
    share = size / variant.n_patterns
    load, store, fill = memory.load, memory.store, memory.fill

    @device
    def add_terms(patterns: Patterns, packet: Packet, n0: int) -> None:
        if keeps:
            terms = load(packet.control, row)
            for p in range(size):
                loaded = objective.load(patterns, packet, n0 + p)
                for o in range(n_outputs):
                    terms = terms + objective.term(patterns, packet, n0 + p, o, loaded)
            store(packet.control, row, terms)
            if has_penalty:
                penalty = penalized(packet, fill(0.0)) * share
                store(packet.control, penalty_row, load(packet.control, penalty_row) + penalty)

    return add_terms
