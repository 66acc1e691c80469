"""Assignment of runs to lanes: a waiting run takes an empty lane and leaves it when it ends. Lane by lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernels.components.declarations import LEARNING_RATE
from kernels.data.control_layout import (
    ACTIVE_FLAG,
    FINITE_FLAG,
    LOSS,
    MAX_ERROR,
    N_CORRECT,
    OUTPUT_RATE,
    PREVIOUS,
    RATE,
    THRESHOLD,
    THRESHOLD_NOW,
    make_control_layout,
)
from kernels.data.patterns import Patterns
from kernels.lanes.lane_rows import Memory
from kernels.loop.run_arrays import DIVERGED, FROM_STEP, MOST_STEPS, PATTERNS, RETRAIN, SCHEDULE_STEPS, Runs
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.start.shuffle import uniform
from kernels.step.interface import file_order
from kernels.step.layout import Workspace, make_in_memory, make_layout
from kernels.step.objective import make_weigh_classes
from kernels.step.schedule import FIRST_STATE, MOST, TAKEN
from kernels.variant import Variant
from kernels.vocabulary import OPTIMIZERS, SCHEDULES, STOPPING_RULES

# Rows of Workspace.seats, one integer per lane: the run that occupies it, the turn in which it started, the turn in
# which it reaches its limit of steps, how many steps of that turn it takes, the first step at which it may
# converge, the first turn before which it may, and the status with which it ends at its limit where an evaluation
# has decided it, otherwise UNDECIDED.
RUN, FIRST_TURN, LAST_TURN, LAST_STEPS, FIRST_CONVERGENCE, OPENS, ENDING = range(7)
EMPTY = UNDECIDED = -1

# Entries of Workspace.clock: turns that the packet has taken, the next turn that end_runs must take (the last of a
# run, the first in which one may converge, one at a point of its path, or each turn where all losses are recorded), and
# the number of occupied lanes.
TURN, DEADLINE, OCCUPIED = range(3)
NEVER = np.iinfo(np.int64).max


@device
def some_wait(runs: Runs) -> bool:
    """Return whether runs wait for a lane."""
    return bool(runs.waiting[0] < runs.weights.shape[0])


@device
def next_point(runs: Runs, epochs: int) -> int:
    """Return the first point of a path that is not before some number of epochs; the number of points if none is."""
    low = 0
    high = runs.path_epochs.size
    while low < high:
        middle = (low + high) >> 1
        if runs.path_epochs[middle] < epochs:
            low = middle + 1
        else:
            high = middle
    return low


@device
def record_point(runs: Runs, workspace: Workspace, lane: int, epochs: int, running_row: int) -> None:
    """Copy parameters of a run, and its running loss unless its row is 0, to its path, if that has a point here."""
    run = workspace.seats[RUN, lane]
    point = next_point(runs, epochs)
    if point < runs.path_epochs.size and runs.path_epochs[point] == epochs:
        for k in range(runs.weights.shape[1]):
            runs.path[run, point, k] = workspace.rows[workspace.parameter_rows[k], lane]
        if running_row > 0:
            runs.path_running[run, point] = workspace.rows[running_row, lane]


@device
def _next_validation(runs: Runs, turn: int) -> int:
    """Return the first turn from a turn on in which held-out patterns are evaluated and runs may start."""
    return turn + (-turn) % runs.validate_every


@device
def set_deadline(runs: Runs, workspace: Workspace) -> None:
    """Find the next turn in which a run takes its last step, may first converge, or reaches a point of its path.

    It is the very next turn if every loss is recorded, or if a run waits for an empty lane: it takes it in the next
    turn in which held-out patterns are evaluated.
    """
    rows, seats, clock = workspace.rows, workspace.seats, workspace.clock
    deadline = NEVER
    for lane in range(seats.shape[1]):
        if seats[RUN, lane] != EMPTY:
            too_early = seats[OPENS, lane] > clock[TURN]
            rows[THRESHOLD_NOW, lane] = np.nan if too_early else rows[THRESHOLD, lane]
            next_turn = seats[OPENS, lane] if too_early else seats[LAST_TURN, lane]
            deadline = next_turn if next_turn < deadline else deadline
            point = next_point(runs, clock[TURN] - seats[FIRST_TURN, lane])
            if point < runs.path_epochs.size:
                next_turn = seats[FIRST_TURN, lane] + runs.path_epochs[point]
                deadline = next_turn if next_turn < deadline else deadline
    if runs.losses.shape[0] > 0 and deadline != NEVER:
        deadline = clock[TURN]
    if clock[OCCUPIED] < seats.shape[1] and some_wait(runs):
        next_turn = _next_validation(runs, clock[TURN])
        deadline = next_turn if next_turn < deadline else deadline
    clock[DEADLINE] = deadline


@made_once
def make_seat_runs(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Patterns, Runs, Workspace], None]:
    """Make the function that assigns empty lanes to waiting runs.

    ``(patterns, runs, workspace) -> None``: the runs start in the current turn, if held-out patterns are evaluated in
    it; a packet without runs goes on to the next such turn. A lane that stays empty goes on with old numbers, which are
    ignored.
    """
    states = OPTIMIZERS[recipe.optimizer].states
    n_states = len(states)
    at_rate = np.array([*(start == LEARNING_RATE for start in states), False])
    starts = np.array([*(0.0 if start == LEARNING_RATE else start for start in states), 0.0])
    layout = make_control_layout(recipe)
    initial_rows = np.array(layout.initial)
    loss_threshold_row = layout.loss_threshold or 0
    has_thresholds = recipe.records_thresholds
    deep = recipe.architecture.deep
    n_windows = variant.n_windows
    give_patterns = make_give_patterns(recipe, variant)
    set_schedule = make_set_schedule(recipe)
    first_sum, *_ = (*layout.loss_sums, layout.n_doubles)
    state_rows = np.array(layout.states, np.int64)
    state_starts = np.array([*STOPPING_RULES[recipe.stopping_rule].states])
    keeps_running, running_row = recipe.keeps_running_loss, layout.running_loss[0]
    keeps_best, best_score_row = recipe.keeps_best, layout.held_out.best_score
    first_step, ratio_row = make_first_step(recipe), layout.settings.get("step_ratio", 0)
    in_memory = make_in_memory(recipe, variant, memory)
    weigh_classes = make_weigh_classes(recipe, memory, file_order(recipe, variant, memory))

    @device
    def seat_runs(patterns: Patterns, runs: Runs, workspace: Workspace) -> None:
        rows, seats, clock = workspace.rows, workspace.seats, workspace.clock
        run = runs.waiting[0]
        cell = runs.waiting[1]
        n_parameters = runs.weights.shape[1]
        if clock[OCCUPIED] == 0:
            clock[TURN] = _next_validation(runs, clock[TURN])
        may_start = _next_validation(runs, clock[TURN]) == clock[TURN]
        for lane in range(seats.shape[1]):
            if may_start and seats[RUN, lane] == EMPTY and run < runs.weights.shape[0]:
                while run >= runs.stops[cell]:
                    cell += 1
                most_steps = runs.limits[cell, MOST_STEPS]
                seats[RUN, lane] = run
                seats[FIRST_TURN, lane] = clock[TURN]
                seats[LAST_TURN, lane] = clock[TURN] + most_steps // n_windows
                seats[LAST_STEPS, lane] = most_steps % n_windows
                seats[ENDING, lane] = UNDECIDED
                seats[FIRST_CONVERGENCE, lane] = runs.limits[cell, FROM_STEP]
                opens = clock[TURN] + (runs.limits[cell, FROM_STEP] + n_windows - 1) // n_windows
                seats[OPENS, lane] = opens if opens < seats[LAST_TURN, lane] else seats[LAST_TURN, lane]
                for k in range(initial_rows.size):
                    rows[initial_rows[k], lane] = runs.numbers[cell, k]
                if deep:
                    for k in range(initial_rows.size, runs.numbers.shape[1]):
                        rows[workspace.layout.sizes.scales + k - initial_rows.size, lane] = runs.numbers[cell, k]
                if has_thresholds:
                    rows[loss_threshold_row, lane] = runs.loss_thresholds[0]
                set_schedule(workspace, lane, runs.limits[cell, SCHEDULE_STEPS])
                for k in range(first_sum, workspace.doubles.shape[0]):
                    workspace.doubles[k, lane] = 0.0
                for k in range(state_rows.size):
                    rows[state_rows[k], lane] = state_starts[k]
                if keeps_best:
                    rows[best_score_row, lane] = np.inf
                if keeps_running:
                    rows[running_row, lane] = np.nan
                give_patterns(patterns, runs.limits[cell, PATTERNS], rows, lane)
                rows[PREVIOUS, lane] = np.nan
                rows[ACTIVE_FLAG, lane] = 1.0
                ratio = rows[ratio_row, lane]
                for k in range(n_parameters):
                    rows[workspace.parameter_rows[k], lane] = runs.weights[run, k]
                    rate = rows[workspace.rate_rows[k], lane]
                    for state in range(n_states):
                        row = workspace.parameter_rows[k] + np.uint64((state + 1) * n_parameters)
                        rows[row, lane] = first_step(runs, run, k, rate, ratio) if at_rate[state] else starts[state]
                run += 1
                clock[OCCUPIED] += 1
        runs.waiting[0], runs.waiting[1] = run, cell
        weigh_classes(patterns, in_memory(workspace))

    return seat_runs


@made_once
def make_first_step(recipe: Recipe) -> Callable[[Runs, int, int, float, float], float]:
    """Make the function that returns the first step of parameter k of a run: ``(runs, run, k, rate, ratio)``."""

    def drawn(runs: Runs, run: int, k: int, rate: float, ratio: float) -> float:
        part: float = 1.0 + (np.float64(ratio) - 1.0) * uniform(runs.seeds[run], k)
        return np.float64(rate) * part

    def equal(runs: Runs, run: int, k: int, rate: float, ratio: float) -> float:
        return rate

    return device(drawn if "step_ratio" in recipe.used else equal)


@made_once
def make_set_schedule(recipe: Recipe) -> Callable[[Workspace, int, int], None]:
    """Make the function that starts the schedule of a lane's learning rates: ``(workspace, lane, steps)``."""
    starts = np.array([*SCHEDULES[recipe.schedule].states, 0.0])
    hidden, output = make_control_layout(recipe).rates
    n_states = starts.size - 1

    def start(workspace: Workspace, lane: int, steps: int) -> None:
        workspace.doubles[TAKEN, lane] = 0.0
        workspace.doubles[MOST, lane] = steps
        for k in range(n_states):
            workspace.doubles[FIRST_STATE + k, lane] = starts[k]
        workspace.rows[hidden, lane] = workspace.rows[RATE, lane]
        workspace.rows[output, lane] = workspace.rows[OUTPUT_RATE, lane]

    def start_nothing(workspace: Workspace, lane: int, steps: int) -> None:
        pass

    return device(start if recipe.is_scheduled else start_nothing)


