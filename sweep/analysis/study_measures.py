"""Which measures of runs a study has, and their values in a form that can be ordered.

Infinite losses and errors, such as those of diverged runs, are larger than all others, and infinite margins lower. So
are those that are not a number.
"""

from __future__ import annotations

import numpy as np

from sweep.errors import SweepError
from sweep.measures import MEASURES, ORDERED
from sweep.statistics.intervals import Array
from sweep.study.model import Study


def measures_of(study: Study) -> list[str]:
    """Return the measures of final networks that a study has, and by which answers compare and rank."""
    return [
        name
        for name, measure in ORDERED.items()
        if (name in study.record.measures if measure.is_recorded else study.data.n_tests or not measure.is_tested)
    ]


def check_measure(study: Study, measure: str) -> None:
    """Check that a study has a measure.

    Raises
    ------
    SweepError
        If it does not record the measure, or the measure is one of test patterns and it has none.
    """
    if MEASURES[measure].is_recorded and measure not in study.record.measures:
        raise SweepError(f"the study does not record {measure}; run it with --set record.measures={measure}")
    if measure not in measures_of(study):
        raise SweepError(
            f"the study has no test patterns, so its runs have no {measure}; hold some out: --set train_count=12"
        )


def most_correct(study: Study, measure: str) -> int:
    """Return how many outputs of a network can be right, with the patterns of a measure; 0 if it counts none."""
    if not MEASURES[measure].counts_outputs:
        return 0
    return study.n_outputs if measure == "n_correct" else study.data.n_tests * study.n_evaluated


def as_measured(values: Array, measure: str) -> Array:
    """Return values of a measure as numbers that can be ordered; NaN becomes the worst value."""
    values = values.astype(np.float64)
    return np.where(np.isnan(values), -np.inf if MEASURES[measure].more_is_better else np.inf, values)
