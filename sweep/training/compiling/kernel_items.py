"""The kernels that a study needs, in a form that can be sent to another process."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import numpy as np

from kernels.numba.machine_code import Kernel, KernelKey, kernel_key
from kernels.recipe import Recipe
from kernels.start import initialize
from kernels.start.initialize import SCALES, Start
from kernels.train import Trainer
from sweep.study.axes.grid import Cell
from sweep.training.networks.part_trainer import PartTrainer, make_start
from sweep.training.networks.tester import Tester

# Seeds that are drawn to compile a kernel. For one or two seeds of many numbers NumPy draws, without a kernel.
_SEEDS = np.arange(3)


class Item(NamedTuple):
    """What one kernel is compiled for."""

    # ``"train"``, ``"settle"`` (runs whose numbers are not finite, where another kernel trains those), ``"draw"``,
    # ``"validation"``, ``"test"``, ``"own"`` (networks along curves and at the best validation, evaluated with the
    # patterns to train on), or ``"differentiate"``
    task: str
    cell: int  # number of a cell
    # How its weights are drawn
    distribution: str
    generator: str


def uncompiled(worker: PartTrainer, shapes: Iterable[int], *, settles: bool) -> dict[KernelKey, Item]:
    """Return the kernels that some shapes need and that are not compiled yet, in the order of need.

    With ``settles``, also those for runs whose numbers are not finite.
    """
    study, found = worker.plan.study, dict[KernelKey, Item]()
    ways = list(product(study.values_of("distribution"), study.values_of("generator")))
    for shape in shapes:
        worker.check()
        number = worker.plan.first_cell(shape)
        items = [Item("train", number, *ways[0])]
        items += [Item("draw", number, *way) for way in ways]
        items += [Item(task, number, *ways[0]) for task, tester in _testers(worker).items() if tester]
        items += [Item("differentiate", number, *ways[0])] if worker.networks.gradients else []
        items += [Item("settle", number, *ways[0])] if settles else []
        for item in items:
            kernel = _uncompiled(worker, item)
            if kernel:
                found.setdefault(kernel_key(kernel), item)
    return found


def _start(worker: PartTrainer, item: Item) -> Start:
    """Return the start of networks that an item draws."""
    drawn = {"distribution": item.distribution, "generator": item.generator}
    return make_start(worker.plan.study, Cell(worker.plan.grid.cell(item.cell) | drawn))


def _drawn_dtype(recipe: Recipe, worker: PartTrainer) -> str:
    """Return the dtype in which random numbers are drawn: those of several scales are scaled later."""
    return "float64" if any(name in worker.plan.study.parameters for name in SCALES) else recipe.dtype


def _uncompiled(worker: PartTrainer, item: Item) -> Kernel | None:
    """Return the kernel of an item if it is not compiled yet."""
    cell = worker.plan.grid.cell(item.cell)
    if item.task == "draw":
        recipe = worker.trainer(cell).recipe
        dtype = _drawn_dtype(recipe, worker)
        return initialize.uncompiled(_start(worker, item), recipe.architecture, cell.hidden, dtype)
    return _trainer(worker, item).uncompiled(cell.hidden, exact=item.task == "settle")


def _trainer(worker: PartTrainer, item: Item) -> Trainer:
    """Return the trainer of an item."""
    trainer = worker.trainer(worker.plan.grid.cell(item.cell))
    if item.task == "differentiate" and worker.networks.gradients:
        return worker.networks.gradients.trainer(trainer.recipe)
    tester = _testers(worker).get(item.task)
    return tester.trainer(trainer.recipe) if tester else trainer


def _testers(worker: PartTrainer) -> dict[str, Tester | None]:
    """Return the testers of networks by the task of their kernels."""
    return {**worker.testers, "own": worker.own_tester}


def compile_item(worker: PartTrainer, item: Item) -> None:
    """Compile the kernel of an item."""
    cell = worker.plan.grid.cell(item.cell)
    if item.task == "draw":
        recipe = worker.trainer(cell).recipe
        dtype = _drawn_dtype(recipe, worker)
        initialize.initial_weights(_start(worker, item), _SEEDS, recipe.architecture, cell.hidden, dtype)
    else:
        _trainer(worker, item).compile(cell.hidden, exact=item.task == "settle")
