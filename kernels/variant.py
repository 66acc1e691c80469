"""The variant of a kernel: choices that decide its speed but no result.

Everything that makes kernels fast on the CPU at hand is chosen here, in :func:`choose_variant`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from kernels.data.patterns import Patterns, Table, sums_watched
from kernels.effort import Effort, holds_patterns, unrolls
from kernels.recipe import Architecture, Hidden, Recipe, sizes_of
from kernels.tuning import Tuning, elementary_rows
from kernels.vocabulary import ACTIVATIONS, OPTIMIZERS

# Windows of up to this many patterns go through a step at once, if patterns are no constants. If they are constants,
# packets with more patterns take no turns.
MOST_AT_ONCE = 8


class Variant(NamedTuple):
    """One way to compute the steps of a recipe."""

    width: int  # networks in a packet, a power of two
    # Patterns of an epoch, and of a step
    n_patterns: int
    window: int
    packets: int  # how many packets take turns, half a step each
    # The patterns, where they are constants. Then products with zero are skipped, and runs with numbers that are not
    # finite are trained again with another variant.
    table: Table | None
    # What each network has for itself where there are several sets of patterns: its targets, or whole patterns
    own: Literal["nothing", "targets", "patterns"]
    hidden: int | None  # the hidden size where the loop over units is unrolled and parameters are in registers
    integers: bool  # whether the activation of the hidden units is computed with integer operations
    most_at_once: int  # windows of at most this many patterns go through a step at once, longer ones block by block
    block_patterns: int  # patterns of a block of longer windows
    function_rows: int  # rows that go through an elementary function side by side, a power of two
    # Whether sums over inputs, and over hidden units, are multiplied by a scale
    scales_hidden: bool
    scales_outputs: bool
    quick: bool  # whether to compile quickly rather than to train fast
    # Number of held-out patterns, and how many of them go through a network together
    held_out: int = 0
    held_out_block: int = 0

    @property
    def n_windows(self) -> int:
        """Steps of an epoch."""
        return -(-self.n_patterns // self.window)

    @property
    def most_patterns(self) -> int:
        """The most patterns that go through a step together: those of a block, or of a short window."""
        return max(self.block_patterns, min(self.most_at_once, self.n_patterns), self.held_out_block)

    @property
    def of_held_out(self) -> Variant:
        """The variant that passes held-out patterns through networks in memory."""
        block = self.held_out_block
        return self._replace(
            n_patterns=self.held_out,
            window=self.held_out,
            table=None,
            own="nothing",
            hidden=None,
            integers=False,
            most_at_once=block,
            block_patterns=block,
            held_out=0,
            held_out_block=0,
        )

    def n_own_numbers(self, architecture: Architecture) -> int:
        """Return how many numbers of a pattern each network has for itself: none, its targets, or its inputs too."""
        n_outputs = architecture.outputs
        return {"nothing": 0, "targets": n_outputs, "patterns": architecture.inputs + n_outputs}[self.own]

    def shuffles(self, recipe: Recipe) -> bool:
        """Return whether each network visits the patterns of an epoch in its own order."""
        return recipe.order != "cyclic" and self.n_windows > 1


def choose_variant(
    recipe: Recipe,
    patterns: Patterns,
    hidden: Hidden,
    tuning: Tuning,
    effort: Effort,
    n_held_out: int = 0,
    *,
    by_set: bool = False,
) -> Variant:
    """Choose how to train networks of some hidden units.

    Parameters
    ----------
    patterns
        Rounded to the dtype of the recipe.
    hidden
        Hidden units, of each layer if there are several.
    tuning
        Properties of the CPU.
    effort
        Which kernels are worth compiling; LEAST where every product must be computed.
    n_held_out
        Number of held-out patterns.
    by_set
        Whether only networks with the same set of patterns train together.
    """
    n_patterns = patterns.n_patterns
    architecture = recipe.architecture
    window = recipe.batch or n_patterns
    row_bytes = tuning.row_bytes
    width = row_bytes // np.dtype(recipe.dtype).itemsize
    scales_hidden, scales_outputs = recipe.scaled_sums(hidden)
    general = Variant(
        width,
        n_patterns,
        window,
        packets=1,
        table=None,
        own="nothing" if by_set or patterns.n_sets == 1 else "targets" if patterns.inputs.ndim == 2 else "patterns",
        hidden=None,
        integers=False,
        most_at_once=0 if recipe.sums_gradients else MOST_AT_ONCE,
        block_patterns=tuning.block_patterns or choose_block(window, tuning),
        function_rows=elementary_rows(row_bytes, tuning.register_bytes),
        scales_hidden=scales_hidden,
        scales_outputs=scales_outputs,
        quick=effort is Effort.LEAST,
        held_out=n_held_out,
        held_out_block=n_held_out if n_held_out <= MOST_AT_ONCE else choose_block(n_held_out, tuning),
    )
    may_hold = holds_patterns(recipe, effort, n_patterns, tuning.constant_limit)
    if not may_hold or general.own == "patterns" or by_set:
        return general
    inputs, targets = (tuple(map(tuple, array.tolist())) for array in (patterns.inputs, patterns.targets))
    table: Table = (
        (inputs, (), 0.0) if general.own == "targets" else (inputs, targets, float(patterns.decision_threshold))
    )
    n_units = sum(sizes_of(hidden))
    n_rows = architecture.n_parameters(hidden) * (1 + len(OPTIMIZERS[recipe.optimizer].states)) + n_patterns * n_units
    n_fit = tuning.cache_bytes // (n_rows * row_bytes)
    is_separate = unrolls(recipe, effort, hidden)
    most = tuning.packets if is_separate else min(tuning.packets, 2)
    if n_patterns > MOST_AT_ONCE or effort is not Effort.MOST:
        most = 1
    return general._replace(
        packets=max(1, min(most, n_fit)),
        table=table,
        hidden=n_units if is_separate else None,
        integers=_may_use_integers(recipe, tuning) and sums_watched(table) and not scales_hidden,
        most_at_once=n_patterns,
        block_patterns=n_patterns,
    )


def _may_use_integers(recipe: Recipe, tuning: Tuning) -> bool:
    """Return whether the hidden activation is one instruction on integers.

    The maximum of integers is one for 64 bits with AVX-512 only, for 32 bits with AVX2 too.
    """
    if recipe.architecture.deep:  # where a sum of finite terms of the layer below may be NaN
        return False
    is_one_instruction = tuning.register_bytes >= 8 * np.dtype(recipe.dtype).itemsize
    return ACTIVATIONS[recipe.architecture.activation].integer_value is not None and is_one_instruction


def choose_block(n_patterns: int, tuning: Tuning) -> int:
    """Choose the patterns of a block, whose sums fit in registers: a divisor of ``n_patterns`` if possible."""
    sizes = (8, 4, 6, 5, 7) if tuning.registers >= 32 else (4, 5, 6, 3)
    return min(sizes, key=lambda size: (n_patterns % size, sizes.index(size)))
