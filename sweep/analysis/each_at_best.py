"""Values of an option compared each with the other options at their best, as after tuning.

Pooling over the other options counts learning rates at which nothing learns, and the best cell of each value is chosen
by the runs that describe it. So each half of the seeds chooses a cell for every value, and the other half evaluates it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from sweep.analysis.compare import ComparedBy, compare_sides, table_of_pairs
from sweep.analysis.held_out import center
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Measured
from sweep.statistics.sides import Side
from sweep.statistics.statistic import Statistic

# Least number of seeds: two in each half.
LEAST_SEEDS = 4


def halves_of(runs: Measured) -> Array:
    """Return the half of each seed, 0 or 1: that of a seed is the same in all replicates."""
    n = runs.values.shape[1]
    return np.asarray(np.arange(n) % (n // runs.replicates) % 2)


def by_center(measured: Measured, statistic: Statistic) -> Callable[[Array], Array]:
    """Return what orders cells by the mean or median of a measure of some seeds, the best first."""
    sign = -1 if statistic.more_is_better else 1
    return lambda seeds: np.argsort(sign * center(measured.values[:, seeds], statistic), kind="stable")


def by_rate(outcomes: Measured) -> Callable[[Array], Array]:
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


def evaluated_runs(runs: Measured, chosen: Array, half: Array) -> Measured:
    """Return the runs of each value, (n_values, n_seeds): in the cell that the half without the seed chose."""
    cells = np.where(half == 0, chosen[:, 1:], chosen[:, :1])
    return runs.rearranged(lambda values: np.take_along_axis(values, cells, axis=0), runs.replicates)


def compare_evaluated(
    evaluated: Measured, values: Sequence[Any], most_steps: Array, compared: ComparedBy
) -> pd.DataFrame:
    """Compare the runs of :func:`evaluated_runs` of all pairs of values on common seeds, a row for each pair.

    Columns are those of :func:`~sweep.analysis.compare.compare_values`. ``most_steps`` are the limits of each value.
    """
    stratum = pd.DataFrame(index=[0])
    sides = [Side(evaluated.at(own), most_steps[own]) for own in np.arange(len(values))[:, None]]
    pairs = combinations(range(len(values)), 2)
    return table_of_pairs(
        values, pairs, lambda one, other: compare_sides(sides[one], sides[other], stratum, [], compared)
    )
