"""Train many networks that share everything but their own numbers.

A kernel keeps the networks of a batch in the lanes of SIMD registers. Each takes
steps until it ends by its own criterion; then its outcome is written down and the
next network takes the lane, while the neighbours go on.

    enter: seat runs -> step -> step -> ... -> step
                           `-> attend: judge, retire, enter the next (rare)

Two batches or three take turns, half a step each: all go forward, then all go backward.
While one ends its half, where each operation waits for the one before, the CPU has
begun the half of the next. Networks too large for the first cache go through it
once a step instead: a unit goes forward when the next one has been updated. Most
steps are taken in an inner loop that only asks whether any lane might end; see
:mod:`kernels.turns`.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.architecture import Architecture
from kernels.batch import (
    OCCUPIED,
    RETRAIN,
    SETTINGS,
    Columns,
    Runs,
    Table,
    Workspace,
    make_columns,
    make_patterns,
    make_workspaces,
)
from kernels.simd.compiling import Kernel, is_compiled
from kernels.specialization import Specialization
from kernels.tuning import Tuning, tuning_here
from kernels.turns import MAX_STEPS, make_kernel

Array = NDArray[Any]

# Where batches take no turns because their patterns are no constants, a row is of so many registers,
# whose latencies overlap.
WIDE_REGISTERS = 2

# Batches that take turns at least, if patterns are constants; see :class:`kernels.tuning.Tuning` for more.
N_BATCHES = 2

# Patterns of up to this many numbers become constants of the kernel. The loops
# over more would stay loops and only cost compile time.
CONSTANT_LIMIT = 64

# Hidden sizes up to this one are constants of the kernel too: their loop unrolls.
HIDDEN_CONSTANT = 2

_making = Lock()


# A kernel returns after so many products, sums and functions of lanes, a second or so of work, so that
# an interrupt ends even one network of a billion steps.
PAUSE_OPERATIONS = 4e9


def kernel_for(special: Specialization) -> Kernel:
    """Return the kernel of :func:`make_kernel`, made once however many threads ask."""
    with _making:
        return make_kernel(special)


class Outcome(NamedTuple):
    """What became of trained runs.

    Attributes
    ----------
    columns
        A number each.
    final_weights : (runs, parameters)
        Parameters before the update that was not taken; (0, 0) if not asked for.
    predictions : (runs, patterns * outputs)
        Outputs with the final weights; (0, 0) if these were not asked for.
    losses : (runs, most steps + 1)
        Losses before each update, NaN after the last; (0, 0) if not asked for.
    lane_steps
        Steps that lanes spent, busy or idle; at least the sum of steps.
    """

    columns: Columns
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
    tuning
        That for this CPU if not given; no result depends on it.
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
        tuning: Tuning | None = None,
    ) -> None:
        self.architecture = architecture
        self.dtype = dtype
        itemsize = np.dtype(dtype).itemsize
        self._tuning = tuning or tuning_here()
        self._width = width or self._tuning.row_bytes // itemsize
        self._patterns = make_patterns(inputs, targets, dtype, architecture.bias, skip_zeros=False)
        wide = width or WIDE_REGISTERS * self._tuning.row_bytes // itemsize
        self._exact = Specialization(architecture, loss, criterion, dtype, wide)
        self._table: Table | None = None
        if inputs.size + targets.size <= CONSTANT_LIMIT:
            inputs_table, targets_table = (tuple(map(tuple, array.tolist())) for array in self._patterns[:2])
            self._table = inputs_table, targets_table

    def specialization(self, hidden: int) -> Specialization:
        """Return what the kernel for ``hidden`` units is made for."""
        if self._table is None:
            return self._exact
        n_rows = self.architecture.n_parameters(hidden) + len(self._table[0]) * hidden
        n_fit = self._tuning.cache_bytes // (n_rows * self._tuning.row_bytes)
        one_pass = n_fit < N_BATCHES
        unrolls = hidden <= HIDDEN_CONSTANT and not one_pass
        most = self._tuning.batches if unrolls or not self._exact.judged else N_BATCHES
        return self._exact._replace(
            width=self._width,
            table=self._table,
            hidden=hidden if unrolls else None,
            one_pass=one_pass,
            gates=self._tuning.gates,
            group=self._tuning.group,
            batches=max(N_BATCHES, min(most, n_fit)),
        )

    def uncompiled(self, hidden: int) -> Kernel | None:
        """Return the kernel for ``hidden`` units if neither this process nor the disk has its machine code."""
        special = self.specialization(hidden)
        kernel = kernel_for(special)
        no_weights = np.empty((0, self.architecture.n_parameters(1)))  # one unit stands for any number
        arguments = self._arguments(special, np.empty(0, SETTINGS), np.empty(0, np.int64), no_weights, _OUTCOMES_ALONE)
        return None if is_compiled(kernel, arguments) else kernel

    def train(
        self,
        settings: Array,
        weights: Array,
        counts: Array | None = None,
        *,
        final_weights: bool = False,
        losses: bool = False,
        pause: Callable[[], None] | None = None,
    ) -> Outcome:
        """Train every run to its end.

        Parameters
        ----------
        settings : (cells,) of :data:`kernels.batch.SETTINGS`
            Learning rates and thresholds are rounded to the dtype.
        weights : (runs, parameters)
            Initial weights in the dtype.
        counts : (cells,)
            How many runs, one after the other, have each of the settings; one if not given.
        final_weights, losses
            Whether to keep weights and predictions at the end, and the loss of every step.
        pause
            Called after each second or so of steps. What it raises ends the training.

        Raises
        ------
        KeyboardInterrupt
            In the main thread, a second or so after an interrupt.
        ValueError
            If ``max_steps`` is negative or beyond what an outcome can hold, or settings and
            weights are not of the same runs.
        """
        counts = np.ones(len(settings), np.int64) if counts is None else counts
        if counts.shape != settings.shape or counts.min(initial=0) < 0 or counts.sum() != len(weights):
            raise ValueError(
                f"settings of {len(settings)} cells, with counts from {counts.min(initial=0)} that add up to "
                f"{counts.sum()}, and weights of {len(weights)} runs given; must be of the same runs"
            )
        max_steps = settings["max_steps"]
        if max_steps.min(initial=0) < 0 or max_steps.max(initial=0) > MAX_STEPS:
            raise ValueError(f"max_steps must be from 0 to {MAX_STEPS}")
        n_losses = int(max_steps.max(initial=0)) + 1 if losses else 0
        special = self.specialization(self.architecture.hidden(weights.shape[1]))
        asked = _Asked(final_weights, n_losses, pause or _go_on)
        outcome = self._run(special, settings, counts, weights, asked)
        again = np.flatnonzero(outcome.columns.status == RETRAIN)
        if not again.size:
            return outcome
        cells, counts = np.unique(np.searchsorted(np.cumsum(counts), again, side="right"), return_counts=True)
        exact = self._run(self._exact, settings[cells], counts, weights[again], asked)
        targets: tuple[Array, ...] = (*outcome.columns, *outcome[1:4])
        sources: tuple[Array, ...] = (*exact.columns, *exact[1:4])
        for target, source in zip(targets, sources, strict=True):
            if target.shape[0]:
                target[again] = source
        return outcome._replace(lane_steps=outcome.lane_steps + exact.lane_steps)

    def _run(self, special: Specialization, settings: Array, counts: Array, weights: Array, asked: _Asked) -> Outcome:
        kernel, arguments = kernel_for(special), self._arguments(special, settings, counts, weights, asked)
        runs, workspaces = arguments[1:3]
        with np.errstate(all="ignore"):  # for the JIT-off form; overflow is a result here
            steps = kernel(*arguments)
            while any(workspace.clock[OCCUPIED] for workspace in workspaces):
                asked.pause()
                steps = kernel(*arguments)
        return Outcome(runs.columns, runs.final_weights, runs.predictions, runs.losses, steps * special.width)

    def _arguments(
        self, special: Specialization, settings: Array, counts: Array, weights: Array, asked: _Asked
    ) -> tuple[Any, Runs, tuple[Workspace, ...], int, int]:
        """Return what the kernel for ``special`` is called with."""
        n_runs, n_parameters = weights.shape
        n_hidden = self.architecture.hidden(n_parameters)
        n_patterns = self._patterns.inputs.shape[0]
        n_outputs = n_patterns * self.architecture.outputs
        runs = Runs(
            settings,
            np.cumsum(counts, dtype=np.int64),
            np.ascontiguousarray(weights, self.dtype),
            waiting=np.zeros(2, np.int64),
            columns=make_columns(n_runs, self.dtype),
            final_weights=np.empty(weights.shape if asked.weights else (0, 0), self.dtype),
            predictions=np.empty((n_runs, n_outputs) if asked.weights else (0, 0), self.dtype),
            losses=np.full((n_runs, asked.n_losses) if asked.n_losses else (0, 0), np.nan),
        )
        workspaces = make_workspaces(
            self.architecture, n_hidden, n_patterns, special.width, self.dtype, special.batches
        )
        patterns: Any = self._patterns if special.table is None else None  # else the kernel holds them
        most_turns = max(1, int(PAUSE_OPERATIONS / (8 * n_parameters * n_patterns * special.batches)))
        return patterns, runs, workspaces, n_hidden, most_turns


class _Asked(NamedTuple):
    """What a training is asked for beyond the outcome of runs.

    Attributes
    ----------
    weights
        Whether weights and predictions at the end are kept.
    n_losses
        Room for losses of steps, 0 if they are not kept.
    pause
        Called after each second or so of steps.
    """

    weights: bool
    n_losses: int
    pause: Callable[[], None]


def _go_on() -> None:
    """Do nothing in a pause."""


_OUTCOMES_ALONE = _Asked(weights=False, n_losses=0, pause=_go_on)
