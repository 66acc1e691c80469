"""With which measures a study with held-out patterns answers: those of test patterns, chosen by validation patterns."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import numpy as np

from sweep.analysis.study_measures import measures_of
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Measured
from sweep.statistics.statistic import Statistic
from sweep.study.model import Study

# By the patterns that they are of, from the most telling measure on: of classes first, which other targets have not.
_OF_CLASSES = {
    "test": ("test_accuracy_at_best", "test_accuracy", "n_test_correct"),
    "validation": ("validation_accuracy_at_best", "validation_accuracy"),
}
_OF_NUMBERS = {
    "test": ("test_loss_at_best", "test_loss"),
    "validation": ("validation_loss_at_best", "validation_loss"),
}
# Patterns whose targets decide whether a study classifies.
_MOST_SEEN = 1000


class HeldOut(NamedTuple):
    """The measures with which a study with held-out patterns answers."""

    reported: str  # the headline measure, of test patterns if there are any
    chosen_by: str  # the measure by which cells are ranked, of validation patterns if there are any


def held_out(study: Study) -> HeldOut | None:
    """Return the measures with which a study answers, or None if it holds no patterns out."""
    test, validation = (_first(study, of) for of in ("test", "validation"))
    reported, chosen_by = test or validation, validation or test
    return HeldOut(reported, chosen_by) if reported and chosen_by else None


def _first(study: Study, of: str) -> str | None:
    """Return the first of the measures of some patterns that a study has, or None."""
    known = measures_of(study)
    names = (*(_OF_CLASSES[of] if classifies(study) else ()), *_OF_NUMBERS[of])
    return next((name for name in names if name in known), None)


def classifies(study: Study) -> bool:
    """Return whether targets have at most two values, as those of classes have."""
    return len({value for row in islice(study.data.sets[0].targets, _MOST_SEEN) for value in row}) <= 2


def chosen_by_halves(measured: Measured, statistic: Statistic) -> float:
    """Return the value of a statistic of cells that other seeds chose: by even and by odd seeds, and the mean of both.

    All cells have equally many runs. The statistic is their mean or median. It is NaN with fewer than two seeds in a
    half.
    """
    values = measured.values[~np.isnan(measured.values).any(axis=1)]
    seed = np.arange(values.shape[1]) % (values.shape[1] // measured.replicates)
    if not len(values) or seed.max() < 3:
        return float("nan")
    halves = values[:, seed % 2 == 0], values[:, seed % 2 == 1]
    estimates = []
    for chooser, evaluator in (halves, halves[::-1]):
        scores = center(chooser, statistic)
        best = int(scores.argmax() if statistic.more_is_better else scores.argmin())
        estimates.append(float(center(evaluator[best : best + 1], statistic)[0]))
    return sum(estimates) / 2


def center(values: Array, statistic: Statistic) -> Array:
    """Return the mean or the median of each row; a median is a value of the row, which may be infinite."""
    if statistic.compared == "mean":
        return np.asarray(values.mean(axis=1))
    return np.asarray(np.quantile(values, 0.5, axis=1, method="inverted_cdf"))
