"""Train one shard: from its place in the plan to the table of its results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kernels.architecture import Architecture
from kernels.batch import OUTCOME, SETTINGS
from kernels.initialize import initial_weights
from kernels.train import Trainer
from sweep.parameters import Scalar
from sweep.plan import Plan, Shard
from sweep.schema import STATUSES, arrow_schema, runs_columns
from sweep.statistics import tally

Array = NDArray[Any]

_SCHEME = ("distribution", "scale", "stream")

_lock = Lock()


@dataclass(frozen=True)
class ShardResult:
    """What became of a shard: a table, and how many steps runs took and lanes spent."""

    table: pa.Table
    net_steps: int
    lane_steps: int


def make_trainer(plan: Plan, settings: dict[str, Scalar], width: int | None = None) -> Trainer:
    """Return the trainer of the cells that have these settings; one for each kernel."""
    key = tuple(str(settings[name]) for name in ("activation", "output", "loss", "criterion", "dtype"))
    with _lock:
        return _make_trainer(plan.study.data.inputs, plan.study.data.targets, bool(settings["bias"]), key, width)


@lru_cache(maxsize=64)
def _make_trainer(
    inputs: tuple[tuple[float, ...], ...],
    targets: tuple[tuple[float, ...], ...],
    bias: bool,
    key: tuple[str, ...],
    width: int | None,
) -> Trainer:
    activation, output, loss, criterion, dtype = key
    architecture = Architecture(len(inputs[0]), len(targets[0]), activation, output, bias)
    return Trainer(
        architecture, np.array(inputs), np.array(targets), loss=loss, criterion=criterion, dtype=dtype, width=width
    )


def run_settings(plan: Plan, cells: Array) -> Array:
    """Return learning rate, threshold and most steps of runs in ``cells``."""
    settings = np.empty(len(cells), SETTINGS)
    for name in SETTINGS.names or ():
        settings[name] = plan.column(name, cells)
    return settings


def run_weights(plan: Plan, cells: Array, seeds: Array, n_parameters: int) -> Array:
    """Return the initial weights of runs in ``cells`` with ``seeds``.

    A seed gives the same numbers in every cell of one scheme, so they are drawn once.
    """
    dtype = str(plan.settings(0)["dtype"])
    weights = np.empty((len(seeds), n_parameters), dtype)
    schemes = [plan.column(name, cells) for name in _SCHEME]
    swept = any(name in plan.study.parameters for name in _SCHEME)
    for group in _groups(schemes) if swept else [np.arange(len(seeds))]:
        distribution, scale, stream = (column[group[0]] for column in schemes)
        unique, place = np.unique(seeds[group], return_inverse=True)
        drawn = initial_weights(
            unique,
            n_parameters,
            distribution=str(distribution),
            scale=float(scale),
            stream=str(stream),
            dtype=dtype,
        )
        weights[group] = drawn[place]
    return weights


def _groups(columns: list[Array]) -> list[Array]:
    """Return the positions of each combination of values."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        values, place = np.unique(column, return_inverse=True)
        codes = codes * len(values) + place
    return [np.flatnonzero(codes == code) for code in np.unique(codes)]


def train_shard(plan: Plan, shard: Shard, keep: str) -> ShardResult:
    """Train all runs of a shard.

    Parameters
    ----------
    keep
        ``"runs"`` for a table of runs, in visiting order; ``"cells"`` for a tally.
    """
    run, cell, seed = plan.runs(shard)
    settings = plan.settings(int(cell[0]))
    trainer = make_trainer(plan, settings)
    n_parameters = trainer.architecture.n_parameters(int(settings["hidden"]))
    weights = run_weights(plan, cell, seed, n_parameters)
    outcome = trainer.train(run_settings(plan, cell), weights)
    rows = outcome.rows
    net_steps = int(rows["steps"].sum(dtype=np.int64))
    if keep == "cells":
        table = pa.Table.from_pandas(tally(cell, rows["status"], rows["steps"]), preserve_index=False)
        return ShardResult(
            table.set_column(1, "status", _status(table["status"].to_numpy())), net_steps, outcome.lane_steps
        )
    columns = {"run": run, "cell": cell, "seed": seed}
    columns |= {name: plan.column(name, cell) for name in plan.study.parameters}
    columns |= {name: np.ascontiguousarray(rows[name]) for name in OUTCOME.names or ()}
    arrays = {name: _status(values) if name == "status" else pa.array(values) for name, values in columns.items()}
    schema = arrow_schema(runs_columns(plan.study))
    return ShardResult(pa.table([arrays[name] for name in schema.names], schema=schema), net_steps, outcome.lane_steps)


def _status(codes: Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(STATUSES))
