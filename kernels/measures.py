"""What is written down of runs besides their loss, for all lanes at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from kernels.architecture import Architecture
from kernels.batch import FINITE_FLAG, MAX_ERROR, N_CORRECT, Batch, Patterns, PatternSource
from kernels.simd.jit import routine
from kernels.simd.lanes import Memory, absolute, select


@cache
def make_measure(
    architecture: Architecture, known: PatternSource, memory: Memory, watches: bool
) -> Callable[[Patterns, Batch, int], None]:
    """Return the function ``(patterns, batch, n_hidden)`` that measures outputs and looks at parameters.

    It writes how many outputs are on the right side of the middle, the largest error
    and, if it ``watches``, whether the parameters of the hidden units are finite.

    Notes
    -----
    Where products with zero are skipped or masked, a run with a parameter that is not
    finite may owe its finite loss to that, since 0 times infinity is NaN. Such a number
    stays not finite, so it is enough to look when a run ends. A kernel that skips and
    masks nothing need not watch.
    """
    n_outputs, n_rows = architecture.outputs, architecture.n_unit_parameters
    load, store, fill = memory.load, memory.store, memory.fill
    infinity = np.inf

    @routine
    def measure(patterns: Patterns, batch: Batch, n_hidden: int) -> None:
        parameters, control, signals = batch
        _, targets, _, middle = known(patterns)
        n_correct, max_error = fill(0.0), fill(0.0)
        for n in range(targets.shape[0]):
            for o in range(n_outputs):
                y = load(signals.outputs, n * n_outputs + o)
                right = y > middle if targets[n, o] > middle else y < middle
                n_correct = n_correct + select(right, fill(1.0), 0.0)
                error = absolute(y - targets[n, o])
                max_error = select(error > max_error, error, max_error)
        finite = n_correct == n_correct
        for h in range(n_hidden if watches else 0):
            for k in range(n_rows):
                finite = finite & (absolute(load(parameters, h * n_rows + k)) < infinity)
        store(control, N_CORRECT, n_correct)
        store(control, MAX_ERROR, max_error)
        store(control, FINITE_FLAG, select(finite, fill(1.0), 0.0))

    return measure
