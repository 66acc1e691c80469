"""Intervals of rates over groups of cells, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from sweep.statistics.estimates import Rate
from sweep.statistics.outcomes import Outcomes
from sweep.statistics.runs import Runs


def rate_intervals(outcomes: Outcomes, group: Any) -> tuple[Any, Any]:
    """Return the intervals of the convergence rates of groups of cells."""
    n_runs = outcomes.present.sum(axis=1)
    runs = Runs.of_outcomes(outcomes, group, np.zeros(len(group), np.int64), even=n_runs.min() == n_runs.max())
    return Rate(runs, runs.converged).ends()
