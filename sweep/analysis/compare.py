"""Pairwise comparisons of the values of a parameter on common seeds (common random numbers)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from math import prod
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from sweep.analysis.cells import cells_of
from sweep.errors import SweepError, shown
from sweep.statistics.compared import Difference, Ratio
from sweep.statistics.intervals import LEVEL, Array, HasInterval
from sweep.statistics.outcomes import Outcomes
from sweep.statistics.paired import Advantage, holm, p_value_within
from sweep.statistics.sides import Groups, Pairs, Side
from sweep.statistics.two_way import combined_tables
from sweep.study.axes.grid import Grid, indices_of

T = TypeVar("T")

# Advantages that are tested, by the column of their p-values: one for each kind of clusters
Tested = defaultdict[str, list[Advantage]]

# Most values of a parameter to compare.
MOST_COMPARED = 20


def check_margin(margin: Any, measure: str | None = None) -> None:
    """Raise a SweepError if a margin of equivalence is not between 0 and 1, or the comparison is one of a measure."""
    if margin is not None and measure:
        raise SweepError(f"margin: applies to rates only, got {shown(margin)} with {measure}; leave one out")
    if margin is not None and not (isinstance(margin, int | float) and 0 < margin < 1):
        raise SweepError(
            f"margin: must be a difference of rates above 0 and below 1, got {shown(margin)}; 0.05 means 5 points"
        )


def compare_values(
    outcomes: Outcomes, grid: Grid, vary: str, by: Sequence[str], margin: float | None = None
) -> pd.DataFrame:
    """Compare the values of the parameter ``vary`` pairwise by the outcomes of all cells.

    Returns
    -------
    DataFrame
        For each pair of values, ``first`` and ``second``, and each combination of values of ``by``: the columns of
        :func:`compare_sides` and :func:`with_holm`. Pairs of runs are pooled over the remaining parameters.
    """
    return with_holm(
        compare_each_two(
            grid,
            vary,
            lambda cells: Side(outcomes.at(cells), grid.most_steps(cells)),
            lambda first, second, strata: compare_sides(first, second, strata, by, margin),
        )
    )


def compare_each_two(
    grid: Grid,
    vary: str,
    side_of: Callable[[Array], T],
    compare: Callable[[T, T, pd.DataFrame], pd.DataFrame],
) -> pd.DataFrame:
    """Return the comparisons of all pairs of values of the parameter ``vary``, with ``first`` and ``second``.

    Pairs of values without cells that differ in it alone are left out. ``side_of`` returns the runs of cells, of which
    -1 are missing. ``compare`` compares the runs of two sides, given the parameters of their strata.
    """
    cells = cells_by_value(grid, vary)
    strata = cells_of(grid, cells.max(axis=0))
    sides = [side_of(own) for own in cells]
    pairs = [pair for pair in combinations(range(len(cells)), 2) if (cells[list(pair)] >= 0).all(axis=0).any()]
    return table_of_pairs(
        grid.parameters[vary], pairs, lambda first, second: compare(sides[first], sides[second], strata)
    )


def table_of_pairs(
    values: Sequence[Any], pairs: Iterable[tuple[int, int]], compare: Callable[[int, int], pd.DataFrame]
) -> pd.DataFrame:
    """Return the comparisons of pairs of values, given by their numbers, with columns ``first`` and ``second``."""
    compared = []
    for first, second in pairs:
        rows = compare(first, second)
        rows.insert(0, "first", values[first])
        rows.insert(1, "second", values[second])
        compared.append(rows)
    return pd.concat(compared, ignore_index=True)


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


def interval_columns(name: str, estimate: HasInterval) -> dict[str, Array]:
    """Return an estimate and the ends of its interval as columns."""
    low, high = estimate.ends()
    return {name: estimate.value, f"{name}_low": low, f"{name}_high": high}


def by_clusterings(
    compare: Callable[[T, T, pd.DataFrame, bool, Tested], pd.DataFrame],
    clusterings: Sequence[tuple[T, T, int]],
    strata: pd.DataFrame,
    most: Mapping[str, float],
    margin: float | None = None,
) -> pd.DataFrame:
    """Return the comparison of runs that share seeds and replicates, from one for each kind of clusters.

    ``compare`` gets two sides, the parameters of their strata, whether the clusters are replicates, and a list for each
    column of p-values, to which it appends what is tested. ``clusterings`` are both sides clustered by seed, by
    replicate and as single runs, and how many rows each stratum has there. ``most`` is the largest size of bounded
    differences, by column, and ``margin`` the largest negligible difference, if equivalence is tested.
    """
    tested: Tested = defaultdict(list)
    found = [
        compare(first, second, strata.iloc[np.repeat(np.arange(len(strata)), n)], k == 1, tested)
        for k, (first, second, n) in enumerate(clusterings)
    ]
    return combined_tables(found, most, tested, margin)


def compare_sides(
    first: Side,
    second: Side,
    strata: pd.DataFrame,
    by: Sequence[str],
    margin: float | None = None,
    *,
    of_replicates: bool = False,
    tested: Tested | None = None,
) -> pd.DataFrame:
    """Compare runs pairwise on common seeds.

    Pairs and other arguments are those of :func:`sweep.analysis.compare_measures.compare_pairs`; ``margin`` is the
    largest negligible difference of rates.

    Returns
    -------
    DataFrame
        By these parameters: numbers of seeds and of pairs; convergence rates ``first_rate`` and ``second_rate``, their
        ``difference`` with its 95 % interval and ``p_value``; with a margin ``p_equivalent``, the p-value of a
        difference of the margin or more; the shares of pairs in which the first or the second run converged in fewer
        steps, with ``p_steps``; ``expected_steps_ratio``, the ERT of the first side divided by that of the second;
        ``steps_limit``, the smaller step limit of both sides (missing if pairs have several);
        ``restricted_mean_difference``, the RMST of the first side up to this limit minus that of the second, in steps.
        The ratio and this difference have 95 % intervals.

    Notes
    -----
    A run that converges is faster than one that does not. If neither converges, neither is faster. Tests and intervals
    of rates, and tests of shares of faster runs, are those of :class:`~sweep.statistics.paired.Advantage`. Intervals of
    steps are those of :mod:`~sweep.statistics.estimates`, and where runs share replicates besides seeds, those of
    :mod:`~sweep.statistics.two_way`.
    """
    if first.outcomes.replicates > 1:
        return by_clusterings(
            lambda one, other, rows, of, tested: compare_sides(
                one, other, rows, by, margin, of_replicates=of, tested=tested
            ),
            [
                (*sides, len(sides[0].most_steps) // len(strata))
                for sides in zip(*map(_clustered, (first, second)), strict=True)
            ],
            strata,
            {"difference": 1.0},
            margin,
        )
    tested = defaultdict(list) if tested is None else tested
    both = first.outcomes.present & second.outcomes.present
    paired = np.flatnonzero(both.any(axis=1))  # partial results have strata without pairs
    pairs = Pairs(paired, both[paired], Groups(strata.iloc[paired], by))
    rates = _rates(first, second, pairs, margin, of_replicates, tested)
    return pd.concat([pairs.groups.values, rates, _steps(first, second, pairs, of_replicates, tested)], axis=1)


def _clustered(side: Side) -> list[Side]:
    """Return the runs of a side with each kind of clusters."""
    found = side.outcomes.clusterings()
    return [Side(each, np.repeat(side.most_steps, len(each.steps) // len(side.most_steps))) for each in found]


def _rates(
    first: Side, second: Side, pairs: Pairs, margin: float | None, of_replicates: bool, tested: Tested
) -> pd.DataFrame:
    """Compare the numbers of runs that converge."""
    of_pairs = pairs.groups.add(pairs.both)
    n_pairs = of_pairs.sum(axis=1)
    one, other = (pairs.groups.add(side.outcomes.converged[pairs.strata] & pairs.both) for side in (first, second))
    advantage = Advantage(one - other, of_pairs, of_replicates=of_replicates)
    tested["p_value"].append(advantage)
    table = pd.DataFrame(
        {
            "n_seeds": (of_pairs > 0).sum(axis=1),
            "n_pairs": n_pairs,
            "first_rate": one.sum(axis=1) / n_pairs,
            "second_rate": other.sum(axis=1) / n_pairs,
            **interval_columns("difference", advantage),
            "p_value": advantage.p_values(),
        }
    )
    return table if margin is None else table.assign(p_equivalent=p_value_within(advantage, margin))


def _steps(first: Side, second: Side, pairs: Pairs, of_replicates: bool, tested: Tested) -> pd.DataFrame:
    """Compare the steps of runs."""
    add = pairs.groups.add
    of_pairs = add(pairs.both)
    n_pairs = of_pairs.sum(axis=1)
    steps, other = (side.steps_to_converge(pairs) for side in (first, second))
    faster, slower = add((steps < other) & pairs.both), add((steps > other) & pairs.both)
    del steps, other
    tested["p_steps"].append(Advantage(faster - slower, of_pairs, of_replicates=of_replicates))
    table = pd.DataFrame(
        {
            "first_faster": faster.sum(axis=1) / n_pairs,
            "second_faster": slower.sum(axis=1) / n_pairs,
            "p_steps": tested["p_steps"][-1].p_values(),
        }
    )
    del faster, slower
    limits = np.minimum(first.most_steps, second.most_steps)[pairs.strata]
    limit = pd.Series(pairs.groups.largest(limits), dtype="Int64")
    ratio = Ratio(first.expected_steps(pairs), second.expected_steps(pairs))
    difference = Difference(first.restricted_mean(pairs, limits), second.restricted_mean(pairs, limits))
    return table.assign(
        **interval_columns("expected_steps_ratio", ratio),
        steps_limit=limit.where(pairs.groups.smallest(limits) == limit),
        **interval_columns("restricted_mean_difference", difference),
    )


def with_holm(table: pd.DataFrame) -> pd.DataFrame:
    """Insert columns of p-values adjusted by Holm's method, each after the unadjusted ones.

    Those of rates and steps are one family. Those of equivalence are another, replaced by a column ``equivalent``:
    whether the adjusted p-value is at most 5 %, missing if the difference has no interval.
    """
    names = ("p_value", "p_steps")
    adjusted: Array = holm(table[list(names)].to_numpy().ravel()).reshape(-1, 2)
    for name, column in zip(names, adjusted.T, strict=True):
        table.insert(list(table).index(name) + 1, f"{name}_holm", column)
    if "p_equivalent" in table:
        p_values = holm(table["p_equivalent"].to_numpy())
        equivalent = pd.array(p_values <= LEVEL, dtype="boolean")
        equivalent[np.isnan(p_values)] = pd.NA
        table = table.rename(columns={"p_equivalent": "equivalent"}).assign(equivalent=equivalent)
    return table