@made_once
def make_give_patterns(recipe: Recipe, variant: Variant) -> Callable[[Patterns, int, Any, int], None]:
    """Make the function that writes a set of patterns to the rows of a lane: ``(patterns, set, rows, lane)``."""
    n_patterns = variant.n_patterns
    n_inputs = recipe.architecture.inputs
    n_outputs = recipe.architecture.outputs
    first = make_layout(recipe, variant).own
    n_own = variant.n_own_numbers(recipe.architecture)
    first_target = first + n_own - n_outputs
    n_held_out = variant.held_out
    first_held_out = first + n_patterns * n_own + 1

    @device
    def give_held_out(patterns: Patterns, number: int, rows: Any, lane: int) -> None:
        if n_held_out:
            for n in range(n_held_out):
                row = first_held_out + n * (n_inputs + n_outputs)
                for i in range(n_inputs):
                    rows[row + i, lane] = patterns.held_inputs[number, n, i]
                for o in range(n_outputs):
                    rows[row + n_inputs + o, lane] = patterns.held_targets[number, n, o]

    def give_nothing(patterns: Patterns, number: int, rows: Any, lane: int) -> None:
        pass

    def give_targets(patterns: Patterns, number: int, rows: Any, lane: int) -> None:
        for n in range(n_patterns):
            for o in range(n_outputs):
                rows[first_target + n * n_own + o, lane] = patterns.targets[number, n, o]
        rows[first + n_patterns * n_own, lane] = patterns.decision_threshold[number]
        give_held_out(patterns, number, rows, lane)

    give_own_targets = device(give_targets)

    def give_all(patterns: Patterns, number: int, rows: Any, lane: int) -> None:
        for n in range(n_patterns):
            for i in range(n_inputs):
                rows[first + n * n_own + i, lane] = patterns.inputs[number, n, i]
        give_own_targets(patterns, number, rows, lane)

    return device({"nothing": give_nothing, "targets": give_targets, "patterns": give_all}[variant.own])


