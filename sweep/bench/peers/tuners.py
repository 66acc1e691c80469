"""Tools for hyperparameter search, with one trial for each network."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sweep.bench.case import Array, Case
from sweep.bench.peers import MissingError, Peer
from sweep.bench.peers.numpy_peers import train_one

INDEX, LOSS = "index", "loss"


class Optuna(Peer):
    """A study in memory, with a fixed list of trials.

    One job, as two threads that share the GIL take 1.4 times as long. A grid
    sampler looks for what is left of its grid before each trial, which takes far
    longer than training when the grid is large.
    """

    title: ClassVar[str] = "Optuna, driving the notebook's loop"

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna

    def train(self, weights: Array) -> Array:
        """Train each network in a trial."""
        losses = np.empty(len(weights))

        def objective(trial: Any) -> float:
            index = trial.suggest_int(INDEX, 0, len(weights) - 1)
            losses[index] = train_one(self.case, weights[index])
            return float(losses[index])

        study = self._optuna.create_study(sampler=self._optuna.samplers.RandomSampler())
        for index in range(len(weights)):
            study.enqueue_trial({INDEX: index})
        with np.errstate(all="ignore"):
            study.optimize(objective, n_trials=len(weights), n_jobs=1)
        return losses


class RayTune(Peer):
    """A grid search in a separate Ray, whose processes are reused for the next trial."""

    title: ClassVar[str] = "Ray Tune, driving the notebook's loop"

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        self._folder = _start_ray(threads)

    def train(self, weights: Array) -> Array:
        """Train each network in a trial."""
        from ray import tune

        with tempfile.TemporaryDirectory(dir=self._folder) as storage:
            tuner = tune.Tuner(
                tune.with_parameters(_trial, case=self.case, weights=weights),
                param_space={INDEX: tune.grid_search(list(range(len(weights))))},
                # A new process for each trial takes 1.8 seconds, this 0.1.
                tune_config=tune.TuneConfig(reuse_actors=True),
                run_config=tune.RunConfig(name="bench", storage_path=storage, verbose=0),
            )
            results = {result.config[INDEX]: result.metrics[LOSS] for result in tuner.fit()}
        return np.array([results[index] for index in range(len(weights))])


def _trial(config: dict[str, int], case: Case, weights: Array) -> dict[str, float]:
    """Train one network in a Ray process."""
    with np.errstate(all="ignore"):
        return {LOSS: train_one(case, weights[config[INDEX]])}


@cache
def _start_ray(threads: int) -> Path:
    """Start Ray until the process ends; return a folder that is removed with it."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # or Ray writes one into the home folder
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"  # no tables and logs of each trial
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # or Tune prints a box for each search
    import ray

    folder = Path(tempfile.mkdtemp(prefix="xor-sweep-"))

    def stop() -> None:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    try:
        ray.init(
            num_cpus=threads,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="error",
            _temp_dir=str(folder / "ray"),
        )
    except (RuntimeError, OSError, ray.exceptions.RayError) as error:
        raise MissingError(f"Ray cannot start: {error}") from error
    return folder
