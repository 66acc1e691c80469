"""Which measures of runs a study has, and their values in a form that can be ordered.

Infinite losses and errors, such as those of diverged runs, are larger than all others, and infinite margins lower. So
are those that are not a number.
"""

from __future__ import annotations

import numpy as np

from sweep.errors import SweepError, unknown
from sweep.measures import MEASURES, ORDERED
from sweep.statistics.intervals import Array
from sweep.statistics.runs import NOT_COUNTED, Correct
from sweep.study.model import Study


def measures_of(study: Study) -> list[str]:
    """Return the measures of final networks that a study has, and by which answers compare and rank."""
    return [name for name, measure in ORDERED.items() if measure.is_in(study)]


def check_measure(study: Study, measure: str) -> None:
    """Raise a SweepError if a study does not record a measure, lacks its patterns, or there is no such measure."""
    if measure in measures_of(study):
        return
    if measure not in ORDERED:
        raise SweepError(unknown("measure", measure, ORDERED))
    lacking = MEASURES[measure].lacking(study)
    if MEASURES[measure].is_recorded and lacking in (None, "held-out"):
        raise SweepError(
            f"the study does not record {measure}; run it in another folder (--out) with "
            f"--set record.measures={measure}"
        )
    n = study.data.n_patterns
    held_out = f"train_count={max(3 * n // 4, 1)}" if lacking == "test" else f"validation_count={max(n // 4, 1)}"
    raise SweepError(
        f"the study has no {lacking} patterns, so its runs have no {measure}; run it in another folder (--out) with "
        f"some of its {n:,} patterns held out, as in --set {held_out}"
    )


def most_correct(study: Study, measure: str) -> Correct:
    """Return the greatest value of a measure that counts correct outputs, or is a share, and its value from guessing.

    Guessing gets half of all outputs right. Of classes it gets the share of the rarest one right, and of balanced
    accuracies, in which all classes count the same, the share of one class.
    """
    found = MEASURES[measure]
    if not found.has_mean:
        return NOT_COUNTED
    of_classes = study.data.n_targets > 1 and (found.is_share or study.n_evaluated == 1)
    guessed = study.data.least_share if of_classes else 0.5
    if found.kind == "balanced share":
        guessed = 1 / max(2, study.data.n_targets)
    if found.is_share:
        return Correct(1, guessed)
    most = study.n_outputs if measure == "n_correct" else study.data.n_tests * study.n_evaluated
    return Correct(most, most * guessed)


def as_measured(values: Array, measure: str) -> Array:
    """Return values of a measure as numbers that can be ordered; NaN becomes the worst value."""
    values = values.astype(np.float64)
    return np.where(np.isnan(values), -np.inf if MEASURES[measure].more_is_better else np.inf, values)
