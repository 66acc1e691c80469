"""Train one shard: from its place in the plan to what became of its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from threading import Lock, local
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kernels.architecture import Architecture
from kernels.batch import SETTINGS, Columns
from kernels.recipe import Architecture as NewArchitecture
from kernels.simd.compiling import Kernel
from kernels.start import numbers
from kernels.start.initialize import Start, initial_weights
from kernels.train import Trainer
from sweep.digest import status_array
from sweep.parameters import Scalar
from sweep.plan import Plan, Shard
from sweep.schema import arrow_schema, runs_columns
from sweep.statistics import tally_runs

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

# What decides the kernel, and the initial weights of a seed.
_KERNEL = ("activation", "output", "bias", "loss", "criterion")
_SCHEME = ("distribution", "scale", "stream")


@dataclass(frozen=True)
class ShardResult:
    """What became of the runs of a shard.

    Attributes
    ----------
    plan, shard
        Which runs.
    columns
        Their outcomes, in visiting order.
    schema
        Of rows.
    net_steps, lane_steps
        Steps that the runs took, and that lanes spent.
    """

    plan: Plan
    shard: Shard
    columns: Columns
    schema: pa.Schema
    net_steps: int
    lane_steps: int

    def rows(self, names: list[str] | None = None) -> pa.Table:
        """Return a row for each run, of all columns or of these; outcomes in double precision are not copied."""
        schema = self.schema if names is None else pa.schema([self.schema.field(name) for name in names])
        columns = [(field, self.column(field.name)) for field in schema]
        arrays = [status_array(c) if field.name == "status" else pa.array(c, field.type) for field, c in columns]
        return pa.table(arrays, schema=schema)

    def column(self, name: str) -> Array:
        """Return a column of the rows, with status as codes and outcomes in the dtype of the networks."""
        if name in self.columns._fields:
            outcome: Array = getattr(self.columns, name)
            return outcome
        if name == "run":
            return self.plan.runs(self.shard)
        if name == "seed":
            return self.plan.seeds(self.shard)
        cells, counts = self.plan.cells(self.shard)
        return np.repeat(cells if name == "cell" else self.plan.column(name, cells), counts)

    def tally(self) -> pd.DataFrame:
        """Count the runs by how they ended."""
        return tally_runs(self.column("cell"), self.columns.status, self.columns.steps)


class Worker:
    """Trains shards of one plan; threads share one.

    Parameters
    ----------
    plan
        What to train.
    pause
        Called after each second or so of steps; what it raises ends the training of a shard.
    """

    def __init__(self, plan: Plan, pause: Callable[[], None] | None = None) -> None:
        self._plan, self._pause = plan, pause
        self._schema = arrow_schema(runs_columns(plan.study))
        self._inputs = np.array(plan.study.data.inputs)
        self._targets = np.array(plan.study.data.targets)
        self._dtype = str(plan.settings(0)["dtype"])
        self._trainers: dict[tuple[Scalar, ...], Trainer] = {}
        self._lock = Lock()
        self._own = local()  # of each thread: its memory for weights

    def train(self, shard: Shard) -> ShardResult:
        """Train all runs of a shard."""
        cells, counts = self._plan.cells(shard)
        settings = self._plan.settings(int(cells[0]))
        trainer = self.trainer(settings)
        n_parameters = trainer.architecture.n_parameters(int(settings["hidden"]))
        kept = self._kept(shard.n_runs, n_parameters)
        weights = self.weights(cells, counts, self._plan.seeds(shard), n_parameters, out=kept)
        outcome = trainer.train(self.settings(cells), weights, counts, pause=self._pause)
        net_steps = int(outcome.columns.steps.sum(dtype=np.int64))
        return ShardResult(self._plan, shard, outcome.columns, self._schema, net_steps, outcome.lane_steps)

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

    def uncompiled(self, shards: Iterable[Shard]) -> set[Kernel]:
        """Return the kernels that are known to be needed for ``shards`` and have yet to be compiled.

        Another may turn out to be: that which settles runs whose loss is not finite.
        """
        study, fixed = self._plan.study, self._plan.settings(0)
        schemes = product(*(study.parameters.get(name, (fixed[name],)) for name in ("distribution", "stream")))
        found = {
            numbers.uncompiled_draw(str(distribution), str(stream), self._dtype) for distribution, stream in schemes
        }
        for shard in {self._plan.shape(shard): shard for shard in shards}.values():
            settings = self._plan.settings(int(self._plan.cells(shard)[0][0]))
            found.add(self.trainer(settings).uncompiled(int(settings["hidden"])))
        return {kernel for kernel in found if kernel is not None}

    def settings(self, cells: Array) -> Array:
        """Return learning rate, threshold and most steps of ``cells``."""
        settings = np.empty(len(cells), SETTINGS)
        for name in SETTINGS.names or ():
            settings[name] = self._plan.column(name, cells)
        return settings

    def weights(self, cells: Array, counts: Array, seeds: Array, n_parameters: int, out: Array | None = None) -> Array:
        """Return the initial weights of runs with ``seeds``, in ``out`` if given.

        The runs are ``counts`` of each of ``cells``. A seed gives the same numbers in every
        cell of one scheme, so they are drawn once.
        """
        if out is None:
            out = np.empty((len(seeds), n_parameters), self._dtype)
        if not any(name in self._plan.study.parameters for name in _SCHEME):
            return self._draw(cells, seeds, out)
        for group in _groups([self._plan.column(name, cells) for name in _SCHEME]):
            runs = np.flatnonzero(np.repeat(group, counts))
            out[runs] = self._draw(cells[group], seeds[runs], np.empty((len(runs), n_parameters), self._dtype))
        return out

    def _draw(self, cells: Array, seeds: Array, out: Array) -> Array:
        """Put the initial weights of runs in ``cells``, which share one scheme, into ``out``.

        Seeds of several cells that fill a range no longer than the runs are drawn once each.
        """
        settings = self._plan.settings(int(cells[0]))
        start = Start(str(settings["distribution"]), float(settings["scale"]), stream=str(settings["stream"]))
        old = self.trainer(settings).architecture
        architecture = NewArchitecture(old.inputs, old.outputs, old.activation, old.output, old.bias)
        hidden = int(settings["hidden"])
        once = len(cells) > 1 and int(np.ptp(seeds)) < len(seeds)
        drawn_seeds = np.arange(seeds.min(), seeds.max() + 1) if once else seeds
        drawn = initial_weights(start, drawn_seeds, architecture, hidden, self._dtype, None if once else out)
        return np.take(drawn, seeds - seeds.min(), axis=0, out=out, mode="clip") if once else drawn

    def _kept(self, n_runs: int, n_parameters: int) -> Array:
        """Return memory of this thread for weights, kept from shard to shard: fresh pages are slow."""
        size = n_runs * n_parameters
        numbers: Array | None = getattr(self._own, "numbers", None)
        if numbers is None or numbers.size < size:
            numbers = self._own.numbers = np.empty(size, self._dtype)
        return numbers[:size].reshape(n_runs, n_parameters)


def _groups(columns: list[Array]) -> list[NDArray[np.bool_]]:
    """Return where each combination of values is."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        values, place = np.unique(column, return_inverse=True)
        codes = codes * len(values) + place
    return [codes == code for code in np.unique(codes)]
