"""Train one shard: from its place in the plan to the table of its results."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock, local
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kernels.architecture import Architecture
from kernels.batch import SETTINGS
from kernels.initialize import initial_weights
from kernels.train import Trainer
from sweep.digest import status_array
from sweep.parameters import Scalar
from sweep.plan import Plan, Shard
from sweep.schema import arrow_schema, runs_columns
from sweep.statistics import tally, tally_to_table

Array = NDArray[Any]

# What decides the kernel, and the initial weights of a seed.
_KERNEL = ("activation", "output", "bias", "loss", "criterion")
_SCHEME = ("distribution", "scale", "stream")


@dataclass(frozen=True)
class ShardResult:
    """What became of a shard: a table, and how many steps runs took and lanes spent."""

    table: pa.Table
    net_steps: int
    lane_steps: int


class Worker:
    """Trains shards of one plan; threads share one.

    Parameters
    ----------
    plan
        What to train.
    keep
        ``"runs"`` for a table of runs, in visiting order; ``"cells"`` for a tally.
    """

    def __init__(self, plan: Plan, keep: str = "runs") -> None:
        self._plan = plan
        self._keep = keep
        self._schema = arrow_schema(runs_columns(plan.study))
        self._inputs = np.array(plan.study.data.inputs)
        self._targets = np.array(plan.study.data.targets)
        self._dtype = str(plan.settings(0)["dtype"])
        self._trainers: dict[tuple[Scalar, ...], Trainer] = {}
        self._lock = Lock()
        self._own = local()  # of each thread: its memory for weights

    def train(self, shard: Shard) -> ShardResult:
        """Train all runs of a shard."""
        run, cell, seed = self._plan.runs(shard)
        settings = self._plan.settings(int(cell[0]))
        trainer = self.trainer(settings)
        n_parameters = trainer.architecture.n_parameters(int(settings["hidden"]))
        weights = self.weights(cell, seed, n_parameters, out=self._kept(len(seed), n_parameters))
        outcome = trainer.train(self.settings(cell), weights)
        if self._keep == "cells":
            table = tally_to_table(tally(cell, outcome.columns.status, outcome.columns.steps))
        else:
            columns = {"run": run, "cell": cell, "seed": seed}
            columns |= {name: self._plan.column(name, cell) for name in self._plan.study.parameters}
            columns |= outcome.columns._asdict()
            arrays = [
                status_array(columns[name]) if name == "status" else pa.array(columns[name])
                for name in self._schema.names
            ]
            table = pa.table(arrays, schema=self._schema)
        return ShardResult(table, int(outcome.columns.steps.sum(dtype=np.int64)), outcome.lane_steps)

    def trainer(self, settings: dict[str, Scalar]) -> Trainer:
        """Return the trainer of cells that have these settings, one for each kernel."""
        key = tuple(settings[name] for name in _KERNEL)
        with self._lock:
            if key not in self._trainers:
                activation, output, bias, loss, criterion = key
                n_inputs, n_outputs = self._inputs.shape[1], self._targets.shape[1]
                self._trainers[key] = Trainer(
                    Architecture(n_inputs, n_outputs, str(activation), str(output), bool(bias)),
                    self._inputs,
                    self._targets,
                    loss=str(loss),
                    criterion=str(criterion),
                    dtype=self._dtype,
                )
            return self._trainers[key]

    def settings(self, cells: Array) -> Array:
        """Return learning rate, threshold and most steps of runs in ``cells``."""
        settings = np.empty(len(cells), SETTINGS)
        for name in SETTINGS.names or ():
            settings[name] = self._plan.column(name, cells)
        return settings

    def weights(self, cells: Array, seeds: Array, n_parameters: int, out: Array | None = None) -> Array:
        """Return the initial weights of runs in ``cells`` with ``seeds``, in ``out`` if given.

        A seed gives the same numbers in every cell of one scheme, so they are drawn once.
        """
        if out is None:
            out = np.empty((len(seeds), n_parameters), self._dtype)
        if not any(name in self._plan.study.parameters for name in _SCHEME):
            return self._draw(cells, seeds, out)
        for group in _groups([self._plan.column(name, cells) for name in _SCHEME]):
            out[group] = self._draw(cells[group], seeds[group], np.empty((len(group), n_parameters), self._dtype))
        return out

    def _draw(self, cells: Array, seeds: Array, out: Array) -> Array:
        """Put the initial weights of runs that share one scheme into ``out``.

        Seeds that fill a range no longer than the runs are drawn once each.
        """
        distribution, scale, stream = (self._plan.column(name, cells[:1])[0] for name in _SCHEME)
        low, high = int(seeds.min()), int(seeds.max())
        chosen = np.arange(low, high + 1) if high - low < len(seeds) else seeds
        as_they_come = np.array_equal(chosen, seeds)
        drawn = initial_weights(
            chosen,
            out.shape[1],
            distribution=str(distribution),
            scale=float(scale),
            stream=str(stream),
            dtype=self._dtype,
            out=out if as_they_come else None,
        )
        return drawn if as_they_come else np.take(drawn, seeds - low, axis=0, out=out, mode="clip")

    def _kept(self, n_runs: int, n_parameters: int) -> Array:
        """Return memory of this thread for weights, kept from shard to shard: fresh pages are slow."""
        size = n_runs * n_parameters
        numbers: Array | None = getattr(self._own, "numbers", None)
        if numbers is None or numbers.size < size:
            numbers = self._own.numbers = np.empty(size, self._dtype)
        return numbers[:size].reshape(n_runs, n_parameters)


def _groups(columns: list[Array]) -> list[Array]:
    """Return the positions of each combination of values."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        values, place = np.unique(column, return_inverse=True)
        codes = codes * len(values) + place
    return [np.flatnonzero(codes == code) for code in np.unique(codes)]
