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
    """Outcomes of runs, one number each in every column.

    Attributes
    ----------
    status : (runs,) of int8
        CONVERGED .. PLATEAU, or RETRAIN.
    steps : (runs,) of int32
        Updates taken.
    initial_loss, final_loss : (runs,) of float64
        Before the first update and after the last; infinite if it is not finite or the run diverged.
    n_correct : (runs,) of int32
        Outputs on the right side of the decision threshold, 0 if the run diverged.
    n_right : (runs, 0 or 1) of int32
        Patterns that are right, if the recipe counts them; 0 if the run diverged.
    max_error : (runs,) of float64
        The largest distance of an output from its target, infinite if the run diverged.
    threshold_steps : (runs, thresholds) of int32
        Updates before the first evaluation at which the loss was below each loss threshold; -1 where it never was.
    loss_sums : (runs, sums) of float64
        The sums of losses that the recipe names, in its order.
    measures : (runs, measures) of float64
        Written by code that measures trained networks otherwise; kernels leave it alone.
    best_steps : (runs, 0 or 1) of int32
        Updates before the best evaluation of held-out patterns, if the recipe keeps it; -1 if there was none.
    best_held_out : (runs, 0 or 1) of float64
        The loss of held-out patterns then; infinite if it is not finite.
    attempts : (runs, 0 or 2) of int32
        Restarts, and updates of all attempts. Written by code that restarts runs; kernels leave it alone.
    """

    status: NDArray[np.int8]
    steps: NDArray[np.int32]
    initial_loss: NDArray[np.float64]
    final_loss: NDArray[np.float64]
    n_correct: NDArray[np.int32]
    n_right: NDArray[np.int32]
    max_error: NDArray[np.float64]
    threshold_steps: NDArray[np.int32]
    loss_sums: NDArray[np.float64]
    measures: NDArray[np.float64]
    best_steps: NDArray[np.int32]
    best_held_out: NDArray[np.float64]
    attempts: NDArray[np.int32]


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
    """Outcomes of trained runs.

    Attributes
    ----------
    columns
        How each run ended.
    final_weights : (runs, parameters)
        Parameters at the end; (0, 0) unless requested.
    predictions : (runs, patterns * outputs)
        Outputs with the final weights; (0, 0) unless requested.
    losses : (runs, most evaluations)
        Column j is the loss after j epochs, or at the last step if that is within epoch j; NaN after the end;
        (0, 0) unless requested.
    path : (runs, points, parameters)
        Parameters after the requested epochs; undefined after the end of a run; no points unless requested.
    best_weights : (runs, parameters)
        Parameters at the best evaluation of held-out patterns, NaN if there was none; (0, 0) unless the recipe keeps
        it.
    lane_steps
        Steps that lanes took, occupied or empty: at least the sum of the steps of runs.
    """

    columns: Columns
    final_weights: Array
    predictions: Array
    losses: NDArray[np.float64]
    path: Array
    best_weights: Array
    lane_steps: int


# Columns of Runs.limits.
MOST_STEPS, FROM_STEP, PATTERNS, SCHEDULE_STEPS = range(4)


class Runs(NamedTuple):
    """The runs to train, and the arrays that their results are written to.

    Attributes
    ----------
    numbers : (cells, initial rows) of float64
        Settings of each cell, in the order of ``initial`` of :class:`kernels.data.control_layout.ControlLayout`.
    limits : (cells, 4) of int64
        MOST_STEPS, FROM_STEP, PATTERNS, the number of the set of patterns, and SCHEDULE_STEPS.
    stops : (cells,) of int64
        One more than the last run of each cell.
    weights : (runs, parameters)
        Initial weights in the order of :class:`kernels.recipe.Architecture`.
    seeds : (runs,) of int64, or (0,)
        Of shuffled orders.
    loss_thresholds : (thresholds,) of float64
        Rounded to the dtype, from the largest to the smallest; none unless the recipe records them.
    waiting : (2,) of int64
        The first run that has no lane yet, and its cell or an earlier one.
    columns
        Written.
    final_weights : (runs, parameters), or (0, 0) unless requested
        Written.
    predictions : (runs, patterns * outputs), or (0, 0) unless requested
        Written: y with the final weights.
    losses : (runs, most evaluations) of float64, or (0, 0) unless requested
        Written: the loss at each evaluation.
    path_epochs : (points,) of int64
        Epochs after which parameters are copied, in ascending order; none are allowed.
    path : (runs, points, parameters)
        Written: parameters after each of these epochs that a run completes.
    best_weights : (runs, parameters), or (0, 0) unless the recipe keeps them
        Written.
    validate_every
        Held-out patterns are evaluated after each so many epochs.
    """

    numbers: NDArray[np.float64]
    limits: NDArray[np.int64]
    stops: NDArray[np.int64]
    weights: Array
    seeds: NDArray[np.int64]
    loss_thresholds: NDArray[np.float64]
    waiting: NDArray[np.int64]
    columns: Columns
    final_weights: Array
    predictions: Array
    losses: NDArray[np.float64]
    path_epochs: NDArray[np.int64]
    path: Array
    best_weights: Array
    validate_every: int


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
    """Return the numbers with which runs start, in the order of the rows of control.

    Parameters
    ----------
    recipe
    settings : (cells,) of :data:`kernels.recipe.SETTINGS`
    hidden
        Hidden units.

    Returns
    -------
    (cells, initial rows) of float64
        Behind them, the factors of the sums of several hidden layers.
    """
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
        settings["weight_decay"],
        settings["warmup"],
    )
    own = (settings[setting.name] for setting in recipe.settings)
    clocks = (np.full(len(settings), start) for start in OPTIMIZERS[recipe.optimizer].clocks)
    return np.column_stack([*common, *own, *clocks, *(scales if recipe.architecture.deep else ())])
