"""Interpret kernels in commands that train little: NumPy on lanes gives the same bits without a compiler."""

from __future__ import annotations

import os
import sys
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.study.model import Study

# Nominal operations (:mod:`sweep.schedule.cost`) that take the interpreter about a second: a fifth of the time to
# compile a kernel, but more than the time to read a kernel from disk.
_MOST_OPERATIONS = 2.5e5
# Networks that a packet of interpreted lanes holds, in float64.
_LANES = 8


def interpret_if_tiny(operations: float) -> None:
    """Let this process interpret kernels if it trains few operations; Numba must not be imported yet."""
    if operations <= _MOST_OPERATIONS and "NUMBA_DISABLE_JIT" not in os.environ and "numba" not in sys.modules:
        os.environ["NUMBA_DISABLE_JIT"] = "1"


def operations_of_study(study: Study) -> float:
    """Return the nominal operations of all packets of a study if every run takes all its steps."""
    n_shapes = len(study.hidden_layers)  # networks of several sizes share no packet
    return operations_of_runs(study, n_shapes * ceil(study.n_runs / n_shapes / _LANES))


def operations_of_runs(study: Study, n_runs: int) -> float:
    """Return the nominal operations of some runs of a study, trained one after the other for all their steps."""
    if n_runs > _MOST_OPERATIONS:  # too many, whatever their cost, so no plan is made
        return float(n_runs)
    from sweep.schedule.plan import Plan

    return n_runs * Plan(study).parts.operations / study.n_runs
