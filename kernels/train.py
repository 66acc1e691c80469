"""Train many networks that share everything but their own numbers.

A kernel keeps W networks in the lanes of SIMD registers. Each takes steps until
it ends by its own criterion; then its outcome is written down and the next
network takes the lane, while the neighbours go on.

    seat runs -> forward -> judge -> advance -> judge -> advance -> ...
                              `-> attend: retire, seat the next (rare)

Most steps are taken in an inner loop that only asks whether any lane might end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels import jit, lanes
from kernels.architecture import Architecture
from kernels.attend import finish_step, record_first_loss, seat_runs, set_deadline, settle
from kernels.batch import (
    ACTIVE_FLAG,
    BELOW,
    DEADLINE,
    ENDED_FLAG,
    LEARNING_RATE,
    LOSS,
    OCCUPIED,
    OUTCOME,
    PREVIOUS,
    REPEATED_FLAG,
    RETRAIN,
    STEP,
    Patterns,
    Runs,
    Signals,
    Table,
    Workspace,
    make_patterns,
    make_workspace,
    pattern_source,
    sums_watched,
)
from kernels.jit import device
from kernels.judge import make_all_go_on, make_judge
from kernels.lanes import Lanes, Mask, Rows, align_frame, any_lane, select
from kernels.losses import make_errors_small, make_total_loss
from kernels.measures import make_measure
from kernels.step import make_advance, make_forward

Array = NDArray[Any]

# Bytes of one row of lanes: two registers of AVX-512, whose latencies overlap.
LANES_BYTES = 128

# Patterns of up to this many numbers become constants of the kernel. The loops
# over more would stay loops and only cost compile time.
CONSTANT_LIMIT = 64

# Hidden sizes up to this one are constants of the kernel too: their loop unrolls.
HIDDEN_CONSTANT = 2

MAX_STEPS = 2**31 - 1

_making = Lock()


class Specialization(NamedTuple):
    """Everything that a compiled training kernel is made for.

    ``table`` holds the patterns, or is None for a kernel that reads patterns at run
    time and skips no product.
    """

    architecture: Architecture
    loss: str
    criterion: str
    dtype: str
    width: int
    table: Table | None
    hidden: int | None


def kernel_for(special: Specialization) -> Callable[[Patterns, Runs, Workspace, int], int]:
    """Return the kernel of :func:`make_kernel`, made once however many threads ask."""
    with _making:
        return make_kernel(special)


@cache
def make_kernel(special: Specialization) -> Callable[[Patterns, Runs, Workspace, int], int]:
    """Return the training loop for one specialization.

    The kernel takes ``(patterns, runs, workspace, n_hidden)``, trains all runs and
    returns how many times it computed the loss of all lanes.
    """
    architecture, loss, criterion_name, dtype, width, table, fixed_hidden = special
    constant = table is not None
    judged = criterion_name != "none"
    n_outputs = architecture.outputs
    known = pattern_source(table, dtype, architecture.bias)
    nan_watched = table is not None and sums_watched(table)
    forward = make_forward(architecture, known, loss, dtype, width, fixed_hidden, nan_watched)
    advance = make_advance(architecture, known, loss, dtype, width, fixed_hidden, nan_watched)
    judge = make_judge(known, loss, criterion_name, dtype, width)
    all_go_on = make_all_go_on(architecture, known, criterion_name, dtype, width, fixed_hidden)
    total_loss = make_total_loss(loss, known, dtype, width)
    errors_small = make_errors_small(known, dtype, width)
    measure = make_measure(architecture, dtype, width, constant)
    memory = lanes.memory(dtype, width)
    load, store, fill = memory.load, memory.store, memory.fill
    n_results = len(table[1]) * n_outputs if table else 0
    output_registers = lanes.stack(dtype, width, n_results)
    gradient_registers = lanes.stack(dtype, width, n_results)
    bias_registers = lanes.stack(dtype, width, n_outputs * architecture.bias)
    hidden_registers = lanes.stack(dtype, width, (fixed_hidden or 0) * n_results // n_outputs)
    unrolls = fixed_hidden is not None

    @device
    def of_seats(control: Rows) -> tuple[Lanes, Lanes, Lanes, Mask]:
        """Load what the lanes hold from the moment a run takes its seat."""
        return (
            load(control, LEARNING_RATE),
            load(control, BELOW),
            load(control, PREVIOUS),
            load(control, ACTIVE_FLAG) > 0.0,
        )

    @device
    def show(
        patterns: Patterns,
        workspace: Workspace,
        n_hidden: int,
        outputs: Rows,
        loss: Lanes,
        previous: Lanes,
        ended: Mask,
        repeated: Mask,
        step: int,
    ) -> None:
        """Put what registers hold where code that works lane by lane finds it, and measure outputs."""
        for k in range(n_results if constant else 0):
            store(workspace.signals.outputs, k, load(outputs, k))
        control = workspace.control
        store(control, LOSS, loss)
        store(control, PREVIOUS, previous)
        store(control, ENDED_FLAG, select(ended, fill(1.0), 0.0))
        store(control, REPEATED_FLAG, select(repeated, fill(1.0), 0.0))
        workspace.clock[STEP] = step
        measure(patterns, workspace, n_hidden)

    @jit.kernel(repr(special))
    def train(patterns: Patterns, runs: Runs, workspace: Workspace, n_hidden: int) -> int:
        align_frame()
        parameters, _, control, rows, _, clock = workspace
        signals = Signals(
            output_registers() if constant else rows.outputs,
            gradient_registers() if constant else rows.gradients,
            bias_registers(),
            hidden_registers() if unrolls else rows.hidden,
        )
        outputs = signals.outputs
        passes = 0
        seat_runs(runs, workspace)
        set_deadline(runs, workspace)
        while clock[OCCUPIED] > 0:
            learning_rate, below, previous, active = of_seats(control)
            forward(patterns, parameters, signals, learning_rate, n_hidden)
            passes += 1
            store(control, LOSS, total_loss(patterns, outputs))
            record_first_loss(runs, workspace)
            step, deadline, moved = clock[STEP], clock[DEADLINE], False
            while not moved:
                if judged:
                    loss = total_loss(patterns, outputs)
                    while step < deadline and all_go_on(patterns, parameters, signals, loss, below, previous, n_hidden):
                        advance(patterns, parameters, signals, learning_rate, n_hidden)
                        previous, loss = loss, total_loss(patterns, outputs)
                        passes += 1
                        step += 1
                else:
                    while step < deadline and errors_small(patterns, outputs):
                        advance(patterns, parameters, signals, learning_rate, n_hidden)
                        passes += 1
                        step += 1
                loss, converged, ended, repeated = judge(patterns, outputs, below, previous, active)
                urgent = step == deadline or any_lane(ended)
                if urgent:
                    show(patterns, workspace, n_hidden, outputs, loss, previous, converged, repeated, step)
                    moved = settle(runs, workspace)
                    if moved:
                        continue
                changed = advance(patterns, parameters, signals, learning_rate, n_hidden)
                stalled = repeated & ~changed
                if urgent or any_lane(stalled):
                    show(patterns, workspace, n_hidden, outputs, loss, previous, stalled, repeated, step)
                    moved = finish_step(runs, workspace)
                    deadline = clock[DEADLINE]
                passes += 1
                previous = loss
                step += 1
        return passes

    return train


class Outcome(NamedTuple):
    """What became of trained runs.

    Attributes
    ----------
    rows : (runs,) of :data:`kernels.batch.OUTCOME`
    final_weights : (runs, parameters)
        Parameters before the update that was not taken; (0, 0) if not asked for.
    predictions : (runs, patterns * outputs)
        Outputs with the final weights; (0, 0) if these were not asked for.
    losses : (runs, most steps + 1)
        Losses before each update, NaN after the last; (0, 0) if not asked for.
    lane_steps
        Steps that lanes spent, busy or idle; at least the sum of steps.
    """

    rows: Array
    final_weights: Array
    predictions: Array
    losses: NDArray[np.float64]
    lane_steps: int


class Trainer:
    """Trains runs that share architecture, patterns, loss, criterion and dtype.

    Parameters
    ----------
    architecture
        What the networks are made of; the hidden size comes with the weights.
    inputs : (patterns, inputs)
    targets : (patterns, outputs)
        Rounded to ``dtype``.
    loss
        A key of :data:`kernels.losses.LOSSES`.
    criterion
        One of :data:`kernels.criteria.NAMES`.
    dtype
        ``"float64"`` or ``"float32"``.
    width
        Networks side by side, a power of two; no result depends on it.
    """

    def __init__(
        self,
        architecture: Architecture,
        inputs: Array,
        targets: Array,
        *,
        loss: str = "sse",
        criterion: str = "loss",
        dtype: str = "float64",
        width: int | None = None,
    ) -> None:
        self.architecture = architecture
        self.dtype = dtype
        self.width = width or LANES_BYTES // np.dtype(dtype).itemsize
        self._patterns = make_patterns(inputs, targets, dtype, architecture.bias, skip_zeros=False)
        self._exact = Specialization(architecture, loss, criterion, dtype, self.width, None, None)
        self._table: Table | None = None
        if inputs.size + targets.size <= CONSTANT_LIMIT:
            inputs_table, targets_table = (tuple(map(tuple, array.tolist())) for array in self._patterns[:2])
            self._table = inputs_table, targets_table

    def specialization(self, hidden: int) -> Specialization:
        """Return what the kernel for ``hidden`` units is made for."""
        unrolls = self._table is not None and hidden <= HIDDEN_CONSTANT
        return self._exact._replace(table=self._table, hidden=hidden if unrolls else None)

    def train(self, settings: Array, weights: Array, *, final_weights: bool = False, losses: bool = False) -> Outcome:
        """Train every run to its end.

        Parameters
        ----------
        settings : (runs,) of :data:`kernels.batch.SETTINGS`
            Learning rates and thresholds are rounded to the dtype.
        weights : (runs, parameters)
            Initial weights in the dtype.
        final_weights, losses
            Whether to keep weights and predictions at the end, and the loss of every step.

        Raises
        ------
        ValueError
            If ``max_steps`` is negative or beyond what an outcome can hold.
        """
        max_steps = settings["max_steps"]
        if np.any((max_steps < 0) | (max_steps > MAX_STEPS)):
            raise ValueError(f"max_steps must be from 0 to {MAX_STEPS}")
        n_losses = int(max_steps.max(initial=0)) + 1 if losses else 0
        special = self.specialization(self.architecture.hidden(weights.shape[1]))
        outcome = self._run(special, settings, weights, final_weights, n_losses)
        again = np.flatnonzero(outcome.rows["status"] == RETRAIN)
        if not again.size:
            return outcome
        exact = self._run(self._exact, settings[again], weights[again], final_weights, n_losses)
        for target, source in zip(outcome[:4], exact[:4], strict=True):
            if target.shape[0]:
                target[again] = source
        return outcome._replace(lane_steps=outcome.lane_steps + exact.lane_steps)

    def _run(
        self, special: Specialization, settings: Array, weights: Array, final_weights: bool, n_losses: int
    ) -> Outcome:
        n_runs, n_parameters = weights.shape
        n_hidden = self.architecture.hidden(n_parameters)
        n_patterns = self._patterns.inputs.shape[0]
        n_outputs = n_patterns * self.architecture.outputs
        runs = Runs(
            settings,
            np.ascontiguousarray(weights, self.dtype),
            outcome=np.zeros(n_runs, OUTCOME),
            final_weights=np.empty(weights.shape if final_weights else (0, 0), self.dtype),
            predictions=np.empty((n_runs, n_outputs) if final_weights else (0, 0), self.dtype),
            losses=np.full((n_runs, n_losses) if n_losses else (0, 0), np.nan),
        )
        workspace = make_workspace(self.architecture, n_hidden, n_patterns, self.width, self.dtype)
        with np.errstate(all="ignore"):  # for the JIT-off form; overflow is a result here
            passes = kernel_for(special)(self._patterns, runs, workspace, n_hidden)
        return Outcome(runs.outcome, runs.final_weights, runs.predictions, runs.losses, passes * self.width)
