"""What happens when a network ends: retire it, seat the next one.

The training loop comes here when some lane needs attention: a network has
converged, diverged or stalled, is at its last step or has just been seated. Code
here runs rarely, lane by lane, and is the same for all networks.
"""

from __future__ import annotations

import numpy as np

from kernels.batch import (
    ACTIVE_FLAG,
    BELOW,
    CONVERGED,
    DEADLINE,
    DIVERGED,
    EMPTY,
    ENDED_FLAG,
    EXHAUSTED,
    FINITE_FLAG,
    LEARNING_RATE,
    LOSS,
    MAX_ERROR,
    N_CORRECT,
    NEXT_RUN,
    OCCUPIED,
    PREVIOUS,
    REPEATED_FLAG,
    RETRAIN,
    RUN,
    STALLED,
    START,
    STEP,
    Runs,
    Workspace,
)
from kernels.jit import device, routine

NEVER = np.iinfo(np.int64).max


@routine
def seat_runs(runs: Runs, workspace: Workspace) -> None:
    """Give empty lanes to waiting runs, to start at the present step.

    A lane that stays empty goes on with what it has, and nobody looks.
    """
    control, seats, clock = workspace.control, workspace.seats, workspace.clock
    for lane in range(seats.shape[1]):
        run = clock[NEXT_RUN]
        if seats[RUN, lane] == EMPTY and run < runs.weights.shape[0]:
            seats[RUN, lane] = run
            seats[START, lane] = clock[STEP]
            control[LEARNING_RATE, lane] = runs.settings[run]["learning_rate"]
            control[BELOW, lane] = runs.settings[run]["below"]
            control[PREVIOUS, lane] = np.nan
            control[ACTIVE_FLAG, lane] = 1.0
            for k in range(runs.weights.shape[1]):
                workspace.parameters[workspace.places[k], lane] = runs.weights[run, k]
            clock[NEXT_RUN] += 1
            clock[OCCUPIED] += 1


@device
def retire(workspace: Workspace, lane: int) -> None:
    """Take the run in ``lane`` off its seat."""
    workspace.seats[RUN, lane] = EMPTY
    workspace.control[ACTIVE_FLAG, lane] = 0.0
    workspace.clock[OCCUPIED] -= 1


@routine
def record_first_loss(runs: Runs, workspace: Workspace) -> None:
    """Write down the loss of runs that have just taken their seat."""
    for lane in range(workspace.seats.shape[1]):
        run = workspace.seats[RUN, lane]
        if run != EMPTY and workspace.seats[START, lane] == workspace.clock[STEP]:
            loss = workspace.control[LOSS, lane]
            runs.outcome[run]["initial_loss"] = loss if np.isfinite(loss) else np.inf


@routine
def record_loss(runs: Runs, workspace: Workspace) -> None:
    """Write down the loss of every run."""
    for lane in range(workspace.seats.shape[1]):
        run = workspace.seats[RUN, lane]
        if run != EMPTY:
            runs.losses[run, workspace.clock[STEP] - workspace.seats[START, lane]] = workspace.control[LOSS, lane]


@device
def record_outcome(runs: Runs, workspace: Workspace, lane: int, status: int) -> None:
    """Write down how the run in ``lane`` stands."""
    run, control = workspace.seats[RUN, lane], workspace.control
    row = runs.outcome[run]
    row["status"] = status if control[FINITE_FLAG, lane] != 0.0 else RETRAIN
    row["steps"] = workspace.clock[STEP] - workspace.seats[START, lane]
    diverged = status == DIVERGED
    row["final_loss"] = np.inf if diverged else control[LOSS, lane]
    row["max_error"] = np.inf if diverged else control[MAX_ERROR, lane]
    row["n_correct"] = 0 if diverged else int(control[N_CORRECT, lane])
    if runs.final_weights.shape[0]:
        for k in range(runs.weights.shape[1]):
            runs.final_weights[run, k] = workspace.parameters[workspace.places[k], lane]
        for k in range(workspace.signals.outputs.shape[0]):
            runs.predictions[run, k] = workspace.signals.outputs[k, lane]


@device
def at_last_step(runs: Runs, workspace: Workspace, lane: int) -> bool:
    """Tell whether the run in ``lane`` has taken all its steps."""
    t = workspace.clock[STEP] - workspace.seats[START, lane]
    return bool(t == runs.settings[workspace.seats[RUN, lane]]["max_steps"])


@routine
def set_deadline(runs: Runs, workspace: Workspace) -> None:
    """Find the step at which the first of the seated runs is at its last.

    Where every loss is to be written down, each step is a deadline.
    """
    clock = workspace.clock
    deadline = NEVER
    for lane in range(workspace.seats.shape[1]):
        run = workspace.seats[RUN, lane]
        if run != EMPTY:
            deadline = min(deadline, workspace.seats[START, lane] + runs.settings[run]["max_steps"])
    clock[DEADLINE] = clock[STEP] if runs.losses.shape[0] else deadline


@routine
def settle(runs: Runs, workspace: Workspace) -> bool:
    """Retire the runs that end before the update, and seat the next; tell whether there were any.

    A run at its last step whose loss has repeated ends after the update, which may
    show that it has stalled. It is written down as exhausted now, since the update
    overwrites its parameters.
    """
    control, seats, clock = workspace.control, workspace.seats, workspace.clock
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
        elif at_last_step(runs, workspace, lane):
            status = EXHAUSTED
            waits = control[REPEATED_FLAG, lane] != 0.0
        else:
            continue
        record_outcome(runs, workspace, lane, status)
        if not waits:
            retire(workspace, lane)
    if clock[OCCUPIED] == occupied:
        return False
    seat_runs(runs, workspace)
    set_deadline(runs, workspace)
    return True


@routine
def finish_step(runs: Runs, workspace: Workspace) -> bool:
    """After an update, retire runs that stalled or were at their last step; tell whether there were any."""
    control, seats, clock = workspace.control, workspace.seats, workspace.clock
    occupied = clock[OCCUPIED]
    for lane in range(seats.shape[1]):
        if seats[RUN, lane] != EMPTY:
            status = STALLED if control[ENDED_FLAG, lane] != 0.0 else EXHAUSTED
            if status == STALLED:
                record_outcome(runs, workspace, lane, status)
            if status == STALLED or at_last_step(runs, workspace, lane):
                retire(workspace, lane)
        control[PREVIOUS, lane] = control[LOSS, lane]
    clock[STEP] += 1
    retired: bool = clock[OCCUPIED] < occupied
    if retired:
        seat_runs(runs, workspace)
    set_deadline(runs, workspace)
    return retired