@device
def retire(workspace: Workspace, lane: int) -> None:
    """Mark ``lane`` as empty."""
    workspace.seats[RUN, lane] = EMPTY
    workspace.rows[ACTIVE_FLAG, lane] = 0.0
    workspace.clock[OCCUPIED] -= 1


@device
def end_after_epoch(workspace: Workspace, lane: int, status: int) -> None:
    """Let a run take one more epoch, within its limit of steps, and then end with a status."""
    seats = workspace.seats
    seats[ENDING, lane] = status
    next_turn = workspace.clock[TURN] + 1
    if next_turn <= seats[LAST_TURN, lane]:
        seats[LAST_TURN, lane] = next_turn
        seats[LAST_STEPS, lane] = 0
    seats[OPENS, lane] = 0


@made_once
def make_record_thresholds(recipe: Recipe) -> Callable[[Runs, Workspace, int, int], None]:
    """Make the function that writes which loss thresholds a run reaches now: ``(runs, workspace, lane, steps)``.

    It also writes the next threshold to the row that the inner loop reads.
    """
    loss_threshold_row = make_control_layout(recipe).loss_threshold or 0
    of_held_out = recipe.thresholds_on == "held_out"
    held_out = make_control_layout(recipe).held_out

    @device
    def record_thresholds(runs: Runs, workspace: Workspace, lane: int, steps: int) -> None:
        rows = workspace.rows
        run = workspace.seats[RUN, lane]
        n_thresholds = runs.loss_thresholds.size
        loss = rows[LOSS, lane]
        if of_held_out:
            loss = rows[held_out.loss, lane] if rows[held_out.is_new, lane] > 0.0 else np.inf
        threshold_steps = runs.columns.threshold_steps
        next_threshold = -np.inf
        for k in range(n_thresholds - 1, -1, -1):  # from the smallest to the largest
            threshold = runs.loss_thresholds[k]
            if threshold_steps[run, k] < 0:
                if loss < threshold:
                    threshold_steps[run, k] = steps
                else:
                    next_threshold = threshold
        rows[loss_threshold_row, lane] = next_threshold

    return record_thresholds


