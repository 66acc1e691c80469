"""The evaluation: which runs of a packet have converged or stalled, and a cheaper test whether any run might end."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kernels.components.inlined import criterion as criterion_of
from kernels.components.reductions import count
from kernels.data.control_layout import ACTIVE_FLAG, DIVERGENCE_THRESHOLD, THRESHOLD, THRESHOLD_NOW, make_control_layout
from kernels.data.packet import Packet
from kernels.data.patterns import Patterns, PatternSource
from kernels.lanes.arithmetic import Lanes, Mask
from kernels.lanes.lane_rows import Memory
from kernels.lanes.operations import any_lane
from kernels.loop.plateau import make_plateau
from kernels.loop.right import make_count_right, make_right
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.interface import file_order, make_step
from kernels.step.objective import make_objective
from kernels.step.penalty import make_penalized
from kernels.step.running_loss import make_running_loss
from kernels.step.schedule import make_rates_rest
from kernels.variant import Variant
from kernels.vocabulary import LOSSES


@made_once
def make_total_loss(
    recipe: Recipe, memory: Memory, source: PatternSource, n_patterns: int, *, of_training: bool = False
) -> Callable[[Patterns, Packet], Lanes]:
    """Make the loss over all patterns, that of training without penalty or the plain one.

    ``(patterns, packet) -> lanes``: reads ``packet.outputs``.
    """
    n_outputs = recipe.architecture.outputs
    objective = make_objective(recipe, memory, source, of_training=of_training)
    factor = LOSSES[recipe.loss].factor
    divisor = count(recipe.reduction, n_patterns, n_outputs)
    fill = memory.fill

    @device
    def total_loss(patterns: Patterns, packet: Packet) -> Lanes:
        terms = fill(-0.0)
        for n in range(source.n_patterns(patterns)):
            loaded = objective.load(patterns, packet, n)
            for o in range(n_outputs):
                terms = terms + objective.term(patterns, packet, n, o, loaded)
        return (terms / divisor) * factor

    return total_loss


@made_once
def make_train_loss(
    recipe: Recipe, variant: Variant, memory: Memory, source: PatternSource
) -> Callable[[Patterns, Packet], Lanes]:
    """Make the loss over the patterns to train on, as :func:`make_total_loss`, with the penalty if there is one."""
    total_loss = make_total_loss(recipe, memory, source, variant.n_patterns, of_training=True)
    if not recipe.has_penalty:
        return total_loss
    penalized = make_penalized(recipe, variant, memory)

    @device
    def train_loss(patterns: Patterns, packet: Packet) -> Lanes:
        return penalized(packet, total_loss(patterns, packet))

    return train_loss


@made_once
def make_criterion(
    recipe: Recipe, memory: Memory, source: PatternSource, n_patterns: int
) -> Callable[[Patterns, Packet, Lanes, Lanes], Mask]:
    """Make the convergence criterion.

    ``(patterns, packet, loss, threshold) -> mask``: lanes that have converged with this loss and ``packet.outputs``. No
    lane converges where ``threshold`` is NaN.
    """
    component = criterion_of(recipe.criterion)
    n_outputs = recipe.architecture.outputs
    load = memory.load

    if component.of_loss is not None:
        of_loss = component.of_loss

        @device
        def loss_criterion(patterns: Patterns, packet: Packet, loss: Lanes, threshold: Lanes) -> Mask:
            return of_loss(loss, threshold)

        return loss_criterion

    if component.of_right:
        right = make_right(recipe, memory, source)

        @device
        def right_criterion(patterns: Patterns, packet: Packet, loss: Lanes, threshold: Lanes) -> Mask:
            met = threshold == threshold
            for n in range(source.n_patterns(patterns)):
                met = met & right.whole(patterns, packet, n)
            return met

        return right_criterion

    if component.of_wrong is not None:
        of_wrong, fill, all_patterns = component.of_wrong, memory.fill, float(n_patterns)
        count_right = make_count_right(recipe, memory, source)

        @device
        def wrong_criterion(patterns: Patterns, packet: Packet, loss: Lanes, threshold: Lanes) -> Mask:
            n_wrong = fill(all_patterns) - count_right(patterns, packet)
            return of_wrong(n_wrong / all_patterns, threshold)

        return wrong_criterion

    if component.of_output is not None:
        of_output = component.of_output

        @device
        def output_criterion(patterns: Patterns, packet: Packet, loss: Lanes, threshold: Lanes) -> Mask:
            met = threshold == threshold
            for n in range(source.n_patterns(patterns)):
                for o in range(n_outputs):
                    y = load(packet.outputs, n * n_outputs + o)
                    target = source.target(patterns, packet, n, o)
                    met = met & of_output(y, target, threshold)
            return met

        return output_criterion

    @device
    def no_criterion(patterns: Patterns, packet: Packet, loss: Lanes, threshold: Lanes) -> Mask:
        return threshold < threshold

    return no_criterion


class Verdict(NamedTuple):
    """State of the runs of a packet before an update."""

    loss: Lanes  # over all patterns
    # Lanes that meet the criterion with a loss that is a number, lanes that no update of an epoch would change, and
    # lanes whose patience has ended. The caller checks ``from_step`` and divergence.
    converged: Mask
    stalled: Mask
    on_plateau: Mask


@made_once
def make_evaluate(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Patterns, Packet], Verdict]:
    """Make the evaluation of a packet.

    ``(patterns, packet) -> Verdict``: to be called after ``predict`` and ``prepare`` of the step. A run that has
    stalled has the same loss as at the evaluation before. Only then is an epoch tried.
    """
    source = file_order(recipe, variant, memory)
    step = make_step(recipe, variant, memory)
    train_loss = make_train_loss(recipe, variant, memory, source)
    criterion = make_criterion(recipe, memory, source, variant.n_patterns)
    is_fixed_point = step.is_fixed_point
    spoils_outputs = variant.n_windows > 1
    may_stall = _may_stall(recipe, variant)
    load = memory.load
    rates_rest = make_rates_rest(recipe, memory)
    has_patience = bool(recipe.monitor)
    look = make_plateau(recipe, variant, memory, source).look
    of_held_out = recipe.criterion_on == "held_out"
    of_running = criterion_of(recipe.criterion).of_running
    running_loss = make_running_loss(recipe, variant, memory).load
    held_out = make_control_layout(recipe).held_out

    @device
    def evaluate(patterns: Patterns, packet: Packet) -> Verdict:
        control = packet.control
        active = load(control, ACTIVE_FLAG) > 0.0
        loss = train_loss(patterns, packet)
        if of_held_out:
            converged = (load(control, held_out.is_met) > 0.0) & active
        else:
            looked_at = running_loss(packet) if of_running else loss
            converged = criterion(patterns, packet, looked_at, load(control, THRESHOLD)) & active
        converged = converged & (loss == loss)  # NaN diverges, whatever other numbers say
        stalled = on_plateau = active & ~active
        if has_patience:
            on_plateau = look(patterns, packet, loss) & active
        if may_stall:
            stalled = (loss == load(packet.previous, 0)) & active & rates_rest(packet)
            if any_lane(stalled):
                stalled = is_fixed_point(patterns, packet, stalled)
                if spoils_outputs:
                    step.predict(patterns, packet)
        return Verdict(loss, converged, stalled, on_plateau)

    return evaluate


class Watch(NamedTuple):
    """Tests of the inner loop, after ``predict`` and ``prepare`` of the step."""

    # (patterns, packet) -> mask: a cheap test for lanes in which a run might end or reach a loss threshold; empty
    # lanes may be among them. It stores the loss.
    may_end: Callable[[Patterns, Packet], Mask]
    # (patterns, packet) -> bool: whether no run ends or reaches a loss threshold. If not, the packet must be
    # evaluated after another ``predict``.
    all_go_on: Callable[[Patterns, Packet], bool]
    # (packet): keeps the loss that ``may_end`` stored for the next evaluation, and whether it is an improvement
    keep_loss: Callable[[Packet], None]


@made_once
def make_watch(recipe: Recipe, variant: Variant, memory: Memory) -> Watch:
    """Make the tests of the inner loop."""
    source = file_order(recipe, variant, memory)
    step = make_step(recipe, variant, memory)
    train_loss = make_train_loss(recipe, variant, memory, source)
    criterion = make_criterion(recipe, memory, source, variant.n_patterns)
    is_fixed_point, may_be_fixed_point = step.is_fixed_point, step.may_be_fixed_point
    may_stall = _may_stall(recipe, variant)
    load = memory.load
    store = memory.store
    rates_rest = make_rates_rest(recipe, memory)
    loss_threshold_row = make_control_layout(recipe).loss_threshold
    has_thresholds = loss_threshold_row is not None
    loss_threshold_row = loss_threshold_row or 0
    has_patience = bool(recipe.monitor)
    plateau = make_plateau(recipe, variant, memory, source)
    keeps_previous = may_stall or (recipe.keeps_running_loss and variant.n_windows == 1)
    keeps_latest = keeps_previous or bool(recipe.loss_sums)
    of_running = criterion_of(recipe.criterion).of_running
    running_loss = make_running_loss(recipe, variant, memory).load
    held_out = make_control_layout(recipe).held_out
    criterion_of_held_out, thresholds_of_held_out = (
        on == "held_out" for on in (recipe.criterion_on, recipe.thresholds_on)
    )

    @device
    def meets(patterns: Patterns, packet: Packet, loss: Lanes) -> Mask:
        control = packet.control
        threshold = load(control, THRESHOLD_NOW)
        if criterion_of_held_out:
            return (load(control, held_out.is_met) > 0.0) & (threshold == threshold)
        return criterion(patterns, packet, running_loss(packet) if of_running else loss, threshold)

    @device
    def reaches(packet: Packet, loss: Lanes) -> Mask:
        """Return lanes whose loss is below their next loss threshold."""
        control = packet.control
        threshold = load(control, loss_threshold_row)
        if thresholds_of_held_out:
            return (load(control, held_out.loss) < threshold) & (load(control, held_out.is_new) > 0.0)
        return loss < threshold

    @device
    def may_end(patterns: Patterns, packet: Packet) -> Mask:
        loss = train_loss(patterns, packet)
        control = packet.control
        if keeps_latest:
            store(packet.latest, 0, loss)
        ends = meets(patterns, packet, loss) | ~(loss <= load(control, DIVERGENCE_THRESHOLD))
        if has_thresholds:
            ends = ends | reaches(packet, loss)
        if has_patience:
            ends = ends | plateau.look(patterns, packet, loss)
        if may_stall:
            same = (loss == load(packet.previous, 0)) & may_be_fixed_point(patterns, packet) & rates_rest(packet)
            return ends | same
        return ends

    @device
    def all_go_on(patterns: Patterns, packet: Packet) -> bool:
        active = load(packet.control, ACTIVE_FLAG) > 0.0
        loss = train_loss(patterns, packet)
        ends = meets(patterns, packet, loss)
        if has_thresholds:
            ends = ends | reaches(packet, loss)
        if has_patience:
            ends = ends | plateau.ended(packet)
        ends = (ends | ~(loss <= load(packet.control, DIVERGENCE_THRESHOLD))) & active
        if may_stall:
            same = (loss == load(packet.previous, 0)) & active & rates_rest(packet)
            if any_lane(same):
                ends = ends | is_fixed_point(patterns, packet, same)
        return not any_lane(ends)

    @device
    def keep_loss(packet: Packet) -> None:
        if keeps_previous:
            store(packet.previous, 0, load(packet.latest, 0))
        if has_patience:
            plateau.keep(packet)

    return Watch(may_end, all_go_on, keep_loss)


def _may_stall(recipe: Recipe, variant: Variant) -> bool:
    """Return whether runs can stall: only with a criterion, and where each epoch has the same order and rate."""
    return recipe.criterion != "none" and not variant.shuffles(recipe) and recipe.schedule == "constant"
