"""Pairwise comparisons of runs on common seeds (common random numbers)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from math import prod
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sweep.analysis.cells import cells_of
from sweep.analysis.study_measures import most_correct
from sweep.errors import SweepError, shown
from sweep.measures import MEASURES
from sweep.statistics.compared import Difference, Ratio
from sweep.statistics.estimates import DifferenceOfCorrect
from sweep.statistics.intervals import LEVEL, Array
from sweep.statistics.outcomes import Measured
from sweep.statistics.paired import Advantage, holm
from sweep.statistics.runs import NOT_COUNTED, Correct
from sweep.statistics.sides import Groups, Pairs, Side, on_shared_seeds
from sweep.statistics.two_way import PValue, combined_estimate, p_values_of
from sweep.study.axes.grid import Grid, indices_of
from sweep.study.model import Study

_SIDES = ("first", "second")

# Most values of a parameter to compare.
MOST_COMPARED = 20


class ComparedBy(NamedTuple):
    """What runs are compared by."""

    measure: str | None = None  # None for convergence: rates and steps
    correct: Correct = NOT_COUNTED
    margin: float | None = None  # the largest negligible difference of rates, if equivalence is tested
    # Whether pairs that are pooled are those of the seeds that all of their cells have, so that cells weigh alike
    on_shared_seeds: bool = False

    @classmethod
    def of_study(
        cls, study: Study, measure: str | None, margin: float | None = None, *, on_shared_seeds: bool = False
    ) -> ComparedBy:
        """Return how to compare runs of a study."""
        return cls(measure, most_correct(study, measure) if measure else NOT_COUNTED, margin, on_shared_seeds)


CONVERGENCE = ComparedBy()


def check_margin(margin: Any, measure: str | None = None) -> None:
    """Raise a SweepError if a margin of equivalence is not between 0 and 1, or the comparison is one of a measure."""
    if margin is not None and measure:
        raise SweepError(f"margin: applies to rates only, got {shown(margin)} with {measure}; leave one out")
    if margin is not None and not (isinstance(margin, int | float) and 0 < margin < 1):
        raise SweepError(
            f"margin: must be a difference of rates above 0 and below 1, got {shown(margin)}; 0.05 means 5 percentage "
            "points"
        )


def compare_values(runs: Measured, grid: Grid, vary: str, by: Sequence[str], compared: ComparedBy) -> pd.DataFrame:
    """Compare the values of the parameter ``vary`` pairwise by a measure of the runs of all cells.

    Pairs of values without cells that differ in it alone are left out.

    Returns
    -------
    DataFrame
        For each pair of values, ``first`` and ``second``, and each combination of values of ``by``: the columns of
        :func:`compare_sides` and :func:`with_holm`. Pairs of runs are pooled over the remaining parameters.
    """
    cells = cells_by_value(grid, vary)
    strata = cells_of(grid, cells.max(axis=0))
    sides = [Side(runs.at(own), grid.most_steps(own)) for own in cells]
    pairs = [pair for pair in combinations(range(len(cells)), 2) if (cells[list(pair)] >= 0).all(axis=0).any()]
    return table_of_pairs(
        grid.parameters[vary], pairs, lambda one, other: compare_sides(sides[one], sides[other], strata, by, compared)
    )


def table_of_pairs(
    values: Sequence[Any], pairs: Iterable[tuple[int, int]], compare: Callable[[int, int], pd.DataFrame]
) -> pd.DataFrame:
    """Return the comparisons of pairs of values, given by their numbers, with columns ``first`` and ``second``.

    P-values are adjusted for all rows (:func:`with_holm`).
    """
    compared = []
    for first, second in pairs:
        rows = compare(first, second)
        rows.insert(0, "first", values[first])
        rows.insert(1, "second", values[second])
        compared.append(rows)
    return with_holm(pd.concat(compared, ignore_index=True))


def differs_alone(grid: Grid, vary: str) -> bool:
    """Return whether some cells differ in a parameter alone; they may not if it varies together with others."""
    axis = next(axis for axis in grid.axes if vary in axis)
    others = indices_of(axis, [name for name in axis if name != vary]) if len(axis) > 1 else [0] * len(axis[vary])
    return len(set(others)) < len(others)


def cells_by_value(grid: Grid, vary: str) -> Array:
    """Return the cells of each value of a parameter, (n_values, n_strata). Cells of one column differ in it alone.

    Missing cells, as in axes of several options, are -1. Each column has at least two cells.
    """
    k = next(k for k, axis in enumerate(grid.axes) if vary in axis)
    axis = grid.axes[k]
    size = grid.sizes[k]
    at_values = np.arange(size)[:, None]
    if len(axis) > 1:
        others = np.array(indices_of(axis, [name for name in axis if name != vary]))
        numbers, column, counts = np.unique(others, return_inverse=True, return_counts=True)
        at_values = np.full((len(grid.parameters[vary]), len(numbers)), -1)
        at_values[indices_of(axis, [vary]), column] = np.arange(size)
        at_values = at_values[:, counts > 1]
    before, after = prod(grid.sizes[:k]), prod(grid.sizes[k + 1 :])
    point = at_values[:, None, :, None]
    cells = (np.arange(before)[:, None, None] * size + point) * after + np.arange(after)
    return np.where(point < 0, -1, cells).reshape(len(at_values), -1)


def beside_test(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return comparisons whose 95 % interval of a column contains 0 unless the p-value is at most 5 %.

    So both are one test: of 0 that of the p-value, of other values that of the interval. Intervals only grow, so they
    cover at least as often. That of :class:`~sweep.statistics.paired.Advantage` excludes 0 wherever its p-value is at
    most 5 %.
    """
    contains = table["p_value"] > LEVEL
    low, high = (table[f"{name}_{end}"] for end in ("low", "high"))
    return table.assign(
        **{f"{name}_low": low.mask(contains & (low > 0), 0.0), f"{name}_high": high.mask(contains & (high < 0), 0.0)}
    )


