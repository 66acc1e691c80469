"""Test networks, with test patterns or with the patterns that they are trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.data.patterns import make_patterns
from kernels.effort import Effort
from kernels.loop.run_arrays import DIVERGED, Outcome
from kernels.recipe import Hidden, Recipe
from kernels.train import Trainer
from sweep.schedule.recipes import make_still, still_settings
from sweep.study.model import Study
from sweep.training.networks.kept_trainers import KeptTrainers

Array = NDArray[Any]


class Tester:
    """Tests the networks of a study as runs that take no step; threads share one.

    Parameters
    ----------
    study
        A study.
    by_own
        Whether to test networks with the patterns that they are trained on instead of the test patterns.
    """

    def __init__(self, study: Study, *, by_own: bool = False) -> None:
        self._trained, self._tested = study.data.arrays(), study.data.arrays("train" if by_own else "test")
        self._decision_thresholds = study.data.decision_thresholds()
        self._trainers = KeptTrainers(self._make)

    def trainer(self, recipe: Recipe) -> Trainer:
        """Return the trainer that computes losses of networks trained by a recipe. It never computes an update."""
        return self._trainers.of(make_still(recipe))

    def _make(self, still: Recipe) -> Trainer:
        decision_threshold = make_patterns(
            *self._trained, still.dtype, self._decision_thresholds
        ).decision_threshold  # outputs are correct by the same threshold as in training
        return Trainer(still, *self._tested, decision_threshold=decision_threshold, effort=Effort.LEAST)

    def measure(self, recipe: Recipe, hidden: Hidden, settings: Array, counts: Array, outcome: Outcome) -> Array:
        """Return the loss and the number of correct outputs with the patterns of the test.

        Parameters
        ----------
        recipe, hidden
            Of the runs.
        settings, counts : (cells,)
            Settings of cells, and the number of successive runs of each.
        outcome
            Outcomes of the runs, with final weights.

        Returns
        -------
        (runs, 2) of float64
            Infinite and 0 if a run has diverged or its loss is not finite.
        """
        weights, diverged = outcome.final_weights, outcome.columns.status == DIVERGED
        columns = self.trainer(recipe).train(still_settings(settings), weights, counts, hidden=hidden).columns
        loss = np.where(diverged, np.inf, columns.final_loss)
        return np.column_stack([loss, np.where(diverged, 0, columns.n_correct)])

    def outputs(self, recipe: Recipe, hidden: Hidden, settings: Array, counts: Array, weights: Array) -> Array:
        """Return the outputs of networks for the test patterns.

        Parameters
        ----------
        recipe, hidden, settings, counts
            As for :meth:`measure`.
        weights : (runs, parameters)
            Their final weights.

        Returns
        -------
        (runs, patterns * outputs)
        """
        still = still_settings(settings)
        return self.trainer(recipe).train(still, weights, counts, hidden=hidden, final_weights=True).predictions
