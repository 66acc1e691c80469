"""What happens when a network ends: retire it, seat the next one.

The training loop comes here when some lane needs attention: a network has
converged, diverged or stalled, is at its last step or has just been seated. Code
here runs rarely, on what lies in memory, and mostly lane by lane.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from kernels.architecture import Architecture
from kernels.batch import (
    ACTIVE_FLAG,
    BELOW,
    CONTROL_ROWS,
    CONVERGED,
    DEADLINE,
    DIVERGED,
    EMPTY,
    ENDED_FLAG,
    EXHAUSTED,
    FINITE_FLAG,
    LAST,
    LEARNING_RATE,
    LOSS,
    MAX_ERROR,
    N_CORRECT,
    OCCUPIED,
    PREVIOUS,
    REPEATED_FLAG,
    RETRAIN,
    RUN,
    STALLED,
    START,
    STEP,
    Batch,
    Patterns,
    PatternSource,
    Runs,
    Workspace,
    make_in_memory,
)
from kernels.judge import make_judge
from kernels.losses import make_total_loss
from kernels.measures import make_measure
from kernels.relu import ReluForms
from kernels.simd.jit import device, routine
from kernels.simd.lanes import Lanes, Mask, Memory, any_lane, select
from kernels.step import make_advance, make_forward

NEVER = np.iinfo(np.int64).max


@device
def set_deadline(runs: Runs, workspace: Workspace) -> None:
    """Find the step at which the first of the seated runs is at its last.

    Where every loss is to be written down, each step is a deadline.
    """
    clock = workspace.clock
    deadline = NEVER
    for lane in range(workspace.seats.shape[1]):
        if workspace.seats[RUN, lane] != EMPTY:
            deadline = min(deadline, workspace.seats[LAST, lane])
    clock[DEADLINE] = clock[STEP] if runs.losses.shape[0] and deadline != NEVER else deadline


@device
def seat_runs(runs: Runs, workspace: Workspace) -> None:
    """Give empty lanes to waiting runs, to start at the present step, and find the deadline.

    A lane that stays empty goes on with what it has, and nobody looks.
    """
    control, seats, clock = workspace.rows, workspace.seats, workspace.clock
    run, cell = runs.waiting[0], runs.waiting[1]
    for lane in range(seats.shape[1]):
        if seats[RUN, lane] == EMPTY and run < runs.weights.shape[0]:
            while run >= runs.stops[cell]:
                cell += 1
            settings = runs.settings[cell]
            seats[RUN, lane] = run
            seats[START, lane] = clock[STEP]
            seats[LAST, lane] = clock[STEP] + settings["max_steps"]
            control[LEARNING_RATE, lane] = settings["learning_rate"]
            control[BELOW, lane] = settings["below"]
            control[PREVIOUS, lane] = np.nan
            control[ACTIVE_FLAG, lane] = 1.0
            for k in range(runs.weights.shape[1]):
                workspace.rows[workspace.places[k], lane] = runs.weights[run, k]
            run += 1
            clock[OCCUPIED] += 1
    runs.waiting[0], runs.waiting[1] = run, cell
    set_deadline(runs, workspace)


@device
def retire(workspace: Workspace, lane: int) -> None:
    """Take the run in ``lane`` off its seat."""
    workspace.seats[RUN, lane] = EMPTY
    workspace.rows[ACTIVE_FLAG, lane] = 0.0
    workspace.clock[OCCUPIED] -= 1


@device
def record_first_loss(runs: Runs, workspace: Workspace) -> None:
    """Write down the loss of runs that have just taken their seat."""
    for lane in range(workspace.seats.shape[1]):
        run = workspace.seats[RUN, lane]
        if run != EMPTY and workspace.seats[START, lane] == workspace.clock[STEP]:
            loss = workspace.rows[LOSS, lane]
            runs.columns.initial_loss[run] = loss if np.isfinite(loss) else np.inf


@device
def record_loss(runs: Runs, workspace: Workspace) -> None:
    """Write down the loss of every run."""
    for lane in range(workspace.seats.shape[1]):
        run = workspace.seats[RUN, lane]
        if run != EMPTY:
            runs.losses[run, workspace.clock[STEP] - workspace.seats[START, lane]] = workspace.rows[LOSS, lane]


@device
def record_outcome(runs: Runs, workspace: Workspace, lane: int, status: int) -> None:
    """Write down how the run in ``lane`` stands."""
    run, control, columns = workspace.seats[RUN, lane], workspace.rows, runs.columns
    columns.status[run] = status if control[FINITE_FLAG, lane] != 0.0 else RETRAIN
    columns.steps[run] = workspace.clock[STEP] - workspace.seats[START, lane]
    diverged = status == DIVERGED
    columns.final_loss[run] = np.inf if diverged else control[LOSS, lane]
    columns.n_correct[run] = 0 if diverged else int(control[N_CORRECT, lane])
    columns.max_error[run] = np.inf if diverged else control[MAX_ERROR, lane]
    if runs.final_weights.shape[0]:
        for k in range(runs.weights.shape[1]):
            runs.final_weights[run, k] = workspace.rows[workspace.places[k], lane]
        for k in range(runs.predictions.shape[1]):
            runs.predictions[run, k] = workspace.rows[CONTROL_ROWS + k, lane]


@device
def settle(runs: Runs, workspace: Workspace) -> bool:
    """Retire the runs that end before the update; tell whether there were any.

    A run at its last step whose loss has repeated ends after the update, which may
    show that it has stalled. It is written down as exhausted now, since the update
    overwrites its parameters.
    """
    control, seats, clock = workspace.rows, workspace.seats, workspace.clock
    if runs.losses.shape[0]:
        record_loss(runs, workspace)
    occupied = clock[OCCUPIED]
    for lane in range(seats.shape[1]):
        if seats[RUN, lane] == EMPTY:
            continue
        waits = False
        if control[ENDED_FLAG, lane] != 0.0:
            status = CONVERGED
        elif not np.isfinite(control[LOSS, lane]):
            status = DIVERGED
        elif clock[STEP] == seats[LAST, lane]:
            status = EXHAUSTED
            waits = control[REPEATED_FLAG, lane] != 0.0
        else:
            continue
        record_outcome(runs, workspace, lane, status)
        if not waits:
            retire(workspace, lane)
    retired: bool = clock[OCCUPIED] < occupied
    return retired


@device
def finish_step(runs: Runs, workspace: Workspace) -> bool:
    """After an update, retire runs that stalled or were at their last step; tell whether there were any."""
    control, seats, clock = workspace.rows, workspace.seats, workspace.clock
    occupied = clock[OCCUPIED]
    for lane in range(seats.shape[1]):
        if seats[RUN, lane] != EMPTY:
            status = STALLED if control[ENDED_FLAG, lane] != 0.0 else EXHAUSTED
            if status == STALLED:
                record_outcome(runs, workspace, lane, status)
            if status == STALLED or clock[STEP] == seats[LAST, lane]:
                retire(workspace, lane)
    clock[STEP] += 1
    set_deadline(runs, workspace)
    retired: bool = clock[OCCUPIED] < occupied
    return retired


@cache
def make_attend(
    architecture: Architecture,
    known: PatternSource,
    loss: str,
    criterion: str,
    memory: Memory,
    fixed_hidden: int | None,
    forms: ReluForms | None,
    one_pass: bool,
    group: int,
    constant: bool,
) -> tuple[Callable[[Patterns, Runs, Workspace, int], None], Callable[[Patterns, Runs, Workspace, int], bool]]:
    """Return the seating of runs with their first forward pass, and a step at which a lane may end.

    Both functions take ``(patterns, runs, workspace, n_hidden)``. The second tells
    whether runs have left their seats. ``one_pass`` means that a step leaves the signals of the
    next, ``constant`` that products with zeros are skipped.
    """
    forward = make_forward(architecture, known, memory, fixed_hidden, forms, group, quick=False)
    judged = criterion != "none"
    advance = make_advance(architecture, known, loss, judged, memory, fixed_hidden, forms, one_pass, group, quick=False)
    judge = make_judge(known, loss, criterion, memory)
    total_loss = make_total_loss(loss, known, memory)
    measure = make_measure(architecture, known, memory, constant)
    in_memory = make_in_memory(architecture, known, memory)
    store, fill = memory.store, memory.fill

    @device
    def show(patterns: Patterns, batch: Batch, n_hidden: int, loss: Lanes, ended: Mask, repeated: Mask) -> None:
        """Put the verdict where code that works lane by lane finds it, and measure outputs."""
        store(batch.control, LOSS, loss)
        store(batch.control, ENDED_FLAG, select(ended, fill(1.0), 0.0))
        store(batch.control, REPEATED_FLAG, select(repeated, fill(1.0), 0.0))
        measure(patterns, batch, n_hidden)

    @routine
    def enter(patterns: Patterns, runs: Runs, workspace: Workspace, n_hidden: int) -> None:
        seat_runs(runs, workspace)
        batch = in_memory(patterns, workspace)
        forward(patterns, batch.parameters, batch.signals, n_hidden)
        store(batch.control, LOSS, total_loss(patterns, batch.signals.errors))
        record_first_loss(runs, workspace)

    @routine
    def attend(patterns: Patterns, runs: Runs, workspace: Workspace, n_hidden: int) -> bool:
        batch, clock = in_memory(patterns, workspace), workspace.clock
        parameters, control, signals = batch
        if not one_pass:
            forward(patterns, parameters, signals, n_hidden)
        loss, converged, ended, repeated = judge(patterns, signals, control)
        urgent = clock[STEP] == clock[DEADLINE] or any_lane(ended)
        if urgent:
            show(patterns, batch, n_hidden, loss, converged, repeated)
            if settle(runs, workspace):
                return True
        changed = advance(patterns, parameters, signals, control, n_hidden)
        stalled = repeated & ~changed
        if urgent or any_lane(stalled):
            show(patterns, batch, n_hidden, loss, stalled, repeated)
            return finish_step(runs, workspace)
        clock[STEP] += 1
        return False

    return enter, attend
