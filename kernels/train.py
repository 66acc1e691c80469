"""Train many networks that share everything but their own numbers.

A kernel keeps W networks in the lanes of SIMD registers. Each takes steps until
it ends by its own criterion; then its outcome is written down and the next
network takes the lane, while the neighbours go on.

    seat runs -> forward -> judge -> backward and update -> forward -> ...
                              `-> attend: retire, seat the next (rare)
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
from kernels.attend import Watched, finish_step, seat_runs, settle
from kernels.backward import make_backward
from kernels.batch import (
    ACTIVE_FLAG,
    BELOW,
    CONVERGED_FLAG,
    DEADLINE,
    LEARNING_RATE,
    LOSS,
    OCCUPIED,
    OUTCOME,
    PREVIOUS,
    RETRAIN,
    STALLED_FLAG,
    STEP,
    Patterns,
    Runs,
    Workspace,
    make_patterns,
    make_workspace,
)
from kernels.criteria import make_criterion
from kernels.forward import make_forward
from kernels.jit import device
from kernels.lanes import Lanes, Mask, Rows, any_lane, select
from kernels.losses import LOSSES

Array = NDArray[Any]

# Bytes of one row of lanes: two registers of AVX-512, whose latencies overlap.
LANES_BYTES = 128

# Patterns of up to this many numbers become constants of the kernel. The loops
# over more would stay loops and only cost compile time.
CONSTANT_LIMIT = 64

MAX_STEPS = 2**31 - 1

_making = Lock()


class Specialization(NamedTuple):
    """Everything that a compiled training kernel is made for.

    ``inputs`` and ``targets`` are the patterns as nested tuples, or both None for
    a kernel that reads patterns at run time and skips no product.
    """

    architecture: Architecture
    loss: str
    criterion: str
    dtype: str
    width: int
    inputs: tuple[tuple[float, ...], ...] | None
    targets: tuple[tuple[float, ...], ...] | None


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
    architecture, loss, criterion_name, dtype, width, inputs, targets = special
    constant = inputs is not None
    judged = criterion_name != "none"
    n_inputs, n_outputs, bias = architecture.inputs, architecture.outputs, architecture.bias
    forward = make_forward(architecture, dtype, width)
    backward = make_backward(architecture, loss, dtype, width)
    criterion = make_criterion(criterion_name, dtype, width)
    loss_term, loss_total = LOSSES[loss].term, LOSSES[loss].total
    memory = lanes.memory(dtype, width)
    load, store, fill = memory.load, memory.store, memory.fill
    infinity = np.inf
    if constant:
        table = make_patterns(np.array(inputs), np.array(targets), dtype, architecture.bias, skip_zeros=True)
        fixed_inputs, fixed_targets, fixed_used, _ = table
        output_registers = lanes.stack(dtype, width, fixed_targets.size)
        gradient_registers = lanes.stack(dtype, width, fixed_targets.size)
    else:
        fixed_inputs = fixed_targets = fixed_used = np.ones((1, 1), dtype)

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
    def total_loss(patterns: Patterns, outputs: Rows) -> Lanes:
        n_patterns = patterns.targets.shape[0]
        terms = fill(-0.0)
        for n in range(n_patterns):
            for o in range(n_outputs):
                terms = terms + loss_term(load(outputs, n * n_outputs + o), patterns.targets[n, o])
        return loss_total(terms, n_patterns * n_outputs)

    @device
    def show(workspace: Workspace, outputs: Rows, loss: Lanes, previous: Lanes, converged: Mask, step: int) -> None:
        """Put what registers hold where code that works lane by lane finds it."""
        for k in range(workspace.outputs.shape[0]):
            store(workspace.outputs, k, load(outputs, k))
        store(workspace.control, LOSS, loss)
        store(workspace.control, PREVIOUS, previous)
        store(workspace.control, CONVERGED_FLAG, select(converged, fill(1.0), 0.0))
        workspace.clock[STEP] = step

    @jit.kernel(repr(special))
    def train(patterns: Patterns, runs: Runs, workspace: Workspace, n_hidden: int) -> int:
        parameters, control, output_rows, gradient_rows, hidden, _, clock = workspace
        if constant:
            patterns = Patterns(fixed_inputs, fixed_targets, fixed_used, patterns.middle)
            outputs, gradients = output_registers(), gradient_registers()
        else:
            outputs, gradients = output_rows, gradient_rows
        biases = (n_inputs + n_outputs) * n_hidden
        watched = Watched(n_inputs * n_hidden, biases, biases + n_hidden * bias) if constant else Watched(0, 0, 0)
        seat_runs(runs, workspace)
        step, deadline, occupied, passes = 0, 0, clock[OCCUPIED], 0
        learning_rate, below, previous, active = of_seats(control)
        while occupied > 0:
            passes += 1
            forward(patterns, parameters, hidden, outputs, n_hidden)
            loss = total_loss(patterns, outputs)
            converged = criterion(loss, outputs, patterns, below)
            ended = (converged | ~(loss < infinity)) & active
            repeated = (loss == previous) & active if judged else active & ~active
            if step < deadline and not any_lane(ended | repeated):
                backward(patterns, parameters, hidden, outputs, gradients, learning_rate, n_hidden)
                previous = loss
                step += 1
                continue
            urgent = step == deadline or any_lane(ended)
            waits = False
            if urgent:
                show(workspace, outputs, loss, previous, converged, step)
                waits = settle(patterns, runs, workspace, watched)
            if not waits:
                changed = backward(patterns, parameters, hidden, outputs, gradients, learning_rate, n_hidden)
                stalled = repeated & ~changed
                if not urgent:
                    if not any_lane(stalled):
                        previous = loss
                        step += 1
                        continue
                    show(workspace, outputs, loss, previous, converged, step)
                store(control, STALLED_FLAG, select(stalled, fill(1.0), 0.0))
                finish_step(patterns, runs, workspace, watched)
            step, deadline, occupied = clock[STEP], clock[DEADLINE], clock[OCCUPIED]
            learning_rate, below, previous, active = of_seats(control)
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
        self._fast = self._exact
        if inputs.size + targets.size <= CONSTANT_LIMIT:
            table = (tuple(map(tuple, array.tolist())) for array in self._patterns[:2])
            self._fast = Specialization(architecture, loss, criterion, dtype, self.width, *table)

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
        outcome = self._run(self._fast, settings, weights, final_weights, n_losses)
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
        workspace = make_workspace(n_parameters, n_outputs, n_patterns * n_hidden, self.width, self.dtype)
        with np.errstate(all="ignore"):  # for the JIT-off form; overflow is a result here
            passes = kernel_for(special)(self._patterns, runs, workspace, n_hidden)
        return Outcome(runs.outcome, runs.final_weights, runs.predictions, runs.losses, passes * self.width)
