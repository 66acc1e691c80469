"""The kernels that a study needs, in a form that can be sent to another process."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from kernels.numba.machine_code import Kernel, KernelKey, kernel_key
from kernels.recipe import Recipe
from kernels.start import initialize
from kernels.start.initialize import SCALES, Start
from kernels.train import Trainer
from sweep.schedule.recipes import still_settings
from sweep.study.axes.grid import Cell
from sweep.training.networks.gradients import settings_of_step
from sweep.training.networks.part_trainer import PartTrainer, make_start
from sweep.training.networks.tester import Tester

# Seeds that are drawn to compile a kernel. For one or two seeds of many numbers NumPy draws, without a kernel.
_SEEDS = np.arange(3)
# Most cells of a shape that are searched for those with other kernels.
_MOST_CELLS = 100_000


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

    With ``settles``, also all that may be needed: for runs whose numbers are not finite, and for cells that need other
    kernels.
    """
    study, found = worker.plan.study, dict[KernelKey, Item]()
    ways = list(product(study.values_of("distribution"), study.values_of("generator")))
    for shape in shapes:
        for number in _unlike_cells(worker, shape) if settles else [worker.plan.first_cell(shape)]:
            worker.check()
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


def _unlike_cells(worker: PartTrainer, shape: int) -> list[int]:
    """Return cells of a shape whose kernels differ: with and without a gain."""
    cells = worker.plan.cells_of_shape(shape, _MOST_CELLS)
    settings = worker.settings(cells)
    kinds = settings["gain"] != 1.0
    firsts: list[int] = cells[np.sort(np.unique(kinds, return_index=True)[1])].tolist()
    return firsts


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
    trainer = worker.trainer(cell)
    if item.task == "draw":
        start = _start(worker, item)
        return initialize.uncompiled(
            start, trainer.recipe.architecture, cell.hidden, _drawn_dtype(trainer.recipe, worker)
        )
    trainer, settings = _trainer_and_settings(worker, item)
    return trainer.uncompiled(cell.hidden, settings, exact=item.task == "settle")


def _trainer_and_settings(worker: PartTrainer, item: Item) -> tuple[Trainer, Any]:
    """Return the trainer of an item, and settings that select its kernel."""
    trainer, settings = worker.trainer(worker.plan.grid.cell(item.cell)), worker.settings(np.array([item.cell]))
    if item.task == "differentiate" and worker.networks.gradients:
        return worker.networks.gradients.trainer(trainer.recipe), settings_of_step(settings)
    tester = _testers(worker).get(item.task)
    if not tester:
        return trainer, settings
    return tester.trainer(trainer.recipe), still_settings(settings)


def _testers(worker: PartTrainer) -> dict[str, Tester | None]:
    """Return the testers of networks by the task of their kernels."""
    return {**worker.testers, "own": worker.own_tester}


def compile_item(worker: PartTrainer, item: Item) -> None:
    """Compile the kernel of an item."""
    cell = worker.plan.grid.cell(item.cell)
    trainer = worker.trainer(cell)
    if item.task == "draw":
        start = _start(worker, item)
        recipe = trainer.recipe
        initialize.initial_weights(start, _SEEDS, recipe.architecture, cell.hidden, _drawn_dtype(recipe, worker))
    else:
        trainer, settings = _trainer_and_settings(worker, item)
        trainer.compile(cell.hidden, settings, exact=item.task == "settle")
