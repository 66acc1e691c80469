"""What happens when a network ends: retire it, seat the next one.

The training loop comes here when some lane needs attention: a network has
converged or diverged, repeats its loss, is at its last step or has just been
seated. Code here runs rarely, lane by lane, and is the same for all networks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels.batch import (
    ACTIVE_FLAG,
    BELOW,
    CONVERGED,
    CONVERGED_FLAG,
    DEADLINE,
    DIVERGED,
    EMPTY,
    EXHAUSTED,
    LEARNING_RATE,
    LOSS,
    NEXT_RUN,
    OCCUPIED,
    PREVIOUS,
    RETRAIN,
    RUN,
    STALLED,
    STALLED_FLAG,
    START,
    STEP,
    Patterns,
    Runs,
    Workspace,
)
from kernels.jit import routine

NEVER = np.iinfo(np.int64).max


class Watched(NamedTuple):
    """Parameters that must be finite for an outcome to stand.

    Where products with zero are skipped, a run with an input weight or hidden bias
    that is not finite may owe its finite loss to the skipping, since 0 times
    infinity is NaN. Such a number stays not finite, so it is enough to look when a
    run ends. A kernel that skips nothing watches nothing.

    Attributes
    ----------
    n_weights
        The first ``n_weights`` parameters are watched,
    first_bias, end_bias
        and those of this range.
    """

    n_weights: int
    first_bias: int
    end_bias: int


@routine
def seat_runs(runs: Runs, workspace: Workspace) -> bool:
    """Give empty lanes to waiting runs, to start at the present step; tell whether there were any.

    A lane that stays empty goes on with what it has, and nobody looks.
    """
    control, seats, clock = workspace.control, workspace.seats, workspace.clock
    first = clock[NEXT_RUN]
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
                workspace.parameters[k, lane] = runs.weights[run, k]
            clock[NEXT_RUN] += 1
            clock[OCCUPIED] += 1
    return bool(clock[NEXT_RUN] > first)


@routine
def retire(workspace: Workspace, lane: int) -> None:
    """Take the run in ``lane`` off its seat."""
    workspace.seats[RUN, lane] = EMPTY
    workspace.control[ACTIVE_FLAG, lane] = 0.0
    workspace.clock[OCCUPIED] -= 1


@routine
def record_loss(runs: Runs, workspace: Workspace) -> None:
    """Write down the first loss of newly seated runs, and every loss where wanted."""
    for lane in range(workspace.seats.shape[1]):
        run = workspace.seats[RUN, lane]
        if run != EMPTY:
            t = workspace.clock[STEP] - workspace.seats[START, lane]
            loss = workspace.control[LOSS, lane]
            if t == 0:
                runs.outcome[run]["initial_loss"] = loss if np.isfinite(loss) else np.inf
            if runs.losses.shape[0]:
                runs.losses[run, t] = loss


@routine
def watched_finite(workspace: Workspace, lane: int, watched: Watched) -> bool:
    """Tell whether all watched parameters of the run in ``lane`` are finite."""
    finite = True
    for k in range(watched.n_weights):
        finite = finite and np.isfinite(workspace.parameters[k, lane])
    for k in range(watched.first_bias, watched.end_bias):
        finite = finite and np.isfinite(workspace.parameters[k, lane])
    return finite


@routine
def record_outcome(
    patterns: Patterns, runs: Runs, workspace: Workspace, watched: Watched, lane: int, status: int
) -> None:
    """Write down how the run in ``lane`` stands."""
    run = workspace.seats[RUN, lane]
    row = runs.outcome[run]
    row["status"] = status if watched_finite(workspace, lane, watched) else RETRAIN
    row["steps"] = workspace.clock[STEP] - workspace.seats[START, lane]
    n_correct = 0
    max_error = 0.0
    n_outputs = patterns.targets.shape[1]
    for n in range(patterns.targets.shape[0]):
        for o in range(n_outputs):
            y, target = workspace.outputs[n * n_outputs + o, lane], patterns.targets[n, o]
            n_correct += y > patterns.middle if target > patterns.middle else y < patterns.middle
            max_error = max(max_error, float(abs(y - target)))
    diverged = status == DIVERGED
    row["final_loss"] = np.inf if diverged else workspace.control[LOSS, lane]
    row["max_error"] = np.inf if diverged else max_error
    row["n_correct"] = 0 if diverged else n_correct
    if runs.final_weights.shape[0]:
        for k in range(runs.weights.shape[1]):
            runs.final_weights[run, k] = workspace.parameters[k, lane]
        for k in range(workspace.outputs.shape[0]):
            runs.predictions[run, k] = workspace.outputs[k, lane]


@routine
def at_last_step(runs: Runs, workspace: Workspace, lane: int) -> bool:
    """Tell whether the run in ``lane`` has taken all its steps."""
    t = workspace.clock[STEP] - workspace.seats[START, lane]
    return bool(t == runs.settings[workspace.seats[RUN, lane]]["max_steps"])


@routine
def next_deadline(runs: Runs, workspace: Workspace) -> int:
    """Return the step at which the first of the seated runs is at its last."""
    deadline = NEVER
    for lane in range(workspace.seats.shape[1]):
        run = workspace.seats[RUN, lane]
        if run != EMPTY:
            deadline = min(deadline, workspace.seats[START, lane] + runs.settings[run]["max_steps"])
    return deadline


@routine
def settle(patterns: Patterns, runs: Runs, workspace: Workspace, watched: Watched) -> bool:
    """Retire runs that have converged or diverged; tell whether the update must wait.

    Losses are written down where wanted. Seats that fell free are taken by the next
    runs, whose first loss is then to be computed. Runs at their last step are
    written down as exhausted, since the update, which may show that they have
    stalled, overwrites their parameters.
    """
    control, seats, clock = workspace.control, workspace.seats, workspace.clock
    record_loss(runs, workspace)
    occupied = clock[OCCUPIED]
    for lane in range(seats.shape[1]):
        if seats[RUN, lane] == EMPTY:
            continue
        status = RETRAIN
        if control[CONVERGED_FLAG, lane] != 0.0:
            status = CONVERGED
        elif not np.isfinite(control[LOSS, lane]):
            status = DIVERGED
        elif at_last_step(runs, workspace, lane):
            status = EXHAUSTED
        else:
            continue
        record_outcome(patterns, runs, workspace, watched, lane, status)
        if status != EXHAUSTED:
            retire(workspace, lane)
    if clock[OCCUPIED] == occupied:
        return False
    seat_runs(runs, workspace)
    clock[DEADLINE] = clock[STEP]
    return True


@routine
def finish_step(patterns: Patterns, runs: Runs, workspace: Workspace, watched: Watched) -> None:
    """After an update, retire runs that stalled or were at their last step."""
    control, seats, clock = workspace.control, workspace.seats, workspace.clock
    for lane in range(seats.shape[1]):
        if seats[RUN, lane] != EMPTY:
            status = STALLED if control[STALLED_FLAG, lane] != 0.0 else EXHAUSTED
            if status == STALLED:
                record_outcome(patterns, runs, workspace, watched, lane, status)
            if status == STALLED or at_last_step(runs, workspace, lane):
                retire(workspace, lane)
        control[PREVIOUS, lane] = control[LOSS, lane]
    clock[STEP] += 1
    seated = seat_runs(runs, workspace)
    # A first loss, and every loss of a trace, is written down by settle.
    pause = seated or runs.losses.shape[0] > 0
    clock[DEADLINE] = clock[STEP] if pause else next_deadline(runs, workspace)
