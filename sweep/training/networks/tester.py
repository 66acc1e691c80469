"""Evaluate networks on the patterns to train on, on held-out ones, or on any inputs."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.data.patterns import make_patterns
from kernels.effort import Effort
from kernels.loop.run_arrays import Columns, Outcome
from kernels.recipe import Recipe
from kernels.train import Trainer
from sweep.schedule.plan import Plan
from sweep.schedule.recipes import ShapeRuns, cell_settings, make_recipe, make_still, still_settings
from sweep.study.data.data_sets import DataSets
from sweep.training.networks.kept_trainers import KeptTrainers

Array = NDArray[Any]


def right_patterns(recipe: Recipe, columns: Columns) -> Array:
    """Return how many patterns are right, (runs,): those with correct outputs where a pattern has one."""
    return columns.n_right[:, 0] if recipe.counts_right else columns.n_correct


class Tested(NamedTuple):
    """How networks do with some patterns."""

    loss: Array  # (runs,) of float64: infinite if a network has diverged, or its loss is not finite
    n_correct: Array  # (runs,): outputs that are correct; 0 if a network has diverged
    accuracy: Array  # (runs,) of float64: share of the patterns that are right; 0 if a network has diverged


class Tester:
    """Evaluates networks on some patterns of ``data`` as runs that take no step; threads share one.

    The patterns are ``of`` ``"train"``, ``"validation"`` or ``"test"``.
    """

    def __init__(self, data: DataSets, of: Literal["train", "validation", "test"]) -> None:
        self._trained, self._tested = data.arrays(), data.arrays(of)
        self._decision_thresholds = data.decision_thresholds()
        self._trainers = KeptTrainers(self._make)
        self._of_training = of == "train"

    def trainer(self, recipe: Recipe) -> Trainer:
        """Return the trainer that computes losses of networks trained by a recipe. It never computes an update."""
        return self._trainers.of(make_still(recipe, of_training=self._of_training))

    def _make(self, still: Recipe) -> Trainer:
        decision_threshold = make_patterns(
            *self._trained, still.dtype, self._decision_thresholds
        ).decision_threshold  # outputs are correct by the same threshold as in training
        return Trainer(still, *self._tested, decision_threshold=decision_threshold, effort=Effort.LEAST)

    def measure(self, runs: ShapeRuns, weights: Array, lost: Array) -> Tested:
        """Return how networks with these weights, (runs, parameters), do with the patterns, and which have diverged."""
        columns = self._train(runs, weights).columns
        n_right = right_patterns(runs.recipe, columns)
        return Tested(
            np.where(lost, np.inf, columns.final_loss),
            np.where(lost, 0, columns.n_correct),
            np.where(lost, 0.0, n_right / self._tested[0].shape[-2]),
        )

    def outputs(self, runs: ShapeRuns, weights: Array) -> Array:
        """Return the outputs of networks for the patterns, (runs, patterns * outputs), as for :meth:`measure`."""
        return self._train(runs, weights, predictions=True).predictions

    def _train(self, runs: ShapeRuns, weights: Array, *, predictions: bool = False) -> Outcome:
        """Evaluate networks as runs that take no step."""
        still = still_settings(runs.settings)
        arguments: dict[str, Any] = {"hidden": runs.cell.hidden, "predictions": predictions}
        return self.trainer(runs.recipe).train(still, weights, runs.counts, **arguments)


def outputs_of(plan: Plan, cell: int, weights: Array, inputs: Array) -> Array:
    """Return the outputs of networks of a cell for any inputs, (runs, patterns, outputs), as those of no step."""
    own = plan.grid.cell(cell)
    settings = still_settings(cell_settings(plan, np.array([cell])))
    settings["patterns"] = 0
    recipe, targets = make_still(make_recipe(plan.study, own)), np.zeros((len(inputs), plan.study.data.n_targets))
    trainer = Trainer(recipe, inputs, targets, effort=Effort.LEAST)
    outcome = trainer.train(settings, weights, np.array([len(weights)]), hidden=own.hidden, final_weights=True)
    return outcome.predictions.reshape(len(weights), len(inputs), -1)
