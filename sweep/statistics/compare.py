"""What changes with the value of a parameter, on common seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from sweep.plan import Plan
from sweep.statistics.cells import cells_of
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Outcomes
from sweep.statistics.paired import difference_interval, holm, sign_flip_test

# Values of a parameter that can be compared, each with each other.
MOST_COMPARED = 20


def compare_values(outcomes: Outcomes, plan: Plan, vary: str, by: Sequence[str]) -> pd.DataFrame:
    """Compare each value of a parameter with each other one.

    Parameters
    ----------
    outcomes
    plan
    vary
        The swept parameter whose values are compared.
    by
        Other swept parameters, for each combination of whose values there is a row; over all others pairs are taken
        together.

    Returns
    -------
    DataFrame
        For each two values, ``first`` and ``second``, and each combination: the columns of :func:`compare_outcomes`.
    """
    names = list(plan.study.parameters)
    sizes = [len(values) for values in plan.study.parameters.values()]
    cells = np.moveaxis(np.arange(plan.n_cells).reshape(sizes), names.index(vary), 0).reshape(
        sizes[names.index(vary)], -1
    )
    strata = cells_of(plan, cells[0])
    values = plan.study.parameters[vary]
    compared = []
    for first, second in combinations(range(len(values)), 2):
        rows = compare_outcomes(outcomes.at(cells[first]), outcomes.at(cells[second]), strata, by)
        rows.insert(0, "first", values[first])
        rows.insert(1, "second", values[second])
        compared.append(rows)
    return with_holm(pd.concat(compared, ignore_index=True))


def compare_outcomes(first: Outcomes, second: Outcomes, strata: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Compare pairs of runs, each of one seed.

    Parameters
    ----------
    first, second : (n_strata, n_seeds)
        A run of the one is paired with that of the other in the same place.
    strata
        Parameters of the pairs, a row for each stratum.
    by
        Those for each combination of whose values there is a row.

    Returns
    -------
    DataFrame
        By these parameters: the numbers of seeds and of pairs, ``first_rate`` and ``second_rate`` of convergence, their
        ``difference`` with its 95 % interval, and its ``p_value``; the shares of the pairs in which the first run
        converged in fewer steps than the second, and the other way round, and their ``p_steps``.

    Notes
    -----
    A run that does not converge needs more steps than any that does. p-values are those of the exact sign-flip test of
    seeds (:func:`~sweep.statistics.paired.sign_flip_test`), which is McNemar's exact test where a seed has one pair.
    """
    both = first.present & second.present
    paired = np.flatnonzero(both.any(axis=1))  # in a partial result, strata that have pairs
    first, second, both, strata = first.at(paired), second.at(paired), both[paired], strata.iloc[paired]
    groups = _Groups(strata, by)
    pairs = groups.count(both)
    n_seeds, n_pairs = (pairs > 0).sum(axis=1), pairs.sum(axis=1)
    each = n_pairs / n_seeds  # pairs for each seed; in a partial result some are missing
    one, other = groups.count(first.converged & both), groups.count(second.converged & both)
    sums, squares = (one - other).sum(axis=1) / each, ((one - other) ** 2).sum(axis=1) / each**2
    low, high = difference_interval(sums, squares, n_seeds, each)
    steps, other_steps = first.steps_to_converge(), second.steps_to_converge()
    faster, slower = groups.count((steps < other_steps) & both), groups.count((steps > other_steps) & both)
    return groups.values.assign(
        n_seeds=n_seeds,
        n_pairs=n_pairs,
        first_rate=one.sum(axis=1) / n_pairs,
        second_rate=other.sum(axis=1) / n_pairs,
        difference=sums / n_seeds,
        difference_low=low,
        difference_high=high,
        p_value=sign_flip_test(one - other),
        first_faster=faster.sum(axis=1) / n_pairs,
        second_faster=slower.sum(axis=1) / n_pairs,
        p_steps=sign_flip_test(faster - slower),
    )


def with_holm(table: pd.DataFrame) -> pd.DataFrame:
    """Add p-values that are adjusted for the number of rows, behind those that are not."""
    for name in ("p_value", "p_steps"):
        table.insert(list(table).index(name) + 1, f"{name}_holm", holm(table[name].to_numpy()))
    return table


class _Groups:
    """Strata that share the values of some parameters.

    Attributes
    ----------
    values : DataFrame
        These values, a row for each group, in the order in which they first occur.
    """

    def __init__(self, strata: pd.DataFrame, by: Sequence[str]) -> None:
        group = strata.groupby(list(by), sort=False).ngroup().to_numpy() if by else np.zeros(len(strata), np.int64)
        self._order = np.argsort(group, kind="stable")
        _, self._starts = np.unique(group[self._order], return_index=True)
        self.values = strata.iloc[self._order[self._starts]][list(by)].reset_index(drop=True)

    def count(self, marked: Array) -> Array:
        """Count what is marked, by group and seed."""
        return np.add.reduceat(marked[self._order], self._starts, axis=0, dtype=np.int64)
