"""Ray Tune, with one trial for each network."""

from __future__ import annotations

import atexit
import os
import tempfile
from typing import ClassVar

import numpy as np

# Read by Ray when it is imported or started: no messages home, no tables and logs of each trial.
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "RAY_AIR_NEW_OUTPUT": "0"}
os.environ["RAY_AUTH_TOKEN"] = os.urandom(32).hex()  # or Ray writes one into the home folder

import ray
from ray import tune

from sweep.bench.case import Array, Case
from sweep.bench.peers import MissingError, Peer
from sweep.bench.peers.notebook import train_one


class RayTune(Peer):
    """A grid search in a separate Ray, whose processes are reused for the next trial."""

    title: ClassVar[str] = "Ray Tune, driving the notebook's loop"

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        self._folder = tempfile.TemporaryDirectory(prefix="xor-sweep-", ignore_cleanup_errors=True)
        atexit.register(ray.shutdown)
        facts = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
        try:
            ray.init(num_cpus=threads, ignore_reinit_error=True, _temp_dir=f"{self._folder.name}/ray", **facts)
        except (RuntimeError, OSError, ray.exceptions.RayError) as error:
            raise MissingError(f"Ray cannot start: {error}") from error

    def train(self, weights: Array) -> Array:
        """Train each network in a trial."""
        tuner = tune.Tuner(
            tune.with_parameters(_trial, case=self.case, weights=weights),
            param_space={"index": tune.grid_search(list(range(len(weights))))},
            # A new process for each trial takes 1.8 seconds, this 0.1.
            tune_config=tune.TuneConfig(reuse_actors=True),
            run_config=tune.RunConfig(name=os.urandom(8).hex(), storage_path=self._folder.name, verbose=0),
        )
        losses = {result.config["index"]: result.metrics["loss"] for result in tuner.fit()}
        return np.array([losses[index] for index in range(len(weights))])


@np.errstate(all="ignore")
def _trial(config: dict[str, int], case: Case, weights: Array) -> dict[str, float]:
    """Train one network in a Ray process."""
    return {"loss": train_one(case, weights[config["index"]])}
