"""Gradients of the loss of a study, from one step of plain gradient descent at a huge learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.effort import Effort
from kernels.recipe import Recipe
from kernels.train import Trainer
from sweep.schedule.recipes import ShapeRuns, make_still, still_settings
from sweep.study.data.data_sets import DataSets
from sweep.training.networks.kept_trainers import KeptTrainers

Array = NDArray[Any]

# A step p - RATE * g equals -RATE * g in all bits unless g is tiny (2^-240 of p), and overflows only if g is above
# 2^700. A product with a power of two is exact.
RATE = 2.0**300


class Gradients:
    """Computes gradients of the loss over all patterns, without weight decay, in float64; threads share one.

    Kernels compute them, so they cover all components of the network and its loss, including custom ones.
    """

    def __init__(self, data: DataSets) -> None:
        patterns = data.arrays()
        self._trainers = KeptTrainers(lambda recipe: Trainer(recipe, *patterns, effort=Effort.LEAST))

    def trainer(self, recipe: Recipe) -> Trainer:
        """Return the trainer that takes the step, for networks trained by a recipe."""
        return self._trainers.of(make_still(recipe)._replace(dtype="float64"))

    def at(self, runs: ShapeRuns, weights: Array, pause: Callable[[], None] | None = None) -> Array:
        """Return the gradients of runs at some weights, (runs, parameters); not finite where the loss is not.

        ``pause`` is called about every second, and an exception that it raises ends the computation.
        """
        step = settings_of_step(runs.settings)
        arguments: Any = {"hidden": runs.cell.hidden, "final_weights": True, "predictions": False, "pause": pause}
        outcome = self.trainer(runs.recipe).train(step, weights, runs.counts, **arguments)
        moved = outcome.columns.steps == 1  # where the loss is not finite, no step is taken
        with np.errstate(all="ignore"):
            gradients: Array = np.where(moved[:, np.newaxis], (weights - outcome.final_weights) / RATE, np.nan)
        return gradients


def settings_of_step(settings: Array) -> Array:
    """Return settings of runs that take one step, from which a gradient is read."""
    step = still_settings(settings)
    step["max_steps"] = 1
    step["learning_rate"] = step["output_learning_rate"] = RATE
    return step
