"""The course of one network: its weights as they change, and its outputs over a plane of inputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweep.schedule.plan import Plan
from sweep.schedule.recipes import make_recipe
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.networks.tester import outputs_of
from sweep.training.networks.trace import Trace

Array = NDArray[Any]

# Points of a path: about half are evenly spaced, the others are densest at the start.
_POINTS = 240
# Points along each side of a plane, and its margin around the patterns as a share of their width.
_SIDE, _MARGIN = 96, 0.4


class Path(NamedTuple):
    """The parameters of a network during training."""

    steps: NDArray[np.int64]  # number of updates at each point, from 0 to the last
    weights: Array  # parameters at each point
    names: tuple[str, ...]  # the array (w, v, b, c or k) that each parameter belongs to


class Plane(NamedTuple):
    """The output of a network with two inputs over a plane of them."""

    # Values of the two inputs
    x: Array
    y: Array
    outputs: Array  # the first output, by y and x
    units: Array  # for each hidden unit the factors of both inputs in its sum, and its bias


def weights_path(trace: Trace) -> Path:
    """Return the parameters of a run at some of its steps.

    The same kernel trains a copy of the run up to each of these steps, so the numbers are those of the run.
    """
    last = trace.steps
    even, dense = np.linspace(0, last, _POINTS // 2), np.geomspace(1, max(last, 1), _POINTS // 2) - (last == 0)
    steps = np.unique(np.concatenate([even, dense]).round().astype(np.int64))
    cells, seeds = np.full(len(steps), trace.cell), np.full(len(steps), trace.seed)
    grid = trace.study.grid
    part_trainer, *_ = PartTrainer(Plan(trace.study)).of_runs(cells, np.ones_like(cells), seeds)
    trainer = part_trainer.trainer(grid.cell(trace.cell))
    settings = part_trainer.settings(cells)
    settings["max_steps"] = steps
    initial = part_trainer.weights(cells[:1], np.ones(1, np.int64), seeds[:1])
    hidden = grid.cell(trace.cell).hidden
    outcome = trainer.train(
        settings, np.repeat(initial, len(steps), axis=0), hidden=hidden, seeds=seeds, final_weights=True
    )
    shapes = trainer.recipe.architecture.shapes(hidden)
    names = tuple(name for name, shape in shapes.items() for _ in range(int(np.prod(shape))))
    return Path(steps, outcome.final_weights, names)


def outputs_plane(trace: Trace) -> Plane | None:
    """Return the first output over a plane that contains all patterns; None unless there are two inputs."""
    if trace.inputs.shape[1] != 2:
        return None
    low, high = trace.inputs.min(axis=0), trace.inputs.max(axis=0)
    margin = _MARGIN * np.where(high > low, high - low, 1.0)
    x, y = (np.linspace(low[k] - margin[k], high[k] + margin[k], _SIDE) for k in (0, 1))
    points = np.column_stack([each.ravel() for each in np.meshgrid(x, y)])
    weights = np.concatenate([part.ravel() for part in trace.weights.values()])
    outputs = outputs_of(Plan(trace.study), trace.cell, weights[None], points)[0]
    cell = trace.study.grid.cell(trace.cell)
    scale = cell["gain"] * make_recipe(trace.study, cell).architecture.scales(cell.hidden)[0][0]
    number = "1" if "w1" in trace.weights else ""  # of the first hidden layer
    w = trace.weights.get(f"w{number}", np.zeros((2, 0)))
    units = np.column_stack([scale * w.T, trace.weights.get(f"b{number}", np.zeros(w.shape[1]))])
    return Plane(x, y, outputs[:, 0].reshape(_SIDE, _SIDE), units)
