"""Intervals of rates over groups of cells, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from sweep.statistics.estimates import Rate
from sweep.statistics.outcomes import Measured
from sweep.statistics.runs import Runs


def rate_intervals(outcomes: Measured, group: Any) -> tuple[Any, Any]:
    """Return the intervals of the convergence rates of groups of cells."""
    runs = Runs.of_measured(outcomes, group, np.zeros(len(group), np.int64))
    return Rate(runs, runs.converged).ends()