@made_once
def make_record_outcome(recipe: Recipe, variant: Variant) -> Callable[[Runs, Workspace, int, int, int], None]:
    """Make the function that writes the outcome of a run to ``runs``: ``(runs, workspace, lane, status, steps)``."""
    first_output = make_layout(recipe, variant).outputs
    counts_right = recipe.counts_right
    right_row = make_control_layout(recipe).n_right or 0

    @device
    def record_outcome(runs: Runs, workspace: Workspace, lane: int, status: int, steps: int) -> None:
        run = workspace.seats[RUN, lane]
        rows = workspace.rows
        columns = runs.columns
        columns.status[run] = status if rows[FINITE_FLAG, lane] != 0.0 else RETRAIN
        columns.steps[run] = steps
        diverged = status == DIVERGED
        columns.final_loss[run] = np.inf if diverged else rows[LOSS, lane]
        columns.n_correct[run] = 0 if diverged else np.int64(rows[N_CORRECT, lane])
        if counts_right:
            columns.n_right[run, 0] = 0 if diverged else np.int64(rows[right_row, lane])
        columns.max_error[run] = np.inf if diverged else rows[MAX_ERROR, lane]
        if runs.final_weights.shape[0]:
            for k in range(runs.weights.shape[1]):
                runs.final_weights[run, k] = rows[workspace.parameter_rows[k], lane]
        if runs.predictions.shape[0]:
            for k in range(runs.predictions.shape[1]):
                runs.predictions[run, k] = rows[first_output + k, lane]

    return record_outcome
