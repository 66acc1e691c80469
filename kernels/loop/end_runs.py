"""The turn in which runs may end: they are evaluated and recorded, and the next runs take their lanes.

The training loop comes here when a run of a packet has converged, diverged or stalled, when its
loss is below the next loss threshold, when a run is at its last step or at a recorded point of its
path, when its patience has ended, and before the first turn. Code here runs
rarely, on data in memory, and mostly lane by lane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np

from kernels.data.control_layout import (
    CONVERGED_FLAG,
    DIVERGENCE_THRESHOLD,
    LOSS,
    PREVIOUS,
    STALLED_FLAG,
    make_control_layout,
)
from kernels.data.packet import Packet
from kernels.data.patterns import Patterns
from kernels.lanes.arithmetic import select
from kernels.lanes.lane_rows import Memory
from kernels.loop.evaluation import Verdict, make_evaluate
from kernels.loop.held_out import make_record_best, make_validate
from kernels.loop.lane_assignment import (
    EMPTY,
    ENDING,
    FIRST_CONVERGENCE,
    FIRST_TURN,
    LAST_STEPS,
    LAST_TURN,
    OCCUPIED,
    RUN,
    TURN,
    UNDECIDED,
    end_after_epoch,
    make_record_outcome,
    make_record_thresholds,
    make_seat_runs,
    record_point,
    retire,
    set_deadline,
    some_wait,
)
from kernels.loop.loss_sums import make_add_loss, make_record_sums, running_loss_row
from kernels.loop.metrics import make_measure
from kernels.loop.plateau import make_plateau
from kernels.loop.run_arrays import CONVERGED, DIVERGED, EXHAUSTED, PLATEAU, STALLED, Runs
from kernels.loop.shuffled_patterns import make_shuffle
from kernels.numba.jit import device, made_once, routine
from kernels.recipe import Recipe
from kernels.step.interface import file_order, make_step
from kernels.step.layout import Workspace, make_in_memory
from kernels.variant import Variant

# The number of windows before the first. For a plain 0 Numba would compile functions a second time.
BEFORE_ANY = cast(int, np.int64(0))


@made_once
def make_status_of(recipe: Recipe) -> Callable[[Workspace, int, int, bool], int]:
    """Make the function that returns the status of a run after its evaluation.

    ``(workspace, lane, steps, is_last) -> int``: CONVERGED, DIVERGED, STALLED, PLATEAU or EXHAUSTED of the run in a
    lane, which has taken so many steps; -1 if it goes on. ``is_last`` says whether it is at its limit of steps. There a
    recipe that stops after the update does not look at convergence and plateaus: no update follows.
    """
    stops_after = recipe.stop == "after"
    has_patience = bool(recipe.monitor)
    flag = make_control_layout(recipe).plateau_flag or 0

    @device
    def status_of(workspace: Workspace, lane: int, steps: int, is_last: bool) -> int:
        rows, seats = workspace.rows, workspace.seats
        looks = not (stops_after and is_last)
        if not looks and seats[ENDING, lane] != UNDECIDED and np.isfinite(rows[LOSS, lane]):
            ending: int = seats[ENDING, lane]  # int() would be a part that is compiled for each kernel
            return ending
        if looks and rows[CONVERGED_FLAG, lane] != 0.0 and steps >= seats[FIRST_CONVERGENCE, lane]:
            return CONVERGED
        if not rows[LOSS, lane] <= rows[DIVERGENCE_THRESHOLD, lane]:
            return DIVERGED
        if rows[STALLED_FLAG, lane] != 0.0:
            return STALLED
        if has_patience and looks and rows[flag, lane] != 0.0:
            return PLATEAU
        return EXHAUSTED if is_last else -1

    return status_of


@made_once
def make_evaluate_runs(
    recipe: Recipe, variant: Variant, memory: Memory
) -> Callable[[Patterns, Runs, Workspace, int], bool]:
    """Make the function that evaluates the runs of a packet k steps after the start of an epoch.

    ``(patterns, runs, workspace, k) -> bool``: records loss thresholds that are reached and runs that have ended, frees
    their lanes, and returns whether any has ended. Where k is not 0, only runs at their last step are evaluated.
    """
    step = make_step(recipe, variant, memory)
    evaluate = make_evaluate(recipe, variant, memory)
    measure = make_measure(recipe, variant, memory)
    record_outcome = make_record_outcome(recipe, variant)
    record_thresholds = make_record_thresholds(recipe)
    has_thresholds = recipe.records_thresholds
    in_memory = make_in_memory(recipe, variant, memory)
    n_windows = variant.n_windows
    record_sums = make_record_sums(recipe, variant)
    adds_losses = bool(recipe.loss_sums)
    running_row = running_loss_row(recipe, variant)
    status_of = make_status_of(recipe)
    has_patience = bool(recipe.monitor)
    plateau_flag = make_control_layout(recipe).plateau_flag or 0
    stops_after = recipe.stop == "after"
    holds_out, keeps_best = recipe.holds_out, recipe.keeps_best
    validate = make_validate(recipe, variant, memory)
    record_best = make_record_best(recipe, variant)
    store, fill = memory.store, memory.fill

    @device
    def write_verdict(packet: Packet, verdict: Verdict) -> None:
        """Write the verdict to rows of control, which code for single lanes reads."""
        store(packet.control, LOSS, verdict.loss)
        store(packet.control, CONVERGED_FLAG, select(verdict.converged, fill(1.0), 0.0))
        store(packet.control, STALLED_FLAG, select(verdict.stalled, fill(1.0), 0.0))
        if has_patience:
            store(packet.control, plateau_flag, select(verdict.on_plateau, fill(1.0), 0.0))

    @device
    def evaluate_runs(patterns: Patterns, runs: Runs, workspace: Workspace, k: int) -> bool:
        packet = in_memory(workspace)
        seats = workspace.seats
        turn = workspace.clock[TURN]
        if holds_out:
            is_new = k == 0 and turn % runs.validate_every == 0
            validate(patterns, workspace, turn, 1.0 if is_new else 0.0)
        step.predict(patterns, packet)
        step.prepare(patterns, packet)
        write_verdict(packet, evaluate(patterns, packet))
        measure(patterns, packet)
        some_left = False
        for lane in range(seats.shape[1]):
            run = seats[RUN, lane]
            is_last = seats[LAST_TURN, lane] == turn and seats[LAST_STEPS, lane] == k
            if run == EMPTY or not (k == 0 or is_last):
                continue
            loss = workspace.rows[LOSS, lane]
            epochs = turn - seats[FIRST_TURN, lane]
            steps = epochs * n_windows + k
            if steps == 0:
                runs.columns.initial_loss[run] = loss if np.isfinite(loss) else np.inf
            if runs.losses.shape[0]:
                runs.losses[run, epochs + (k > 0)] = loss
            if runs.path.shape[0] and k == 0:
                record_point(runs, workspace, lane, epochs, running_row)
            if has_thresholds:
                record_thresholds(runs, workspace, lane, steps)
            status = status_of(workspace, lane, steps, is_last)
            if stops_after and not is_last and status in (CONVERGED, PLATEAU):
                end_after_epoch(workspace, lane, status)
                continue
            if status >= 0:
                record_outcome(runs, workspace, lane, status, steps)
                if keeps_best:
                    record_best(runs, workspace, lane, steps)
                if adds_losses:
                    record_sums(runs, workspace, lane, np.float64(loss), seats[FIRST_TURN, lane], epochs + (k > 0))
                retire(workspace, lane)
                some_left = True
        return some_left

    return evaluate_runs


@made_once
def make_end_runs(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Patterns, Runs, Workspace], None]:
    """Make the turn in which runs may end.

    ``(patterns, runs, workspace) -> None``: records runs that have ended and assigns their lanes to waiting runs, until
    no run ends before its first step. Then the packet advances. If runs end within the epoch, their lanes are assigned
    in the next turn.
    """
    step = make_step(recipe, variant, memory)
    seat_runs = make_seat_runs(recipe, variant, memory)
    evaluate_runs = make_evaluate_runs(recipe, variant, memory)
    n_windows = variant.n_windows
    shuffles = variant.shuffles(recipe)
    shuffle = make_shuffle(recipe, variant)
    in_memory = make_in_memory(recipe, variant, memory)
    load = memory.load
    store = memory.store
    keep_plateau = make_plateau(recipe, variant, memory, file_order(recipe, variant, memory)).keep
    add_loss = make_add_loss(recipe, memory)
    has_patience = bool(recipe.monitor)
    adds_losses = bool(recipe.loss_sums)

    @device
    def some_end_after(workspace: Workspace, k: int) -> bool:
        """Return whether a run takes its last step with window k - 1 of this turn, or for k = 0 with any window."""
        seats = workspace.seats
        found = False
        for lane in range(seats.shape[1]):
            is_last = seats[RUN, lane] != EMPTY and seats[LAST_TURN, lane] == workspace.clock[TURN]
            found = found or (is_last and (k == 0 or seats[LAST_STEPS, lane] == k))
        return found

    @device
    def advance(patterns: Patterns, runs: Runs, workspace: Workspace) -> None:
        """Take the steps of a turn. Runs that reach their limit within the epoch are evaluated there."""
        packet = in_memory(workspace)
        clock = workspace.clock
        store(packet.control, PREVIOUS, load(packet.control, LOSS))
        if has_patience:
            keep_plateau(packet)
        if adds_losses:
            add_loss(packet, load(packet.control, LOSS), clock[TURN])
        if shuffles:
            shuffle(patterns, runs, workspace, clock[TURN])
        if n_windows > 1 and some_end_after(workspace, BEFORE_ANY):
            for k in range(n_windows):
                step.advance_window(patterns, packet, k)
                if some_end_after(workspace, k + 1):
                    evaluate_runs(patterns, runs, workspace, k + 1)
        else:
            step.advance(patterns, packet)
        clock[TURN] += 1

    @routine
    def end_runs(patterns: Patterns, runs: Runs, workspace: Workspace) -> None:
        seat_runs(patterns, runs, workspace)
        while evaluate_runs(patterns, runs, workspace, BEFORE_ANY) and some_wait(runs):
            seat_runs(patterns, runs, workspace)
        if workspace.clock[OCCUPIED] > 0:
            advance(patterns, runs, workspace)
        set_deadline(runs, workspace)

    return end_runs
