"""Train many networks of one recipe and the same hidden units on the same patterns.

A kernel keeps the networks of a packet in the lanes of SIMD registers. Each takes steps until it ends by its own
criterion; then its outcome is recorded and the next network takes the lane, while the neighbours go on.

    seat runs -> predict, evaluate, advance -> predict, evaluate, advance -> ...
                  `-> end_runs: record, retire, seat the next (rare)

To advance is one step, or an epoch of several steps. Two packets or three take turns, half a
step each: while one ends its half, where each operation waits for the one before, the CPU has
begun the half of the next. Most steps are taken in an inner loop that only tests whether
any lane might end; see :mod:`kernels.loop.kernel`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.data.patterns import make_patterns
from kernels.effort import Effort
from kernels.floating_point import default_floating_point
from kernels.kept import kernel_for, ready_kernel
from kernels.loop.kernel import MAX_STEPS
from kernels.loop.lane_assignment import OCCUPIED
from kernels.loop.runs import RETRAIN, Outcome, Runs, ascending_epochs, given_limits, given_numbers, make_columns
from kernels.recipe import Hidden, Recipe
from kernels.simd.compiling import Kernel, is_compiled
from kernels.simd.jit import ENABLED
from kernels.sources import sources_digest
from kernels.step.layout import Workspace, make_workspace
from kernels.tuning import Tuning, tuning_here
from kernels.variant import InUse, Variant, choose_variant

Array = NDArray[Any]

# The digest is computed now, so that it is of the sources that are imported, even if files change later.
sources_digest()

# A kernel returns after this many products, sums and functions of lanes, a second or so of work (interpreted, each
# takes a microsecond), so that an interrupt ends even one network of a billion steps.
PAUSE_OPERATIONS = 4e9 if ENABLED else 1e6


class Trainer:
    """Trains runs of one recipe on the same patterns.

    Parameters
    ----------
    recipe
        The components that decide the bits of the runs.
    inputs : (patterns, inputs), or (sets, patterns, inputs)
        Rounded to the dtype of the recipe.
    targets : (patterns, outputs), or (sets, patterns, outputs)
        Likewise. Of several sets, each cell has the one whose number is in its settings.
    decision_threshold : number, or (sets,)
        What separates high from low outputs; NaN for the middle of the range of the targets.
    loss_thresholds : (targets,)
        Targets of the loss, rounded to the dtype, in any order; those of outcomes are from the largest to the smallest.
    tuning
        Properties of the CPU, by default of this one. No result depends on them.
    effort
        What is worth to be compiled. No result depends on it.

    Raises
    ------
    ValueError
        If the recipe's batch is below 1 or above the number of patterns, or targets of the loss do not go with it.
    """

    def __init__(
        self,
        recipe: Recipe,
        inputs: Array,
        targets: Array,
        loss_thresholds: Sequence[float] = (),
        *,
        decision_threshold: Any = np.nan,
        tuning: Tuning | None = None,
        effort: Effort = Effort.MOST,
    ) -> None:
        n_patterns = targets.shape[-2]
        if recipe.batch is not None and not 1 <= recipe.batch <= n_patterns:
            raise ValueError(f"batch {recipe.batch} given; must be from 1 to {n_patterns}, the number of patterns")
        if recipe.records_thresholds != bool(len(loss_thresholds)):
            raise ValueError(f"{len(loss_thresholds)} targets of the loss given for {recipe}")
        self.recipe = recipe
        self._tuning, self._effort = tuning or tuning_here(), effort
        self._loss_thresholds = np.sort(np.array(loss_thresholds, recipe.dtype))[::-1].astype(np.float64)
        self._patterns = make_patterns(inputs, targets, recipe.dtype, decision_threshold)

    def variant(self, hidden: Hidden, settings: Array, *, exact: bool = False) -> Variant:
        """Return the variant that trains networks of ``hidden`` units.

        Parameters
        ----------
        hidden
            Hidden units, of each layer if there are several.
        settings : (cells,) of :data:`kernels.recipe.SETTINGS`
            Of the runs.
        exact
            Whether every product must be computed.

        Returns
        -------
        Variant
        """
        of_hidden, of_outputs = self.recipe.architecture.scales(hidden)
        scaled = any(bool((settings["gain"] * scale != 1.0).any()) for scale in of_hidden)
        in_use = InUse(scaled, of_outputs != 1.0, decay=bool((settings["weight_decay"] != 0.0).any()))
        effort = Effort.LEAST if exact else self._effort
        return choose_variant(self.recipe, self._patterns, hidden, self._tuning, in_use, effort)

    def uncompiled(self, hidden: Hidden, settings: Array, *, exact: bool = False) -> Kernel | None:
        """Return the kernel that trains networks of ``hidden`` units, if it is yet to be compiled.

        Parameters
        ----------
        hidden, settings, exact
            As for :meth:`variant`.

        Returns
        -------
        Kernel or None
            None if this process or the disk has its machine code.
        """
        variant, arguments = self._call(hidden, settings, exact)
        kernel = kernel_for(self.recipe, variant)
        return None if is_compiled(kernel, arguments) else kernel

    def compile(self, hidden: Hidden, settings: Array, *, exact: bool = False) -> None:
        """Compile the kernel that :meth:`uncompiled` returns.

        Parameters
        ----------
        hidden, settings, exact
            As for :meth:`variant`.
        """
        ready_kernel(self.recipe, *self._call(hidden, settings, exact))

    def _call(self, hidden: Hidden, settings: Array, exact: bool) -> tuple[Variant, tuple[Any, ...]]:
        """Return a variant and arguments of a call of its kernel, for no runs."""
        variant = self.variant(hidden, settings, exact=exact)
        no_weights = np.empty((0, self.recipe.architecture.n_parameters(hidden)))
        return variant, self._arguments(variant, settings[:0], np.empty(0, np.int64), no_weights, _Asked(hidden))

    @default_floating_point
    def train(
        self,
        settings: Array,
        weights: Array,
        counts: Array | None = None,
        *,
        hidden: Hidden | None = None,
        seeds: Array | None = None,
        final_weights: bool = False,
        predictions: bool | None = None,
        losses: bool = False,
        path_epochs: Sequence[int] = (),
        pause: Callable[[], None] | None = None,
    ) -> Outcome:
        """Train every run to its end.

        Parameters
        ----------
        settings : (cells,) of :data:`kernels.recipe.SETTINGS`
            Rounded to the dtype.
        weights : (runs, parameters)
            Initial weights in the dtype.
        counts : (cells,)
            How many consecutive runs have each of the settings; 1 each if not given.
        hidden
            Hidden units; the number of parameters tells those of one hidden layer.
        seeds : (runs,) of integers from 0 to 2^32 - 1
            Of shuffled orders; other orders need none.
        final_weights, predictions, losses
            Whether to keep weights at the end, outputs with them (by default with the weights), and the loss of every
            evaluation.
        path_epochs
            Epochs, in ascending order and each once, after which the parameters of runs under way are kept.
        pause
            Called after each second or so of steps. An exception that it raises ends the training.

        Returns
        -------
        Outcome

        Raises
        ------
        KeyboardInterrupt
            In the main thread, a second or so after an interrupt.
        ValueError
            If ``max_steps`` is negative or above MAX_STEPS, or the numbers of settings, weights and seeds do not agree,
            or there is no such set of patterns, or epochs of a path do not ascend from 0.
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
        sets = settings["patterns"]
        if sets.min(initial=0) < 0 or sets.max(initial=0) >= self._patterns.n_sets:
            raise ValueError(f"patterns must be from 0 to {self._patterns.n_sets - 1}, the number of a set of patterns")
        hidden = self.recipe.architecture.hidden(weights.shape[1]) if hidden is None else hidden
        variant = self.variant(hidden, settings)
        own = np.empty(0, np.int64) if seeds is None else np.asarray(seeds, np.int64)
        if variant.shuffles(self.recipe) and len(own) != len(weights):
            raise ValueError(f"{len(own)} seeds given; a shuffled order needs one for each of {len(weights)} runs")
        n_losses = -(-int(max_steps.max(initial=0)) // variant.n_windows) + 1 if losses else 0
        outputs = final_weights if predictions is None else predictions
        asked = _Asked(hidden, own, final_weights, outputs, n_losses, ascending_epochs(path_epochs), pause)
        outcome = self._run(variant, settings, counts, weights, asked)
        again = np.flatnonzero(outcome.columns.status == RETRAIN)
        return self._retrain(outcome, again, settings, counts, weights, asked) if again.size else outcome

    def _retrain(
        self, outcome: Outcome, again: Array, settings: Array, counts: Array, weights: Array, asked: _Asked
    ) -> Outcome:
        """Train the runs ``again`` by a variant that computes every product, and put their outcomes in place."""
        cells, counts = np.unique(np.searchsorted(np.cumsum(counts), again, side="right"), return_counts=True)
        variant = self.variant(asked.hidden, settings[cells], exact=True)
        own = asked._replace(seeds=asked.seeds[again] if asked.seeds.size else asked.seeds)
        exact = self._run(variant, settings[cells], counts, weights[again], own)
        kept: tuple[Array, ...] = (*outcome.columns, *outcome[1:5])
        for target, source in zip(kept, (*exact.columns, *exact[1:5]), strict=True):
            if target.shape[0]:
                target[again] = source
        return outcome._replace(lane_steps=outcome.lane_steps + exact.lane_steps)

    def _run(self, variant: Variant, settings: Array, counts: Array, weights: Array, asked: _Asked) -> Outcome:
        arguments = self._arguments(variant, settings, counts, weights, asked)
        kernel, (runs, workspaces) = ready_kernel(self.recipe, variant, arguments), arguments[1:3]
        with np.errstate(all="ignore"):  # for the JIT-off form; overflow is a result here
            turns = kernel(*arguments)
            while runs.waiting[0] < len(weights) or any(workspace.clock[OCCUPIED] for workspace in workspaces):
                if asked.pause:
                    asked.pause()
                turns = kernel(*arguments)
        lane_steps = int(turns) * variant.n_windows * variant.width
        return Outcome(runs.columns, runs.final_weights, runs.predictions, runs.losses, runs.path, lane_steps)

    def _arguments(
        self, variant: Variant, settings: Array, counts: Array, weights: Array, asked: _Asked
    ) -> tuple[Any, Runs, tuple[Workspace, ...], int]:
        """Return the arguments of the kernel for a variant."""
        recipe, (n_runs, n_parameters) = self.recipe, weights.shape
        n_outputs = variant.n_patterns * recipe.architecture.outputs
        runs = Runs(
            given_numbers(recipe, settings, asked.hidden),
            given_limits(settings),
            np.cumsum(counts, dtype=np.int64),
            np.ascontiguousarray(weights, recipe.dtype),
            asked.seeds,
            self._loss_thresholds,
            waiting=np.zeros(2, np.int64),
            columns=make_columns(n_runs, len(self._loss_thresholds), len(recipe.loss_sums.split())),
            final_weights=np.empty(weights.shape if asked.weights else (0, 0), recipe.dtype),
            predictions=np.empty((n_runs, n_outputs) if asked.predictions else (0, 0), recipe.dtype),
            losses=np.full((n_runs, asked.n_losses) if asked.n_losses else (0, 0), np.nan),
            path_epochs=asked.path_epochs,
            path=np.empty((n_runs, len(asked.path_epochs), n_parameters), recipe.dtype),
        )
        workspaces = tuple(make_workspace(recipe, variant, asked.hidden) for _ in range(variant.packets))
        is_held = variant.table is not None and variant.own == "nothing"
        patterns: Any = None if is_held else self._patterns  # None where the kernel holds them
        most_turns = max(1, int(PAUSE_OPERATIONS / (8 * n_parameters * variant.n_patterns * variant.packets)))
        return patterns, runs, workspaces, most_turns


class _Asked(NamedTuple):
    """Optional results and arguments of a training.

    Attributes
    ----------
    hidden
        Hidden units.
    seeds
        Of shuffled orders.
    weights, predictions
        Whether weights at the end, and outputs with them, are kept.
    n_losses, path_epochs
        Columns for the losses of evaluations, 0 if they are not kept, and epochs after which parameters are kept.
    pause
        Called after each second or so of steps, if any.
    """

    hidden: Hidden
    seeds: NDArray[np.int64] = np.empty(0, np.int64)
    weights: bool = False
    predictions: bool = False
    n_losses: int = 0
    path_epochs: NDArray[np.int64] = np.empty(0, np.int64)
    pause: Callable[[], None] | None = None
