"""Optuna, with one trial for each network."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import optuna

from sweep.bench.case import Array
from sweep.bench.peers import Peer
from sweep.bench.peers.notebook import train_one

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Optuna(Peer):
    """A study in memory, with a fixed list of trials.

    One job, as two threads that share the GIL take 1.4 times as long. A grid
    sampler looks for what is left of its grid before each trial, which takes far
    longer than training when the grid is large.
    """

    title: ClassVar[str] = "Optuna, driving the notebook's loop"

    def train(self, weights: Array) -> Array:
        """Train each network in a trial."""
        losses = np.empty(len(weights))

        def objective(trial: optuna.Trial) -> float:
            index = trial.suggest_int("index", 0, len(weights) - 1)
            losses[index] = train_one(self.case, weights[index])
            return float(losses[index])

        study = optuna.create_study(sampler=optuna.samplers.RandomSampler())
        for index in range(len(weights)):
            study.enqueue_trial({"index": index})
        with np.errstate(all="ignore"):
            study.optimize(objective, n_trials=len(weights), n_jobs=1)
        return losses
