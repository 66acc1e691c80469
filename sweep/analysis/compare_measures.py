"""Pairwise comparisons of measures (losses, errors, correct outputs) on common seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sweep.analysis.compare import Tested, by_clusterings, compare_each_two, interval_columns
from sweep.measures import MEASURES
from sweep.statistics.estimates import DifferenceOfCorrect
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Measured
from sweep.statistics.paired import Advantage, holm
from sweep.statistics.runs import NOT_COUNTED, Correct
from sweep.statistics.sides import Groups
from sweep.study.axes.grid import Grid

_SIDES = ("first", "second")


def compare_measured(
    measured: Measured, grid: Grid, vary: str, by: Sequence[str], measure: str, correct: Correct = NOT_COUNTED
) -> pd.DataFrame:
    """Compare values as :func:`~sweep.analysis.compare.compare_values` does, by a measure of all cells.

    Returns
    -------
    DataFrame
        The columns of :func:`compare_pairs`, and ``p_value_holm``, adjusted for the number of rows.
    """
    return adjusted(
        compare_each_two(
            grid,
            vary,
            measured.at,
            lambda first, second, strata: compare_pairs(first, second, strata, by, measure, correct),
        )
    )


def adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Insert a column of p-values adjusted for the number of rows (Holm), after the unadjusted ones."""
    table.insert(list(table).index("p_value") + 1, "p_value_holm", holm(table["p_value"].to_numpy()))
    return table


def compare_pairs(
    first: Measured,
    second: Measured,
    strata: pd.DataFrame,
    by: Sequence[str],
    measure: str,
    correct: Correct = NOT_COUNTED,
    *,
    crossed: bool = False,
    of_replicates: bool = False,
    tested: Tested | None = None,
) -> pd.DataFrame:
    """Compare a measure of runs pairwise on common seeds.

    Runs of the same stratum and seed are paired, and pooled over parameters of strata that ``by`` lacks. ``crossed``
    says whether runs share seeds and replicates, ``of_replicates`` whether columns, (n_strata, n_seeds), are the
    latter. What is tested is appended to the lists of ``tested``.

    Returns
    -------
    DataFrame
        By these parameters: the numbers of seeds and of pairs; ``first_median`` and ``second_median``, or for correct
        outputs ``first_mean``, ``second_mean`` and their ``difference`` with its 95 % interval; ``first_better`` and
        ``second_better``, the shares of pairs in which each side is better; their difference ``advantage`` with its
        95 % interval, and its ``p_value``.

    Notes
    -----
    Lower values are better, or higher ones if cells are ranked from the highest. Diverged runs count: an infinite loss
    is worse than any other. All statistics use the same pairs. Intervals and tests of shares are those of
    :class:`~sweep.statistics.paired.Advantage`, intervals of means those of
    :class:`~sweep.statistics.estimates.DifferenceOfCorrect`, and where runs share replicates besides seeds, those of
    :mod:`~sweep.statistics.two_way`.
    """
    if first.replicates > 1:
        sides = zip(first.clusterings(), second.clusterings(), strict=True)
        return by_clusterings(
            lambda one, other, rows, of, tested: compare_pairs(
                one, other, rows, by, measure, correct, crossed=True, of_replicates=of, tested=tested
            ),
            [(one, other, len(one.values) // len(strata)) for one, other in sides],
            strata,
            {"advantage": 1.0, "difference": correct.most},
        )
    both = first.present & second.present
    paired = np.flatnonzero(both.any(axis=1))  # partial results have strata without pairs
    both = both[paired]
    groups = Groups(strata.iloc[paired], by)
    values = [each.values[paired] for each in (first, second)]
    n_pairs = groups.add(both)
    columns: dict[str, Array] = {"n_seeds": (n_pairs > 0).sum(axis=1), "n_pairs": n_pairs.sum(axis=1)}
    columns |= (
        _means(values, both, groups, correct, crossed) if MEASURES[measure].has_mean else _medians(values, both, groups)
    )
    one, other = values if MEASURES[measure].more_is_better else reversed(values)
    better, worse = groups.add((one > other) & both), groups.add((one < other) & both)
    advantage = Advantage(better - worse, n_pairs, of_replicates=of_replicates)
    if tested is not None:
        tested["p_value"].append(advantage)
    for side, each in zip(_SIDES, (better, worse), strict=True):
        columns[f"{side}_better"] = each.sum(axis=1) / columns["n_pairs"]
    columns |= interval_columns("advantage", advantage)
    return pd.concat([groups.values, pd.DataFrame(columns | {"p_value": advantage.p_values()})], axis=1)


def _medians(sides: Sequence[Array], both: Array, groups: Groups) -> dict[str, Array]:
    """Return the medians of both sides: values of run ceil(n / 2) in ascending order, as for cells."""
    found = {}
    for name, values in zip(_SIDES, sides, strict=True):
        of_groups = [values[strata][both[strata]] for strata in groups.strata]
        found[f"{name}_median"] = np.array([np.partition(v, (len(v) - 1) // 2)[(len(v) - 1) // 2] for v in of_groups])
    return found


def _means(sides: Sequence[Array], both: Array, groups: Groups, correct: Correct, crossed: bool) -> dict[str, Array]:
    """Return the means of both sides, and their difference with its interval."""
    n_pairs = groups.add(both)
    sums = [groups.add(np.where(both, values, 0.0)) for values in sides]
    columns = {f"{name}_mean": each.sum(axis=1) / n_pairs.sum(axis=1) for name, each in zip(_SIDES, sums, strict=True)}
    return columns | interval_columns("difference", DifferenceOfCorrect(sums, n_pairs, correct, are_crossed=crossed))
