"""Each lane's patterns in the order of a shuffled epoch, which depends only on the seed of the run and the epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels.data.patterns import Patterns
from kernels.loop.lane_assignment import EMPTY, FIRST_TURN, RUN
from kernels.loop.run_arrays import Runs
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.start.shuffle import fill_permutation
from kernels.step.layout import Workspace, make_layout
from kernels.variant import Variant


@made_once
def make_shuffle(recipe: Recipe, variant: Variant) -> Callable[[Patterns, Runs, Workspace, int], None]:
    """Make the function that writes the patterns of an epoch to the rows of a packet, each lane in its own order."""
    n_inputs = recipe.architecture.inputs
    n_outputs = recipe.architecture.outputs
    n_patterns = variant.n_patterns
    first_row = make_layout(recipe, variant).shuffled
    fill_pattern = _make_fill_pattern(recipe, variant)

    @device
    def shuffle(patterns: Patterns, runs: Runs, workspace: Workspace, turn: int) -> None:
        rows, seats, order = workspace.rows, workspace.seats, workspace.order
        for lane in range(seats.shape[1]):
            run = seats[RUN, lane]
            if run != EMPTY:
                fill_permutation(order, runs.seeds[run], turn - seats[FIRST_TURN, lane])
                for n in range(n_patterns):
                    fill_pattern(patterns, rows, lane, first_row + n * (n_inputs + n_outputs), order[n])

    return shuffle


def _make_fill_pattern(recipe: Recipe, variant: Variant) -> Callable[[Patterns, Any, int, int, int], None]:
    """Make the function that writes a pattern to rows of a lane: ``(patterns, rows, lane, first row, pattern)``."""
    n_inputs, n_outputs = recipe.architecture.inputs, recipe.architecture.outputs
    first_own = make_layout(recipe, variant).own
    n_own = variant.n_own_numbers(recipe.architecture)

    def from_shared(patterns: Patterns, rows: Any, lane: int, row: int, n: int) -> None:
        for i in range(n_inputs):
            rows[row + i, lane] = patterns.inputs[n, i]
        for o in range(n_outputs):
            rows[row + n_inputs + o, lane] = patterns.targets[n, o]

    def from_own_targets(patterns: Patterns, rows: Any, lane: int, row: int, n: int) -> None:
        for i in range(n_inputs):
            rows[row + i, lane] = patterns.inputs[n, i]
        for o in range(n_outputs):
            rows[row + n_inputs + o, lane] = rows[first_own + n * n_own + o, lane]

    def from_own(patterns: Patterns, rows: Any, lane: int, row: int, n: int) -> None:
        for k in range(n_own):
            rows[row + k, lane] = rows[first_own + n * n_own + k, lane]

    return device({"nothing": from_shared, "targets": from_own_targets, "patterns": from_own}[variant.own])
