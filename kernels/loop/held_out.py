"""Held-out patterns: their loss and which are right, while networks train, and the best parameters by them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kernels.data.control_layout import THRESHOLD, make_control_layout
from kernels.data.packet import numbering
from kernels.data.patterns import HELD_OUT, Patterns, PatternSource, own_patterns
from kernels.lanes.arithmetic import Lanes, select
from kernels.lanes.lane_rows import Memory, make_memory
from kernels.lanes.operations import any_lane
from kernels.loop.evaluation import make_criterion, make_total_loss
from kernels.loop.lane_assignment import FIRST_TURN, RUN
from kernels.loop.right import make_count_right
from kernels.loop.run_arrays import Runs
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.layout import Workspace, make_held_out_layout, make_held_out_packet, make_layout
from kernels.step.windows import make_predict
from kernels.variant import Variant


@device
def _validate_nothing(patterns: Patterns, workspace: Workspace, turn: int, is_new: float) -> None:
    pass


@made_once
def make_validate(
    recipe: Recipe, variant: Variant, memory: Memory
) -> Callable[[Patterns, Workspace, int, float], None]:
    """Make the evaluation of held-out patterns.

    ``(patterns, workspace, turn, is_new) -> None``: writes the rows of
    :class:`kernels.data.control_layout.HeldOutRows`, and with ``is_new`` of 1 copies the parameters of lanes that are
    better than ever. With ``is_new`` of 0 the turn counts as no evaluation. Reads parameters in memory, and uses the
    rows of activations there. A second call in the same turn changes nothing, since no lane is better than itself.
    """
    if not recipe.holds_out:
        return _validate_nothing
    rows = make_control_layout(recipe).held_out
    held_out_packet = make_held_out_packet(recipe, variant, memory)
    source = _source(recipe, variant, memory)
    predict = make_predict(recipe, variant.of_held_out, memory, source, inline=True)
    total_loss = make_total_loss(recipe, memory, source, variant.held_out)
    criterion = make_criterion(recipe, memory, source, variant.held_out)
    count_right = make_count_right(recipe, memory, source)
    best = make_held_out_layout(recipe, variant).best
    best_turn = make_control_layout(recipe).best_turn or 0
    n_parameters = numbering(recipe.architecture).n_parameters
    n_patterns = variant.held_out
    by_accuracy = recipe.monitor == "held_out_accuracy"
    has_criterion = recipe.criterion_on == "held_out"
    keeps_best = recipe.keeps_best
    load, store, fill, rows_of = memory.load, memory.store, memory.fill, memory.rows_of
    double = make_memory("float64", memory.width)
    load_double, store_double, fill_double = double.load, double.store, double.fill

    @device
    def score_of(patterns: Patterns, workspace: Workspace, loss: Lanes) -> Lanes:
        if not by_accuracy:
            return loss
        return (fill(0.0) - count_right(patterns, held_out_packet(workspace))) / n_patterns

    @device
    def keep_best(workspace: Workspace, turn: int, loss: Lanes, score: Lanes) -> None:
        packet = held_out_packet(workspace)
        control = packet.control
        improves = score < load(control, rows.best_score)
        if any_lane(improves):
            kept = rows_of(workspace.rows, workspace.layout.held_out + best)
            for k in range(n_parameters(packet)):
                store(kept, k, select(improves, load(packet.parameters, k), load(kept, k)))
            store(control, rows.best_score, select(improves, score, load(control, rows.best_score)))
            store(control, rows.best_loss, select(improves, loss, load(control, rows.best_loss)))
            now = select(improves, fill_double(np.float64(turn)), load_double(packet.doubles, best_turn))
            store_double(packet.doubles, best_turn, now)

    @device
    def validate(patterns: Patterns, workspace: Workspace, turn: int, is_new: float) -> None:
        packet = held_out_packet(workspace)
        control = packet.control
        predict(patterns, packet)
        loss = total_loss(patterns, packet)
        score = score_of(patterns, workspace, loss)
        store(control, rows.loss, loss)
        store(control, rows.score, score)
        store(control, rows.is_new, is_new)
        if has_criterion:
            met = criterion(patterns, packet, loss, load(control, THRESHOLD))
            store(control, rows.is_met, select(met, fill(is_new), 0.0))
        if keeps_best and is_new > 0.0:
            keep_best(workspace, turn, loss, score)

    return validate


def _source(recipe: Recipe, variant: Variant, memory: Memory) -> PatternSource:
    """Return the source of held-out patterns, which all lanes share or each has for itself."""
    architecture = recipe.architecture
    n_own = variant.n_own_numbers(architecture)
    if not n_own:
        return HELD_OUT
    sizes = variant.held_out, architecture.inputs, architecture.outputs
    row = variant.n_patterns * n_own  # of the decision threshold; held-out patterns lie behind it
    return own_patterns(HELD_OUT, memory, sizes, row, first=row + 1)


@made_once
def make_skip(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Workspace], None]:
    """Make the function that says that held-out patterns are not evaluated now: ``(workspace)``."""
    rows = make_control_layout(recipe).held_out
    held_out_packet = make_held_out_packet(recipe, variant, memory)
    store = memory.store

    @device
    def skip(workspace: Workspace) -> None:
        control = held_out_packet(workspace).control
        store(control, rows.is_new, 0.0)
        store(control, rows.is_met, 0.0)

    return skip


@made_once
def make_record_best(recipe: Recipe, variant: Variant) -> Callable[[Runs, Workspace, int, int], None]:
    """Make the function that records the best evaluation of a run that ends: ``(runs, workspace, lane, steps)``.

    The end counts too.
    """
    rows_of_control = make_control_layout(recipe).held_out
    best_turn = make_control_layout(recipe).best_turn or 0
    best = make_held_out_layout(recipe, variant).best
    first_parameter = make_layout(recipe, variant).parameters
    n_windows = variant.n_windows

    @device
    def record_best(runs: Runs, workspace: Workspace, lane: int, steps: int) -> None:
        rows = workspace.rows
        run = workspace.seats[RUN, lane]
        loss = rows[rows_of_control.best_loss, lane]
        best_steps = np.int64(workspace.doubles[best_turn, lane]) - workspace.seats[FIRST_TURN, lane]
        best_steps *= n_windows
        shift = np.uint64(workspace.layout.held_out + best - first_parameter)
        if rows[rows_of_control.score, lane] < rows[rows_of_control.best_score, lane]:
            loss, best_steps, shift = rows[rows_of_control.loss, lane], steps, np.uint64(0)
        elif not rows[rows_of_control.best_score, lane] < np.inf:
            best_steps = -1
        runs.columns.best_steps[run, 0] = best_steps
        runs.columns.best_held_out[run, 0] = loss if best_steps >= 0 and np.isfinite(loss) else np.inf
        for k in range(runs.weights.shape[1]):
            number = rows[workspace.parameter_rows[k] + shift, lane]
            runs.best_weights[run, k] = number if best_steps >= 0 else np.nan

    return record_best
