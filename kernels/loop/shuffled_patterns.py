"""Each lane's patterns in the order of a shuffled epoch, which depends on the seed of its run and the epoch alone."""

from __future__ import annotations

from collections.abc import Callable

from kernels.data.patterns import Patterns
from kernels.loop.lane_assignment import EMPTY, FIRST_TURN, RUN
from kernels.loop.runs import Runs
from kernels.recipe import Recipe
from kernels.simd.jit import device
from kernels.simd.parts import made_once
from kernels.start.shuffle import fill_permutation
from kernels.step.layout import Workspace, make_layout
from kernels.variant import Variant


@made_once
def make_shuffle(recipe: Recipe, variant: Variant) -> Callable[[Patterns, Runs, Workspace, int], None]:
    """Make the function that writes the patterns of an epoch to the rows of a packet, each lane in its own order.

    Returns
    -------
    (patterns, runs, workspace, turn) -> None
    """
    n_inputs, n_outputs, n_patterns = recipe.architecture.inputs, recipe.architecture.outputs, variant.n_patterns
    first_row = make_layout(recipe, variant).shuffled

    @device
    def shuffle(patterns: Patterns, runs: Runs, workspace: Workspace, turn: int) -> None:
        rows, seats, order = workspace.rows, workspace.seats, workspace.order
        for lane in range(seats.shape[1]):
            run = seats[RUN, lane]
            if run != EMPTY:
                fill_permutation(order, runs.seeds[run], turn - seats[FIRST_TURN, lane])
                row = first_row
                for n in range(n_patterns):
                    for i in range(n_inputs):
                        rows[row, lane] = patterns.inputs[order[n], i]
                        row += 1
                    for o in range(n_outputs):
                        rows[row, lane] = patterns.targets[order[n], o]
                        row += 1

    return shuffle
