"""Sums of the losses of a run over its evaluations, in float64, added up in their order, and its running loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kernels.data.control_layout import PREVIOUS, make_control_layout
from kernels.data.packet import Packet
from kernels.lanes.arithmetic import Lanes, select
from kernels.lanes.lane_rows import Memory, make_memory
from kernels.lanes.operations import widen
from kernels.loop.lane_assignment import RUN
from kernels.loop.run_arrays import Runs
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.layout import Workspace
from kernels.variant import Variant
from kernels.vocabulary import LOSS_SUMS, TAIL


def _rows(recipe: Recipe) -> tuple[bool, int, bool, int, bool, int]:
    """Return for each sum whether it is recorded, and its first row or 0."""
    first = dict(zip(recipe.loss_sums, make_control_layout(recipe).loss_sums, strict=True))
    plain, inverse, tail, _ = (first.get(name) for name in LOSS_SUMS)
    return plain is not None, plain or 0, inverse is not None, inverse or 0, tail is not None, tail or 0


@made_once
def make_add_loss(recipe: Recipe, memory: Memory) -> Callable[[Packet, Lanes, int], None]:
    """Make the function that adds the loss of an evaluation after which runs continue: ``(packet, loss, turn)``."""
    adds, plain, adds_inverse, inverse, keeps_tail, tail = _rows(recipe)
    double = make_memory("float64", memory.width)
    is_wide = recipe.dtype == "float64"
    load, store, fill = double.load, double.store, double.fill
    goes_on = recipe.stop == "after"  # otherwise a loss that is NaN is the last one

    @device
    def add_loss(packet: Packet, loss: Lanes, turn: int) -> None:
        wide = loss if is_wide else widen(loss)
        if goes_on:
            wide = select(wide == wide, wide, fill(np.inf))
        if adds:
            store(packet.doubles, plain, load(packet.doubles, plain) + wide)
        if adds_inverse:
            store(packet.doubles, inverse, load(packet.doubles, inverse) + fill(1.0) / wide)
        if keeps_tail:
            store(packet.doubles, tail + turn % TAIL, wide)

    return add_loss


def running_loss_row(recipe: Recipe, variant: Variant) -> int:
    """Return the row of control of the running loss of the last epoch, 0 if it is not kept."""
    of_last = PREVIOUS if variant.n_windows == 1 else make_control_layout(recipe).running_loss[0]
    return of_last if recipe.keeps_running_loss else 0


@made_once
def make_record_sums(recipe: Recipe, variant: Variant) -> Callable[[Runs, Workspace, int, float, int, int], None]:
    """Make the function that writes the sums of a run that ends: ``(runs, workspace, lane, loss, turn, n_before)``.

    ``n_before`` evaluations came before this one, the first of them in ``turn``. A last loss that is NaN counts as
    infinite.
    """
    adds, plain, adds_inverse, inverse, keeps_tail, tail = _rows(recipe)
    of_inverse = int(adds)
    of_tail = int(adds) + int(adds_inverse)
    keeps_running = "running_loss" in recipe.loss_sums
    of_running = of_tail + int(keeps_tail)
    running_row = running_loss_row(recipe, variant)

    @device
    def record_sums(runs: Runs, workspace: Workspace, lane: int, loss: float, turn: int, n_before: int) -> None:
        run = workspace.seats[RUN, lane]
        doubles = workspace.doubles
        sums = runs.columns.loss_sums
        last = loss if loss == loss else np.inf
        if adds:
            sums[run, 0] = doubles[plain, lane] + last
        if adds_inverse:
            sums[run, of_inverse] = doubles[inverse, lane] + 1.0 / last
        if keeps_tail:
            first = n_before - TAIL + 1 if n_before >= TAIL else 0
            total = 0.0
            for j in range(first, n_before):
                total += doubles[tail + (turn + j) % TAIL, lane]
            sums[run, of_tail] = (total + last) / (n_before - first + 1)
        if keeps_running:
            running = workspace.rows[running_row, lane]
            sums[run, of_running] = running if running == running else np.inf

    return record_sums
