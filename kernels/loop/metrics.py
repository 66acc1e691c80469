"""Measurements of runs that end, beside their loss: correct outputs, largest error, and a check for finite numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kernels.data.control_layout import FINITE_FLAG, MAX_ERROR, N_CORRECT, make_control_layout
from kernels.data.packet import Packet, numbering
from kernels.data.patterns import Patterns
from kernels.lanes.arithmetic import absolute, select
from kernels.lanes.lane_rows import Memory
from kernels.loop.right import make_count_right, make_right
from kernels.numba.jit import device, made_once
from kernels.recipe import Recipe
from kernels.step.interface import file_order
from kernels.variant import Variant
from kernels.vocabulary import OPTIMIZERS


@made_once
def make_measure(recipe: Recipe, variant: Variant, memory: Memory) -> Callable[[Patterns, Packet], None]:
    """Make the function that measures outputs and parameters of all lanes.

    ``(patterns, packet) -> None``: writes to ``packet.control`` how many outputs are on the same side of the decision
    threshold as their target, the largest absolute error, how many patterns are right if the recipe counts them, and
    whether all parameters and states are finite, if products are skipped. There a run with a parameter or state that is
    not finite may have a finite loss, since 0 times infinity is NaN. Such a number stays not finite, so it is enough to
    check when a run ends.
    """
    source = file_order(recipe, variant, memory)
    n_outputs = recipe.architecture.outputs
    right = make_right(recipe, memory, source)
    count_right = make_count_right(recipe, memory, source)
    counts_right = recipe.counts_right
    right_row = make_control_layout(recipe).n_right or 0
    n_copies = 1 + len(OPTIMIZERS[recipe.optimizer].states) if variant.table else 0
    n_parameters = numbering(recipe.architecture).n_parameters
    load, store, fill = memory.load, memory.store, memory.fill
    infinity = np.inf

    @device
    def measure(patterns: Patterns, packet: Packet) -> None:
        control = packet.control
        n_correct, max_error = fill(0.0), fill(0.0)
        for n in range(source.n_patterns(patterns)):
            n_correct = n_correct + right.n_right(patterns, packet, n)
            for o in range(n_outputs):
                y = load(packet.outputs, n * n_outputs + o)
                target = source.target(patterns, packet, n, o)
                error = absolute(y - target)
                max_error = select((error > max_error) | (error != error), error, max_error)  # NaN stays
        if counts_right:
            store(control, right_row, count_right(patterns, packet))
        finite = n_correct == n_correct
        for k in range(n_copies * n_parameters(packet)):
            finite = finite & (absolute(load(packet.parameters, k)) < infinity)
        store(control, N_CORRECT, n_correct)
        store(control, MAX_ERROR, max_error)
        store(control, FINITE_FLAG, select(finite, fill(1.0), 0.0))

    return measure
