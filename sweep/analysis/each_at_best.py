"""Values of an option compared each with the other options at their best, as after tuning.

Pooling over the other options counts learning rates at which nothing learns, and the best cell of each value is chosen
by the runs that describe it. So each half of the seeds chooses a cell for every value, and the other half evaluates it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from sweep.analysis.compare import compare_sides, table_of_pairs, with_holm
from sweep.analysis.compare_measures import adjusted, compare_pairs
from sweep.analysis.held_out import center
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Measured, Outcomes
from sweep.statistics.runs import Correct
from sweep.statistics.sides import Side
from sweep.statistics.statistic import Statistic

Runs = TypeVar("Runs", Outcomes, Measured)

# Least number of seeds: two in each half.
LEAST_SEEDS = 4


def halves_of(runs: Outcomes | Measured) -> Array:
    """Return the half of each seed, 0 or 1: that of a seed is the same in all replicates."""
    n = runs.present.shape[1]
    return np.asarray(np.arange(n) % (n // runs.replicates) % 2)


def by_center(measured: Measured, statistic: Statistic) -> Callable[[Array], Array]:
    """Return what orders cells by the mean or median of a measure of some seeds, the best first."""
    sign = -1 if statistic.more_is_better else 1
    return lambda seeds: np.argsort(sign * center(measured.values[:, seeds], statistic), kind="stable")


def by_rate(outcomes: Outcomes) -> Callable[[Array], Array]:
    """Return what orders cells by their convergence rate for some seeds, then by the steps of their runs."""

    def order(seeds: Array) -> Array:
        return np.lexsort((outcomes.steps[:, seeds].mean(axis=1), -outcomes.converged[:, seeds].mean(axis=1)))

    return order


def chosen_cells(order: Callable[[Array], Array], half: Array, value: Array, n_values: int) -> Array:
    """Return the best cell of each value by each half of the seeds, (n_values, 2); ``value`` numbers that of cells."""
    chosen = np.empty((n_values, 2), np.int64)
    for k in range(2):
        ordered = order(half == k)
        chosen[:, k] = [ordered[value[ordered] == number][0] for number in range(n_values)]
    return chosen


def evaluated_runs(runs: Runs, chosen: Array, half: Array) -> Runs:
    """Return the runs of each value, (n_values, n_seeds): in the cell that the half without the seed chose."""
    by_first, by_second = (runs.at(chosen[:, k]) for k in range(2))
    if isinstance(by_first, Measured) and isinstance(by_second, Measured):
        return Measured(np.where(half == 0, by_second.values, by_first.values), runs.replicates)
    steps, converged = (np.where(half == 0, *pair) for pair in zip(by_second[:2], by_first[:2], strict=True))
    return Outcomes(steps, converged, runs.replicates)


def compare_evaluated(
    evaluated: Outcomes | Measured,
    values: Sequence[Any],
    measure: str | None,
    most: Array | Correct,
    margin: float | None = None,
) -> pd.DataFrame:
    """Compare the runs of :func:`evaluated_runs` of all pairs of values on common seeds, a row for each pair.

    Columns are those of :func:`~sweep.analysis.compare.compare_values`, or of a measure those of
    :func:`~sweep.analysis.compare_measures.compare_measured`. ``measure`` is None for convergence. ``most`` is for a
    measure as in :func:`~sweep.analysis.compare_measures.compare_pairs`, for convergence the limit of steps of each
    value. ``margin`` is as in :func:`~sweep.analysis.compare.compare_values`.
    """
    stratum = pd.DataFrame(index=[0])

    def compared(*pair: int) -> pd.DataFrame:
        rows = [np.array([each]) for each in pair]
        if isinstance(evaluated, Measured):
            assert measure
            assert isinstance(most, Correct)
            one, other = map(evaluated.at, rows)
            return compare_pairs(one, other, stratum, [], measure, most)
        first, second = (Side(evaluated.at(each), np.asarray(most)[each]) for each in rows)
        return compare_sides(first, second, stratum, [], margin)

    table = table_of_pairs(values, combinations(range(len(values)), 2), compared)
    return adjusted(table) if measure else with_holm(table)
