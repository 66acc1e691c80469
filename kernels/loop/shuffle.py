"""The order of patterns in a shuffled epoch, which depends on the seed of a run and the epoch alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kernels.loop.runs import Runs
from kernels.loop.seats import EMPTY, RUN, START
from kernels.recipe import Recipe
from kernels.simd.jit import device
from kernels.step.layout import Workspace, make_layout
from kernels.step.patterns import Patterns
from kernels.variant import Variant


@device
def mix(x: np.uint64) -> np.uint64:
    """Mix the bits of a number as SplitMix64 does (Steele, Lea and Flood, 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@device
def fill_permutation(order: NDArray[np.int64], seed: int, epoch: int) -> None:
    """Shuffle 0, 1, .. for one epoch of the runs of a seed, both below 2^32: Fisher and Yates, from the end on."""
    state = mix((np.uint64(seed) << np.uint64(32)) + np.uint64(epoch))
    for k in range(order.size):
        order[k] = k
    for k in range(order.size - 1, 0, -1):
        state = state + np.uint64(0x9E3779B97F4A7C15)
        j = np.int64(((mix(state) >> np.uint64(32)) * np.uint64(k + 1)) >> np.uint64(32))
        order[k], order[j] = order[j], order[k]


@cache
def make_shuffle(recipe: Recipe, variant: Variant) -> Callable[[Patterns, Runs, Workspace, int], None]:
    """Return what lays out an epoch, ``(patterns, runs, workspace, turn)``, for each lane in an order of its own."""
    n_inputs, n_outputs, n_patterns = recipe.architecture.inputs, recipe.architecture.outputs, variant.n_patterns
    first_visit = make_layout(recipe, variant).visits

    @device
    def shuffle(patterns: Patterns, runs: Runs, workspace: Workspace, turn: int) -> None:
        rows, seats, order = workspace.rows, workspace.seats, workspace.order
        for lane in range(seats.shape[1]):
            run = seats[RUN, lane]
            if run != EMPTY:
                fill_permutation(order, runs.seeds[run], turn - seats[START, lane])
                row = first_visit
                for n in range(n_patterns):
                    for i in range(n_inputs):
                        rows[row, lane] = patterns.inputs[order[n], i]
                        row += 1
                    for o in range(n_outputs):
                        rows[row, lane] = patterns.targets[order[n], o]
                        row += 1

    return shuffle
