"""How much compile time a study is worth: a kernel takes seconds to compile, however little it trains.

No result depends on it. It follows from the study alone, so all machines that train a study need the same kernels.
"""

from __future__ import annotations

from enum import IntEnum

from kernels.recipe import Hidden, Recipe, sizes_of
from kernels.vocabulary import OPTIMIZERS

# Nominal operations; a thread does some 5 x 10^10 per second. Below the first number, the kernel that computes every
# product (needed for runs whose numbers are not finite) would train all runs before a second kernel is compiled.
# Above the second, a further kernel for some of the hidden sizes saves up to a sixth of the time.
_LITTLE, _MUCH = 1e10, 5e11
# How many kernels of that kind there are at most, for the usual studies.
_MOST_FURTHER = 2

# Hidden layers of up to this many units are constants of a kernel whose patterns are constants: its loop over units
# unrolls.
MOST_UNROLLED = 2


class Effort(IntEnum):
    """Which kernels are compiled."""

    LEAST = 0  # one for all hidden sizes, which computes every product
    SHARED = 1  # one for all hidden sizes, of which patterns are constants where they may be
    MOST = 2  # the fastest for each hidden size


def effort_for(operations: float, n_sizes: int) -> Effort:
    """Return which kernels are worth compiling for a recipe, by nominal operations if each run takes all its steps."""
    if operations < _LITTLE:
        return Effort.LEAST
    return Effort.SHARED if operations < _MUCH * min(n_sizes - 1, _MOST_FURTHER) else Effort.MOST


def holds_patterns(recipe: Recipe, effort: Effort, n_patterns: int, most_numbers: int) -> bool:
    """Return whether patterns of up to some numbers are constants of a kernel.

    Runs whose numbers are not finite are then trained again, with a kernel that holds none.
    """
    n_numbers = n_patterns * (recipe.architecture.inputs + recipe.architecture.outputs)
    updates_at_once = recipe.batch in (None, n_patterns) and not recipe.sums_gradients
    may_hold = updates_at_once and OPTIMIZERS[recipe.optimizer].keeps_infinity
    return may_hold and effort is not Effort.LEAST and n_numbers <= most_numbers


def unrolls(recipe: Recipe, effort: Effort, hidden: Hidden) -> bool:
    """Return whether networks of some hidden units have a separate kernel, if patterns are constants."""
    is_small = not recipe.architecture.deep and sum(sizes_of(hidden)) <= MOST_UNROLLED
    # Frozen weights are copied by their rows in memory.
    return is_small and effort is Effort.MOST and not recipe.frozen_weights