def compare_sides(
    first: Side, second: Side, strata: pd.DataFrame, by: Sequence[str], compared: ComparedBy = CONVERGENCE
) -> pd.DataFrame:
    """Compare runs pairwise on common seeds.

    Runs of the same stratum and seed are paired, and pooled over parameters of strata that ``by`` lacks.

    Returns
    -------
    DataFrame
        By these parameters: numbers of seeds and of pairs; for convergence the rates ``first_rate`` and
        ``second_rate``, their ``difference`` with its 95 % interval and ``p_value``; with a margin ``p_equivalent``,
        the p-value of a difference of the margin or more; the shares of pairs in which the first or the second run
        converged in fewer steps, with ``p_steps``; ``expected_steps_ratio``, the ERT of the first side divided by that
        of the second; ``steps_limit``, the smaller step limit of both sides (missing if pairs have several);
        ``restricted_mean_difference``, the RMST of the first side up to this limit minus that of the second, in steps.
        The ratio and this difference have 95 % intervals.

        For a measure ``first_median`` and ``second_median``, or for correct outputs ``first_mean``, ``second_mean`` and
        their ``difference`` with its 95 % interval; ``first_better`` and ``second_better``, the shares of pairs in
        which each side is better; their difference ``advantage`` with its 95 % interval, and its ``p_value``.

    Notes
    -----
    A run that converges is faster than one that does not. If neither converges, neither is faster. Lower values of a
    measure are better, or higher ones if cells are ranked from the highest. Diverged runs count: an infinite loss is
    worse than any other. All statistics use the same pairs. Tests and intervals of rates, and of shares of faster or
    better runs, are those of :class:`~sweep.statistics.paired.Advantage`. Intervals of steps are those of
    :mod:`~sweep.statistics.estimates`, those of means those of
    :class:`~sweep.statistics.estimates.DifferenceOfCorrect`, and where runs share replicates besides seeds, those of
    :mod:`~sweep.statistics.two_way`.
    """
    if compared.on_shared_seeds:
        first, second = on_shared_seeds(first, second, strata, by)
    if first.runs.replicates == 1:
        values, columns = _compare(first, second, strata, by, compared)
        return _table(values, [columns], compared)
    found = []
    for k, (one, other) in enumerate(zip(first.clusterings(), second.clusterings(), strict=True)):
        rows = strata.iloc[np.repeat(np.arange(len(strata)), len(one.runs.values) // len(strata))]
        values, columns = _compare(one, other, rows, by, compared, are_crossed=True, of_replicates=k == 1)
        found.append(columns)
    return _table(values, found, compared)


def _table(values: pd.DataFrame, found: Sequence[Mapping[str, Any]], compared: ComparedBy) -> pd.DataFrame:
    """Return the table of a comparison, or of those with seeds, with replicates and with single runs as clusters.

    Intervals of these are combined, and p-values are the levels at which combined intervals end at 0, but at least
    those of seeds, whose test is exact. All else is that of seeds.
    """
    most = {"advantage": 1.0, "difference": compared.correct.most if compared.measure else 1.0}  # of their size
    columns: dict[str, Any] = {}
    for name, first in found[0].items():
        each = [one[name] for one in found]
        if isinstance(first, PValue):
            columns[name] = p_values_of(each)
        elif isinstance(first, np.ndarray | pd.Series):
            columns[name] = first
        else:
            bound = most.get(name, np.inf)
            low, high = np.clip(combined_estimate(each).ends(), 0.0 if isinstance(first, Ratio) else -bound, bound)
            columns |= {name: first.value, f"{name}_low": low, f"{name}_high": high}
    table = pd.concat([values, pd.DataFrame(columns)], axis=1)
    return beside_test(table, "advantage" if compared.measure else "difference")


def _compare(
    first: Side,
    second: Side,
    strata: pd.DataFrame,
    by: Sequence[str],
    compared: ComparedBy,
    *,
    are_crossed: bool = False,
    of_replicates: bool = False,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Compare runs of one kind of clusters: return the parameters, and by column numbers, estimates and p-values."""
    both = first.runs.present & second.runs.present
    paired = np.flatnonzero(both.any(axis=1))  # partial results have strata without pairs
    groups = Groups(strata.iloc[paired], by)
    pairs = Pairs(paired, both[paired], groups, groups.add(both[paired]), are_crossed, of_replicates)
    columns: dict[str, Any] = {"n_seeds": (pairs.n > 0).sum(axis=1), "n_pairs": pairs.n.sum(axis=1)}
    if compared.measure:
        return groups.values, columns | _measured(first, second, pairs, compared.measure, compared.correct)
    return groups.values, columns | _rates(first, second, pairs, compared.margin) | _steps(first, second, pairs)


def _measured(first: Side, second: Side, pairs: Pairs, measure: str, correct: Correct) -> dict[str, Any]:
    """Compare the values of a measure."""
    sides = [first.values(pairs), second.values(pairs)]
    columns = _means(sides, pairs, correct) if MEASURES[measure].has_mean else _medians(sides, pairs)
    one, other = sides if MEASURES[measure].more_is_better else reversed(sides)
    shares, advantage = _shares(pairs, "better", one > other, one < other)
    return {**columns, **shares, "advantage": advantage, "p_value": PValue(advantage)}


def _medians(sides: Sequence[Array], pairs: Pairs) -> dict[str, Any]:
    """Return the medians of both sides: values of run ceil(n / 2) in ascending order, as for cells."""
    found = {}
    for name, values in zip(_SIDES, sides, strict=True):
        of_groups = [values[strata][pairs.both[strata]] for strata in pairs.groups.strata]
        found[f"{name}_median"] = np.array([np.partition(v, (len(v) - 1) // 2)[(len(v) - 1) // 2] for v in of_groups])
    return found


def _means(sides: Sequence[Array], pairs: Pairs, correct: Correct) -> dict[str, Any]:
    """Return the means of both sides, and their difference."""
    sums = [pairs.groups.add(np.where(pairs.both, values, 0.0)) for values in sides]
    means = {f"{name}_mean": each.sum(axis=1) / pairs.n.sum(axis=1) for name, each in zip(_SIDES, sums, strict=True)}
    return means | {"difference": DifferenceOfCorrect(sums, pairs.n, correct, are_crossed=pairs.are_crossed)}


def _shares(pairs: Pairs, name: str, first: Array, second: Array) -> tuple[dict[str, Any], Advantage]:
    """Return the shares of pairs that are marked for each side, and their difference."""
    one, other = pairs.marked(first), pairs.marked(second)
    n_pairs = pairs.n.sum(axis=1)
    shares = {f"{side}_{name}": each.sum(axis=1) / n_pairs for side, each in zip(_SIDES, (one, other), strict=True)}
    return shares, Advantage(one - other, pairs.n, of_replicates=pairs.of_replicates)


def _rates(first: Side, second: Side, pairs: Pairs, margin: float | None) -> dict[str, Any]:
    """Compare the numbers of runs that converge."""
    rates, advantage = _shares(pairs, "rate", *(side.runs.converged[pairs.strata] for side in (first, second)))
    columns = {**rates, "difference": advantage, "p_value": PValue(advantage)}
    return columns if margin is None else columns | {"p_equivalent": PValue(advantage, margin)}


def _steps(first: Side, second: Side, pairs: Pairs) -> dict[str, Any]:
    """Compare the steps of runs."""
    steps, other = first.values(pairs), second.values(pairs)
    shares, advantage = _shares(pairs, "faster", steps < other, steps > other)
    limits = np.minimum(first.most_steps, second.most_steps)[pairs.strata]
    limit = pd.Series(pairs.groups.largest(limits), dtype="Int64")
    return {
        **shares,
        "p_steps": PValue(advantage),
        "expected_steps_ratio": Ratio(first.expected_steps(pairs), second.expected_steps(pairs)),
        "steps_limit": limit.where(pairs.groups.smallest(limits) == limit),
        "restricted_mean_difference": Difference(
            first.restricted_mean(pairs, limits), second.restricted_mean(pairs, limits)
        ),
    }


def with_holm(table: pd.DataFrame) -> pd.DataFrame:
    """Insert columns of p-values adjusted by Holm's method, each after the unadjusted ones.

    Those of rates and steps are one family. Those of equivalence are another, replaced by a column ``equivalent``:
    whether the adjusted p-value is at most 5 %, missing if the difference has no interval.
    """
    names = [name for name in ("p_value", "p_steps") if name in table]
    adjusted: Array = holm(table[names].to_numpy().ravel()).reshape(-1, len(names))
    for name, column in zip(names, adjusted.T, strict=True):
        table.insert(list(table).index(name) + 1, f"{name}_holm", column)
    if "p_equivalent" in table:
        p_values = holm(table["p_equivalent"].to_numpy())
        equivalent = pd.array(p_values <= LEVEL, dtype="boolean")
        equivalent[np.isnan(p_values)] = pd.NA
        table = table.rename(columns={"p_equivalent": "equivalent"}).assign(equivalent=equivalent)
    return table
