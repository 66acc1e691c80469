"""Measure which variants of the kernels of a study are fastest on this machine, and keep the choice for later runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from kernels.candidates import Measured, fastest
from kernels.floating_point import default_floating_point
from kernels.measured_choices import SWITCH, Choice, NetworkClass, is_on, keep_choice, measured_choice
from kernels.tuning import Tuning, tuning_here
from sweep.errors import SweepError
from sweep.schedule.cost import run_cost
from sweep.schedule.plan import Plan
from sweep.schedule.recipes import make_recipe
from sweep.study.model import Study
from sweep.training.networks.part_trainer import PartTrainer

# The most classes of networks that a call measures: those whose runs cost most.
MOST_CLASSES = 8
# Processor time of a measurement, in seconds.
_SECONDS = 0.025
# Bytes of one number of all networks of a call. 192 networks in float64, or 384 in float32, fill the packets of every
# candidate: up to four rows of up to four registers.
_LANE_BYTES = 192 * 8
# Cells that a measurement trains, evenly spaced among at most so many of a shape.
_CELLS, _MOST_CELLS = 8, 100_000


class Tuned(NamedTuple):
    """What was measured for a class of networks, by this call or an earlier one."""

    network_class: NetworkClass
    choice: Choice
    n_candidates: int | None  # how many variants this call measured; None if an earlier one did


def tune_study(study: Study, *, again: bool = False) -> Iterator[Tuned]:
    """Measure the classes of networks of a study whose runs cost most, and yield each.

    They are measured whether or not the study is long enough to use the choices itself; with ``again``, also those that
    were measured before. SweepError if measured choices are turned off, or kernels are not compiled.
    """
    if not is_on():
        name = SWITCH if os.environ.get(SWITCH) == "off" else "NUMBA_DISABLE_JIT"
        raise SweepError(f"{name}: must be unset to measure kernels, got {os.environ.get(name)!r}")
    worker = PartTrainer(Plan(study))
    for network_class, shape in list(classes(worker.plan).items())[:MOST_CLASSES]:
        earlier = measured_choice(network_class)
        if earlier and not again:
            yield Tuned(network_class, earlier, None)
            continue
        guess, found = tuning_here(), _measure(worker, shape)
        changes = {name: new for name, new in found.tuning._asdict().items() if new != getattr(guess, name)}
        choice = Choice(changes, found.gain, date.today().isoformat())
        keep_choice(network_class, choice)
        yield Tuned(network_class, choice, found.n_candidates)


def classes(plan: Plan) -> dict[NetworkClass, int]:
    """Return the classes of networks of a study, and a shape of each; those whose runs cost most come first."""
    study, found = plan.study, dict[NetworkClass, tuple[float, int]]()
    for shape in range(plan.n_shapes):
        cell = plan.grid.cell(plan.first_cell(shape))
        of = NetworkClass.of(make_recipe(study, cell), cell.hidden, study.data.n_patterns, len(study.data.sets))
        found[of] = max(found.get(of, (0.0, 0)), (run_cost(study, cell).operations, shape))
    return {of: shape for of, (_, shape) in sorted(found.items(), key=lambda item: -item[1][0])}


@default_floating_point
def _measure(worker: PartTrainer, shape: int) -> Measured:
    """Measure the candidates for the networks of a shape, on runs of some of its cells."""
    plan = worker.plan
    cells = plan.cells_of_shape(shape, _MOST_CELLS)
    cells = cells[np.linspace(0, len(cells) - 1, min(_CELLS, len(cells))).astype(np.int64)]
    cell = plan.grid.cell(int(cells[0]))
    trainer, settings = worker.trainer(cell), worker.settings(cells)
    counts = np.full(len(cells), _LANE_BYTES // np.dtype(trainer.recipe.dtype).itemsize // len(cells))
    seeds = plan.study.seeds.base + np.concatenate([np.arange(n) for n in counts]) % plan.study.seeds.count
    weights, most_steps = worker.weights(cells, counts, seeds), settings["max_steps"].copy()
    tuned = {tuning_here(): trainer.with_tuning(tuning_here())}
    repeats = 1

    def train(tuning: Tuning) -> tuple[int, float]:
        """Return the steps of all lanes and their processor time.

        Idle lanes count: a measurement has one run for each lane of the widest candidates, a study refills lanes.
        """
        by = tuned.setdefault(tuning, trainer.with_tuning(tuning))
        begin, lane_steps = time.thread_time(), 0
        for _ in range(repeats):
            lane_steps += by.train(settings, weights, counts, hidden=cell.hidden, seeds=seeds).lane_steps
        return lane_steps, time.thread_time() - begin

    def speed(tuning: Tuning) -> float:
        lane_steps, seconds = train(tuning)
        return lane_steps / max(seconds, 1e-9)

    def variant_of(tuning: Tuning) -> Any:
        return trainer.with_tuning(tuning).variant(cell.hidden, settings)

    seconds, limit = 0.0, 8
    while seconds < _SECONDS and limit < most_steps.max():
        limit *= 2
        settings["max_steps"] = np.minimum(most_steps, limit)
        seconds = min(train(tuning_here())[1] for _ in range(2))  # the first call compiles
    repeats = ceil(_SECONDS / max(seconds, 1e-4))
    return fastest(tuning_here(), variant_of, trainer.recipe, speed)
