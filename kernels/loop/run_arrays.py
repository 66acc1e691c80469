"""The runs to train, their outcomes, and the arrays that these are written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.recipe import Hidden, Recipe
from kernels.vocabulary import OPTIMIZERS

Array = NDArray[Any]

# How a run ended. RETRAIN: it must be trained again by a variant that computes all products.
CONVERGED, DIVERGED, STALLED, EXHAUSTED, PLATEAU = range(5)
RETRAIN = -1


class Columns(NamedTuple):
    """Outcomes of runs, one number each in every column."""

    # (runs,) of int8: CONVERGED .. PLATEAU, or RETRAIN.
    status: NDArray[np.int8]
    steps: NDArray[np.int32]  # (runs,) of int32: updates taken
    # (runs,) of float64: before the first update and after the last; infinite if it is not finite or the run diverged
    initial_loss: NDArray[np.float64]
    final_loss: NDArray[np.float64]
    # (runs,) of int32: outputs on the right side of the decision threshold, 0 if the run diverged
    n_correct: NDArray[np.int32]
    # (runs, 0 or 1) of int32: patterns that are right, if the recipe counts them; 0 if the run diverged
    n_right: NDArray[np.int32]
    # (runs,) of float64: the largest distance of an output from its target, infinite if the run diverged
    max_error: NDArray[np.float64]
    # (runs, thresholds) of int32: updates before the first evaluation at which the loss was below each loss
    # threshold; -1 where it never was
    threshold_steps: NDArray[np.int32]
    loss_sums: NDArray[np.float64]  # (runs, sums) of float64: the sums of losses that the recipe names, in its order
    # (runs, measures) of float64: written by code that measures trained networks otherwise; kernels leave it alone
    measures: NDArray[np.float64]
    # (runs, 0 or 1) of int32: updates before the best evaluation of held-out patterns, if the recipe keeps it; -1 if
    # there was none
    best_steps: NDArray[np.int32]
    # (runs, 0 or 1) of float64: the loss of held-out patterns then; infinite if it is not finite
    best_held_out: NDArray[np.float64]
    # (runs, 0 or 2) of int32: restarts, and updates of all attempts. Written by code that restarts runs; kernels
    # leave it alone.
    attempts: NDArray[np.int32]

    def put(self, runs: Array, found: Columns, rows: Array | slice = slice(None)) -> None:
        """Set the outcomes of some runs to rows of others, by default to all of them."""
        mine: Any  # arrays of several types
        others: Any
        for mine, others in zip(self, found, strict=True):
            mine[runs] = others[rows]


def make_columns(
    n_runs: int,
    n_thresholds: int = 0,
    n_sums: int = 0,
    n_measures: int = 0,
    *,
    right: bool = False,
    best: bool = False,
    restarts: bool = False,
) -> Columns:
    """Allocate columns for the outcomes of runs, with undefined content except that no loss threshold is reached.

    Parameters
    ----------
    n_runs, n_thresholds, n_sums, n_measures
        Numbers of runs, of loss thresholds, of sums of losses, and of measures of trained networks.
    right
        Whether patterns that are right are counted.
    best
        Whether the best evaluation of held-out patterns is kept.
    restarts
        Whether runs may be restarted. None is yet.
    """
    return Columns(
        status=np.empty(n_runs, np.int8),
        steps=np.empty(n_runs, np.int32),
        initial_loss=np.empty(n_runs),
        final_loss=np.empty(n_runs),
        n_correct=np.empty(n_runs, np.int32),
        n_right=np.empty((n_runs, int(right)), np.int32),
        max_error=np.empty(n_runs),
        threshold_steps=np.full((n_runs, n_thresholds), -1, np.int32),
        loss_sums=np.empty((n_runs, n_sums)),
        measures=np.empty((n_runs, n_measures)),
        best_steps=np.empty((n_runs, int(best)), np.int32),
        best_held_out=np.empty((n_runs, int(best))),
        attempts=np.zeros((n_runs, 2 * restarts), np.int32),
    )


class Outcome(NamedTuple):
    """Outcomes of trained runs."""

    columns: Columns  # how each run ended
    final_weights: Array  # (runs, parameters): parameters at the end; (0, 0) unless requested
    predictions: Array  # (runs, patterns * outputs): outputs with the final weights; (0, 0) unless requested
    # (runs, most evaluations): column j is the loss after j epochs, or at the last step if that is within epoch j;
    # NaN after the end; (0, 0) unless requested
    losses: NDArray[np.float64]
    # (runs, points, parameters): parameters after the requested epochs; undefined after the end of a run; no points
    # unless requested
    path: Array
    # (runs, points): the running loss of the epoch before each point, if the recipe keeps it; (runs, 0) otherwise
    path_running: NDArray[np.float64]
    # (runs, parameters): parameters at the best evaluation of held-out patterns, NaN if there was none; (0, 0) unless
    # the recipe keeps it
    best_weights: Array
    lane_steps: int  # steps that lanes took, occupied or empty: at least the sum of the steps of runs


# Columns of Runs.limits.
MOST_STEPS, FROM_STEP, PATTERNS, SCHEDULE_STEPS = range(4)


class Runs(NamedTuple):
    """The runs to train, and the arrays that their results are written to."""

    # (cells, initial rows) of float64: settings of each cell, in the order of ``initial`` of
    # :class:`kernels.data.control_layout.ControlLayout`
    numbers: NDArray[np.float64]
    # (cells, 4) of int64: MOST_STEPS, FROM_STEP, PATTERNS, the number of the set of patterns, and SCHEDULE_STEPS
    limits: NDArray[np.int64]
    stops: NDArray[np.int64]  # (cells,) of int64: one more than the last run of each cell
    weights: Array  # (runs, parameters): initial weights in the order of :class:`kernels.recipe.Architecture`
    seeds: NDArray[np.int64]  # (runs,) of int64, or (0,): of shuffled orders
    # (thresholds,) of float64: rounded to the dtype, from the largest to the smallest; none unless the recipe records
    # them
    loss_thresholds: NDArray[np.float64]
    waiting: NDArray[np.int64]  # (2,) of int64: the first run that has no lane yet, and its cell or an earlier one
    columns: Columns  # written
    final_weights: Array  # (runs, parameters), or (0, 0) unless requested: written
    predictions: Array  # (runs, patterns * outputs), or (0, 0) unless requested: written: y with the final weights
    # (runs, most evaluations) of float64, or (0, 0) unless requested: written: the loss at each evaluation
    losses: NDArray[np.float64]
    # (points,) of int64: epochs after which parameters are copied, in ascending order; none are allowed
    path_epochs: NDArray[np.int64]
    path: Array  # (runs, points, parameters): written: parameters after each of these epochs that a run completes
    # (runs, points), or (runs, 0) unless the recipe keeps it: written: the running loss of each of these epochs
    path_running: NDArray[np.float64]
    best_weights: Array  # (runs, parameters), or (0, 0) unless the recipe keeps them: written
    validate_every: int  # held-out patterns are evaluated after each so many epochs


def ascending_epochs(epochs: Sequence[int]) -> NDArray[np.int64]:
    """Return the epochs of the points of a path; ValueError unless they are ascending and not negative."""
    found = np.array(epochs, np.int64)
    if np.diff(found, prepend=-1).min(initial=1) < 1:
        raise ValueError(f"path_epochs: must be 0 or more, in ascending order, each once, got {found.tolist()}")
    return found


def cell_limits(settings: Array) -> NDArray[np.int64]:
    """Return the limits of cells, (cells, 4), from their settings."""
    most, of_schedule = settings["max_steps"], settings["schedule_steps"]
    scheduled = np.where(of_schedule > 0, of_schedule, most)
    return np.column_stack([most, settings["from_step"], settings["patterns"], scheduled])


def initial_numbers(recipe: Recipe, settings: Array, hidden: Hidden) -> NDArray[np.float64]:
    """Return the numbers with which runs start, in the order of the rows of control."""
    rates, own_rates = settings["learning_rate"], settings["output_learning_rate"]
    of_hidden, of_outputs = recipe.architecture.scales(hidden)
    scales = [settings["gain"] * scale for scale in of_hidden]
    common = (
        rates,
        np.where(np.isnan(own_rates), rates, own_rates),
        settings["threshold"],
        # A loss is finite where it is not above the largest number.
        np.minimum(settings["divergence_threshold"], np.finfo(recipe.dtype).max),
        scales[0],
        np.full(len(settings), of_outputs),
    )
    own = (settings[setting.name] for setting in recipe.settings)
    clocks = (np.full(len(settings), start) for start in OPTIMIZERS[recipe.optimizer].clocks)
    return np.column_stack([*common, *own, *clocks, *(scales if recipe.architecture.deep else ())])
