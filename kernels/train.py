"""Train many networks of one recipe and the same hidden units on the same patterns.

A kernel keeps the networks of a packet in the lanes of SIMD registers. Each network takes steps until its own
criterion ends it. Then its outcome is recorded and the next network takes the lane, while the neighbors continue.

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
from kernels.loop.run_arrays import (
    RETRAIN,
    Columns,
    Outcome,
    Runs,
    ascending_epochs,
    cell_limits,
    initial_numbers,
    make_columns,
)
from kernels.numba.jit import ENABLED
from kernels.numba.machine_code import Kernel, is_compiled
from kernels.recipe import Hidden, Recipe
from kernels.settings import make_settings
from kernels.sources import sources_digest
from kernels.step.layout import Workspace, make_workspace
from kernels.tuning import Tuning, tuning_here
from kernels.variant import Variant, choose_variant
from kernels.vocabulary import STOPPING_RULES

Array = NDArray[Any]

# The digest is computed now, so that it describes the imported sources even if files change later.
sources_digest()

# A kernel returns after this many products, sums and functions of lanes, about a second of work (interpreted, each
# takes a microsecond), so that an interrupt ends even one network of a billion steps.
PAUSE_OPERATIONS = 4e9 if ENABLED else 1e6

# Where sets of patterns have more numbers than this, networks with the same set train together, with patterns in memory
# that all lanes share: a copy for each lane would not fit in the caches.
MOST_OWN_NUMBERS = 16384


class Trainer:
    """Trains runs of one recipe on the same patterns.

    Parameters
    ----------
    recipe
        The components that decide the bits of the runs.
    inputs : (patterns, inputs), or (sets, patterns, inputs)
        Rounded to the dtype of the recipe.
    targets : (patterns, outputs), or (sets, patterns, outputs)
        Rounded likewise. With several sets, each cell has the set whose number is in its settings.
    decision_threshold : number, or (sets,)
        Outputs above it are high, those below it low; NaN for the middle of the range of the targets.
    held_out : (inputs, targets)
        Held-out patterns in as many sets, if the recipe looks at them.
    validate_every
        They are evaluated after each so many epochs, and before the first.
    loss_thresholds : (thresholds,)
        Rounded to the dtype, in any order; those of outcomes are from the largest to the smallest.
    tuning
        Properties of the CPU, by default of this one. No result depends on them.
    effort
        Which kernels are worth compiling. No result depends on it.

    Raises
    ------
    ValueError
        If the recipe's batch is not from 1 to the number of patterns, or loss thresholds, held-out patterns or
        ``validate_every`` do not fit the recipe.
    """

    def __init__(
        self,
        recipe: Recipe,
        inputs: Array,
        targets: Array,
        loss_thresholds: Sequence[float] = (),
        *,
        decision_threshold: Any = np.nan,
        held_out: tuple[Array, Array] | None = None,
        validate_every: int = 1,
        tuning: Tuning | None = None,
        effort: Effort = Effort.MOST,
    ) -> None:
        n_patterns = targets.shape[-2]
        if recipe.batch is not None and not 1 <= recipe.batch <= n_patterns:
            raise ValueError(f"batch: must be from 1 to {n_patterns}, the number of patterns, got {recipe.batch}")
        if recipe.records_thresholds != bool(len(loss_thresholds)):
            raise ValueError(f"loss_thresholds: must fit records_thresholds, got {len(loss_thresholds)} for {recipe}")
        if recipe.holds_out != (held_out is not None) or validate_every < 1:
            given = "none" if held_out is None else "some"
            raise ValueError(
                f"held_out: must fit the recipe, and validate_every be 1 or more, got {given} every {validate_every} "
                f"epochs for {recipe}"
            )
        if recipe.monitor and STOPPING_RULES[recipe.stopping_rule].needs_loss and recipe.monitor != "held_out_loss":
            raise ValueError(f"monitor: must be held_out_loss for {recipe.stopping_rule}, got {recipe.monitor}")
        self.recipe = recipe
        self._tuning = tuning or tuning_here()
        self._effort = effort
        self._loss_thresholds = np.sort(np.array(loss_thresholds, recipe.dtype))[::-1].astype(np.float64)
        self._patterns = make_patterns(inputs, targets, recipe.dtype, decision_threshold)
        self._validate_every = validate_every
        self._n_held_out = 0 if held_out is None else held_out[1].shape[-2]
        n_numbers = sum(recipe.architecture[:2]) * (n_patterns + self._n_held_out)
        self._sets = self._patterns.sets() if n_numbers > MOST_OWN_NUMBERS else (self._patterns,)
        self._held_out = held_out and _held_out_sets(*held_out, recipe.dtype, len(self._sets))

    def variant(self, hidden: Hidden, *, exact: bool = False) -> Variant:
        """Return the variant that trains networks of ``hidden`` units.

        Parameters
        ----------
        hidden
            Hidden units, of each layer if there are several.
        exact
            Whether every product must be computed.
        """

        def chosen(effort: Effort) -> Variant:
            chosen_for = self.recipe, self._patterns, hidden, self._tuning, effort
            return choose_variant(*chosen_for, self._n_held_out, by_set=len(self._sets) > 1)

        variant = chosen(self._effort)
        return chosen(Effort.LEAST) if exact and variant.table is not None else variant

    def uncompiled(self, hidden: Hidden, *, exact: bool = False) -> Kernel | None:
        """Return the kernel that trains networks of ``hidden`` units, if it is not compiled yet.

        Parameters
        ----------
        hidden, exact
            As for :meth:`variant`.

        Returns
        -------
        Kernel or None
            None if this process or the disk has its machine code.
        """
        variant, arguments = self._call(hidden, exact)
        kernel = kernel_for(self.recipe, variant)
        return None if is_compiled(kernel, arguments) else kernel

    def compile(self, hidden: Hidden, *, exact: bool = False) -> None:
        """Compile the kernel that :meth:`uncompiled` returns.

        Parameters
        ----------
        hidden, exact
            As for :meth:`variant`.
        """
        ready_kernel(self.recipe, *self._call(hidden, exact))

    def _call(self, hidden: Hidden, exact: bool) -> tuple[Variant, tuple[Any, ...]]:
        """Return a variant and arguments of a call of its kernel, for no runs."""
        variant = self.variant(hidden, exact=exact)
        no_cells = make_settings(0, **{setting.name: 0.0 for setting in self.recipe.settings})
        no_weights = np.empty((0, self.recipe.architecture.n_parameters(hidden)))
        return variant, self._arguments(variant, no_cells, np.empty(0, np.int64), no_weights, _Request(hidden))

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
        settings : (cells,) of :data:`kernels.settings.SETTINGS`
            Rounded to the dtype.
        weights : (runs, parameters)
            Initial weights in the dtype.
        counts : (cells,)
            How many consecutive runs have each of the settings; by default 1.
        hidden
            Hidden units; for one hidden layer they follow from the number of parameters.
        seeds : (runs,) of integers from 0 to 2^32 - 1
            For shuffled orders and first steps that are drawn; others need none.
        final_weights, predictions, losses
            Whether to keep weights at the end, their outputs (by default as for weights), and the loss of every
            evaluation.
        path_epochs
            Epochs, in ascending order and each once, after which the parameters of running runs are kept.
        pause
            Called after each second or so. An exception that it raises ends the training.

        Raises
        ------
        KeyboardInterrupt
            In the main thread, about a second after an interrupt.
        ValueError
            If ``max_steps`` is negative or above MAX_STEPS, or the numbers of settings, weights and seeds do not agree,
            or there is no such set of patterns, or ``path_epochs`` are not ascending.
        """
        counts = np.ones(len(settings), np.int64) if counts is None else counts
        if counts.shape != settings.shape or counts.min(initial=0) < 0 or counts.sum() != len(weights):
            raise ValueError(
                f"counts: must be {len(settings)} numbers from 0 that add up to {len(weights)}, the number of runs, "
                f"got {counts.size} from {counts.min(initial=0)} that add up to {counts.sum()}"
            )
        max_steps = settings["max_steps"]
        if max_steps.min(initial=0) < 0 or max_steps.max(initial=0) > MAX_STEPS:
            raise ValueError(f"max_steps: must be from 0 to {MAX_STEPS}, got {max_steps.min()} to {max_steps.max()}")
        sets = settings["patterns"]
        if sets.min(initial=0) < 0 or sets.max(initial=0) >= self._patterns.n_sets:
            raise ValueError(
                f"patterns: must be the number of a set, from 0 to {self._patterns.n_sets - 1}, got {sets.max()}"
            )
        hidden = self.recipe.architecture.hidden(weights.shape[1]) if hidden is None else hidden
        variant = self.variant(hidden)
        own = np.empty(0, np.int64) if seeds is None else np.asarray(seeds, np.int64)
        if (variant.shuffles(self.recipe) or "step_ratio" in self.recipe.used) and len(own) != len(weights):
            raise ValueError(
                f"seeds: must be one for each of {len(weights)} runs where order is shuffled or steps are drawn, got "
                f"{len(own)}"
            )
        n_losses = -(-int(max_steps.max(initial=0)) // variant.n_windows) + 1 if losses else 0
        outputs = final_weights if predictions is None else predictions
        request = _Request(hidden, own, final_weights, outputs, n_losses, ascending_epochs(path_epochs), pause)
        outcome = self._run(variant, settings, counts, weights, request)
        again = np.flatnonzero(outcome.columns.status == RETRAIN)
        return self._retrain(outcome, again, settings, counts, weights, request) if again.size else outcome

    def _retrain(
        self, outcome: Outcome, again: Array, settings: Array, counts: Array, weights: Array, request: _Request
    ) -> Outcome:
        """Train the runs ``again`` with a variant that computes every product, and replace their outcomes."""
        cells, counts = _counts_of(again, counts)
        variant = self.variant(request.hidden, exact=True)
        return _replaced(outcome, again, self._run(variant, settings[cells], counts, weights[again], request.of(again)))

    def _run(self, variant: Variant, settings: Array, counts: Array, weights: Array, request: _Request) -> Outcome:
        """Train runs, those of each set by themselves where lanes share patterns in memory."""
        sets = settings["patterns"]
        if len(self._sets) < 2 or (sets == sets[:1]).all():
            return self._run_set(variant, settings, counts, weights, request)
        of_runs = np.repeat(sets, counts)
        places = [np.flatnonzero(of_runs == number) for number in np.unique(of_runs)]
        parts = []
        for runs in places:
            cells, of_cells = _counts_of(runs, counts)
            parts.append(self._run_set(variant, settings[cells], of_cells, weights[runs], request.of(runs)))
        return _joined(parts, places)

    def _run_set(self, variant: Variant, settings: Array, counts: Array, weights: Array, request: _Request) -> Outcome:
        arguments = self._arguments(variant, settings, counts, weights, request)
        kernel = ready_kernel(self.recipe, variant, arguments)
        runs, workspaces = arguments[1:3]
        with np.errstate(all="ignore"):  # for the JIT-off form; overflow is a result here
            turns = kernel(*arguments)
            while runs.waiting[0] < len(weights) or any(workspace.clock[OCCUPIED] for workspace in workspaces):
                if request.pause:
                    request.pause()
                turns = kernel(*arguments)
        lane_steps = int(turns) * variant.n_windows * variant.width
        kept = runs.final_weights, runs.predictions, runs.losses, runs.path, runs.path_running, runs.best_weights
        return Outcome(runs.columns, *kept, lane_steps)

    def _arguments(
        self, variant: Variant, settings: Array, counts: Array, weights: Array, request: _Request
    ) -> tuple[Any, Runs, tuple[Workspace, ...], int]:
        """Return the arguments of the kernel for a variant."""
        recipe = self.recipe
        n_runs, n_parameters = weights.shape
        n_outputs = variant.n_patterns * recipe.architecture.outputs
        runs = Runs(
            initial_numbers(recipe, settings, request.hidden),
            cell_limits(settings),
            np.cumsum(counts, dtype=np.int64),
            np.ascontiguousarray(weights, recipe.dtype),
            request.seeds.reshape(-1),
            self._loss_thresholds,
            waiting=np.zeros(2, np.int64),
            columns=make_columns(
                n_runs,
                len(self._loss_thresholds),
                len(recipe.loss_sums),
                right=recipe.counts_right,
                best=recipe.keeps_best,
            ),
            final_weights=np.empty(weights.shape if request.weights else (0, 0), recipe.dtype),
            predictions=np.empty((n_runs, n_outputs) if request.predictions else (0, 0), recipe.dtype),
            losses=np.full((n_runs, request.n_losses) if request.n_losses else (0, 0), np.nan),
            path_epochs=request.path_epochs,
            path=np.empty((n_runs, len(request.path_epochs), n_parameters), recipe.dtype),
            path_running=np.full((n_runs, len(request.path_epochs) * recipe.keeps_running_loss), np.nan),
            best_weights=np.empty(weights.shape if recipe.keeps_best else (0, 0), recipe.dtype),
            validate_every=self._validate_every,
        )
        workspaces = tuple(make_workspace(recipe, variant, request.hidden) for _ in range(variant.packets))
        is_held = variant.table is not None and variant.own == "nothing"
        number = settings["patterns"][0] if len(settings) and len(self._sets) > 1 else 0
        patterns: Any = None if is_held else self._sets[number]  # None where the kernel holds them
        if self._held_out:
            held_inputs, held_targets = self._held_out[number]
            patterns = self._sets[number]._replace(held_inputs=held_inputs, held_targets=held_targets)
        n_visits = variant.n_patterns + variant.held_out / self._validate_every
        most_turns = max(1, int(PAUSE_OPERATIONS / (8 * n_parameters * n_visits * variant.packets)))
        return patterns, runs, workspaces, most_turns


class _Request(NamedTuple):
    """Optional results and arguments of a training."""

    hidden: Hidden  # hidden units
    seeds: NDArray[np.int64] = np.empty(0, np.int64)  # for shuffled orders
    # Whether weights at the end, and their outputs, are kept
    weights: bool = False
    predictions: bool = False
    # Columns for the losses of evaluations, 0 if they are not kept, and epochs after which parameters are kept
    n_losses: int = 0
    path_epochs: NDArray[np.int64] = np.empty(0, np.int64)
    pause: Callable[[], None] | None = None  # called after each second or so of steps, unless None

    def of(self, runs: Array) -> _Request:
        """Return the request for some of the runs."""
        return self._replace(seeds=self.seeds[runs] if self.seeds.size else self.seeds)


def _held_out_sets(inputs: Array, targets: Array, dtype: str, n_sets: int) -> list[tuple[Array, Array]]:
    """Return copies of held-out patterns in the dtype, of each set by itself if there are several ``n_sets``."""
    of_all = np.array(inputs, dtype, order="C"), np.array(targets, dtype, order="C")
    return [of_all] if n_sets == 1 else list(zip(*of_all, strict=True))


def _counts_of(runs: Array, counts: Array) -> tuple[Array, Array]:
    """Return the cells of some runs, and how many of these each has."""
    cells, of_cells = np.unique(np.searchsorted(np.cumsum(counts), runs, side="right"), return_counts=True)
    return cells, of_cells


def _arrays(outcome: Outcome) -> tuple[Array, ...]:
    """Return all arrays of an outcome."""
    arrays: tuple[Any, ...] = (*outcome.columns, *outcome[1:-1])
    return arrays


def _replaced(outcome: Outcome, runs: Array, part: Outcome) -> Outcome:
    """Replace the outcomes of some runs."""
    for target, source in zip(_arrays(outcome), _arrays(part), strict=True):
        if target.shape[0]:
            target[runs] = source
    return outcome._replace(lane_steps=outcome.lane_steps + part.lane_steps)


def _joined(parts: list[Outcome], places: list[Array]) -> Outcome:
    """Join outcomes of the runs at some places."""
    order = np.argsort(np.concatenate(places))

    def join(*arrays: Array) -> Array:
        joined = np.concatenate(arrays)
        return joined[order] if len(joined) else joined

    columns = Columns(*map(join, *(part.columns for part in parts)))
    arrays: list[Array] = [join(*each) for each in zip(*(part[1:-1] for part in parts), strict=True)]
    return Outcome._make((columns, *arrays, sum(part.lane_steps for part in parts)))
