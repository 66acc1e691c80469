"""Commands that train little have kernels interpreted: NumPy on lanes gives the same bits, and needs no compiler."""

from __future__ import annotations

import os
import sys
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.study.model import Study

# Nominal operations (:mod:`sweep.schedule.cost`) that an interpreter takes about a second for: a fifth of what a kernel
# takes to compile, and more than a kernel takes to be read from the disk.
_MOST_OPERATIONS = 2.5e5
# Networks that a packet of interpreted lanes holds, in float64.
_LANES = 8


def interpret_if_tiny(operations: float) -> None:
    """Have this process interpret kernels if it trains little, unless ``NUMBA_DISABLE_JIT`` says what it shall do.

    Numba reads the variable when it is imported, so this comes before.

    Parameters
    ----------
    operations
        Nominal operations of all packets, one after the other, at most.
    """
    if operations <= _MOST_OPERATIONS and "NUMBA_DISABLE_JIT" not in os.environ and "numba" not in sys.modules:
        os.environ["NUMBA_DISABLE_JIT"] = "1"


def operations_of_study(study: Study) -> float:
    """Return the nominal operations of all packets of a study, if all runs take all their steps."""
    n_shapes = len(study.hidden_layers)  # networks of several sizes share no packet
    return operations_of_runs(study, n_shapes * ceil(study.n_runs / n_shapes / _LANES))


def operations_of_runs(study: Study, n_runs: int) -> float:
    """Return the nominal operations of some runs of a study one after the other, on average, at most."""
    if n_runs > _MOST_OPERATIONS:  # which no plan need tell
        return float(n_runs)
    from sweep.schedule.plan import Plan

    return n_runs * Plan(study).parts.operations / study.n_runs
