"""Rank cells, and find those that may be the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sweep.statistics.clusters import Clusters
from sweep.statistics.compared import Difference, Ratio, p_value_above
from sweep.statistics.estimates import DifferenceOfCorrect, ExpectedSteps, MeanCorrect
from sweep.statistics.intervals import LEVEL, Array, HasInterval
from sweep.statistics.of_cells import every
from sweep.statistics.outcomes import Measured, clusterings
from sweep.statistics.paired import Advantage, PairedMean, holm, one_sided_sign_test
from sweep.statistics.runs import NOT_COUNTED, Correct, independent_runs
from sweep.statistics.statistic import Statistic
from sweep.statistics.two_way import TwoWay, combined_estimate

# By which kinds of statistics ties are broken, in this order.
_TIES = ("rate", "ratio", "median steps", "median", "mean", "resampled")


def ranked_by() -> dict[str, Statistic]:
    """Return the statistics by which cells are ranked, in the order in which they break ties."""
    found = {name: each for name, each in every().items() if each.compared}
    return dict(sorted(found.items(), key=lambda item: _TIES.index(str(item[1].compared))))


# Most runs compared at a time, which bounds memory.
_RUNS_AT_A_TIME = 2**20


def rank_cells(cells: pd.DataFrame, by: str = "convergence_rate") -> pd.DataFrame:
    """Return cells from the best to the worst. Ties are ordered by the other statistics, then by cell number.

    Cells with different numbers of runs, as in a partial result or with adaptive seeds, are ordered by the worse end of
    their intervals, so that a few lucky runs do not make the best cell. Cells without a value come last. ``by`` is a
    key of :func:`ranked_by`.
    """
    lower = {name: not each.more_is_better for name, each in ranked_by().items()}
    order = {by: lower[by]}
    if "n_runs" in cells and cells["n_runs"].nunique() > 1:
        order = {f"{by}_{'high' if lower[by] else 'low'}": lower[by], **order}
    order |= {name: each for name, each in lower.items() if name in cells and name not in order}
    return cells.sort_values(list(order), ascending=list(order.values()), na_position="last", kind="stable")


def why_no_best(cells: pd.DataFrame, by: str) -> str:
    """Return why no cell is better than another: all have the worst value; empty if one may be better."""
    found = ranked_by()[by]
    if found.needs_criterion:
        return "" if cells["n_converged"].any() else "no run converged"
    values = cells[by].to_numpy(np.float64, na_value=np.nan)
    values = values[~np.isnan(values)]
    if found.compared == "mean" and len(values) and not values.any():
        return f"the {found.label.removesuffix(', %')} is 0{' %' if found.percent else ''} in every cell"
    return "" if np.isfinite(values).any() else f"no cell has a finite {found.label}"


def best_cells(
    cells: pd.DataFrame, runs: Measured | None, by: str, most: Array | Correct = NOT_COUNTED
) -> pd.DataFrame:
    """Rank cells, and find those that may be the best: the set contains the best with 95 % confidence.

    Without ``runs``, the measure ``by`` which cells are ranked, p-values are missing. ``most`` are for expected steps
    the limits of all cells of the study, (n_cells,), for others how many outputs can be correct.

    Returns
    -------
    DataFrame
        From the best to the worst: ``rank`` from 1, the columns of ``cells``, ``p_value`` of the advantage of the first
        cell over the cell, ``p_value_holm`` adjusted for the number of other cells, ``may_be_best``, whether this is
        above 5 %, and ``equals_first``, whether the cell equals the first in every common run.

    Notes
    -----
    Multiple comparisons with the best: Hsu, Multiple Comparisons (1996), chapter 4. A cell is left out if the first
    cell is better at 5 % divided by the number of others (Holm: cells left out need no share of the level). Dividing
    also corrects for choosing the first cell by the same runs. So the set contains the best cell in 95 % of studies,
    even if cells are equal, and more seeds make it smaller.

    Each cell is compared with the first on common seeds (common random numbers), one-sided, by the statistic of the
    ranking. If fewer than half of the seeds of a cell are in common, as in partial results, runs are paired in
    order instead, as independent runs. Rates use McNemar's test (mid-p). Median steps use the same test twice, for
    the runs converged by the median of the first and before the median of the other, and take the larger p-value;
    medians of losses and errors likewise. Statistics of a function use resamples of the seeds, the same ones in all
    cells, and Student's test where they are too few. Expected steps (ERT) and means of correct outputs use the
    intervals of their ratios and differences (:mod:`~sweep.statistics.compared`), which allow for unseen failures.
    Means of shares use Student's test of paired differences: allowing for unseen failures, no ten seeds would separate
    accuracies of 70 and 90 %.
    """
    ranked = rank_cells(cells, by).reset_index(drop=True)
    ranked.insert(0, "rank", np.arange(1, len(ranked) + 1))
    if runs is None or ranked.empty:
        missing = pd.array([pd.NA] * len(ranked), "boolean")
        return ranked.assign(p_value=np.nan, p_value_holm=np.nan, may_be_best=missing, equals_first=missing)
    p_values = _compare_with_first(runs, ranked, by, most)
    adjusted = holm(p_values)
    may_be_best = pd.array(~(adjusted <= LEVEL), "boolean")
    equals_first = pd.array(_equal_first(runs, ranked["cell"].to_numpy()), "boolean")
    return ranked.assign(p_value=p_values, p_value_holm=adjusted, may_be_best=may_be_best, equals_first=equals_first)


def _equal_first(runs: Measured, order: Array) -> Array:
    """Return which cells equal the first in every run of their common seeds, the first itself not counted."""
    found = np.zeros(len(order), np.bool_)
    at_a_time = max(1, _RUNS_AT_A_TIME // runs.values.shape[1])
    for k in range(0, len(order), at_a_time):
        own = slice(k, k + at_a_time)
        first, others = runs.at(order[:1]), runs.at(order[own])
        both = first.present & others.present
        equal = first.values == others.values
        if runs.ends is not None:
            equal &= first.steps == others.steps
        found[own] = both.any(axis=1) & (equal | ~both).all(axis=1)
    found[0] = False
    return found


def _compare_with_first(runs: Measured, ranked: pd.DataFrame, by: str, most: Array | Correct) -> Array:
    """Return the p-value of each cell compared with the first; missing for the first itself."""
    statistic = ranked_by()[by]
    order = ranked["cell"].to_numpy()
    medians = ranked[by].to_numpy(np.float64, na_value=np.inf)
    at_a_time = max(1, _RUNS_AT_A_TIME // runs.values.shape[1])
    p_values = []
    for k in range(0, len(order), at_a_time):
        own = slice(k, k + at_a_time)
        first, others = runs.at(order[:1]), runs.at(order[own])
        if runs.replicates == 1:
            first, others = paired_runs(first, others)
        match statistic.compared:
            case "rate":
                both = first.present & others.present
                p_values.append(_fewer(first.converged, others.converged, both, others.replicates))
            case "ratio":
                limits = np.asarray(most)[order]
                p_values.append(_higher_costs(first, others, limits[:1], limits[own]))
            case "mean":
                assert isinstance(most, Correct)
                p_values.append(p_value_above(difference_of_means(first, others, most), 0.0))
            case "resampled":
                sign = -1 if statistic.more_is_better else 1
                gaps = sign * (medians[own] - medians[0])
                n_seeds = np.minimum(ranked["n_runs"].to_numpy()[own], ranked["n_runs"].iloc[0])
                if runs.replicates > 1:
                    n_seeds = np.minimum(n_seeds // runs.replicates, runs.replicates)
                p_values.append(_worse_resamples(sign * first.values, sign * others.values, gaps, n_seeds))
            case _:
                lower = not statistic.more_is_better
                p_values.append(_worse_medians(first, others, medians[0], medians[own], lower_is_better=lower))
    found = np.concatenate(p_values)
    found[0] = np.nan
    return found


def paired_runs(first: Measured, others: Measured) -> tuple[Measured, Measured]:
    """Return the runs of the first cell and of others, in an order of seeds that pairs them."""
    here, there = first.present, others.present
    common = (here & there).sum(axis=1)
    fewer = np.minimum(here.sum(axis=1), there.sum(axis=1))
    apart = 2 * common < fewer
    if not apart.any():
        return first, others
    firsts = first.at(np.zeros(len(there), np.int64))
    seeds = np.arange(there.shape[1])
    in_order = (np.argsort(~each.present, axis=1, kind="stable") for each in (firsts, others))
    one, other = (np.where(apart[:, None], places, seeds) for places in in_order)
    return firsts.in_order(one), others.in_order(other)


def _fewer(first: Array, others: Array, both: Array, replicates: int) -> Array:
    """Test whether fewer runs are marked in other cells than in the first."""
    if replicates > 1:
        balance = _by_clusters((first & ~others & both).astype(np.int64) - (~first & others & both), replicates)
        n_pairs = _by_clusters(both.astype(np.int64), replicates)
        advantages = [
            Advantage(each, n, of_replicates=k == 1) for k, (each, n) in enumerate(zip(balance, n_pairs, strict=True))
        ]
        return p_value_above(TwoWay(advantages), 0.0)
    return one_sided_sign_test((first & ~others & both).sum(axis=1), (~first & others & both).sum(axis=1))


def _by_clusters(values: Array, replicates: int) -> list[Array]:
    """Return sums of values of runs, (n, replicates * seeds), by seed, by replicate and by run.

    Without replicates runs are seeds, and only these are returned.
    """
    if replicates == 1:
        return [values]
    n = len(values)
    return [each.reshape(n, -1, each.shape[1]).sum(axis=1) for each in clusterings(values, replicates)]


def _worse_medians(first: Measured, others: Measured, median: float, medians: Array, *, lower_is_better: bool) -> Array:
    """Test whether medians are worse: fewer values up to the median of the first, and fewer below that of the cell.

    Each test alone ignores that a median is itself estimated, which matters if the values of one cell vary more.
    """
    both = first.present & others.present
    sign = 1 if lower_is_better else -1
    of_first = sign * first.values
    of_others = sign * others.values
    medians = sign * medians[:, None]
    at = min(sign * median, np.finfo(np.float64).max)  # only finite values count, even if most are not finite
    up_to = _fewer(of_first <= at, of_others <= at, both, others.replicates)
    return np.maximum(up_to, _fewer(of_first < medians, of_others < medians, both, others.replicates))


def _worse_resamples(first: Array, others: Array, gaps: Array, n_seeds: Array) -> Array:
    """Test statistics, of which low values are good, by their values for resamples of the seeds.

    The p-value is the share of resamples in which the other cell is at least as good as the first, or that of
    Student's test by the standard error of the resamples, whichever is larger. Resamples cannot count small shares, and
    with few seeds they vary too little. No p-value is below that of a sign test in which all seeds favor the first.
    """
    from scipy.special import stdtr

    n_resamples = first.shape[1]
    at_least_as_good = (others <= first).sum(axis=1)
    shares = np.where(at_least_as_good > 0, (1 + at_least_as_good) / (1 + n_resamples), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        advantages = others - first
        # infinite values, as of steps to a goal that no run reached, count as the largest finite ones
        most = np.where(np.isfinite(advantages), np.abs(advantages), 0.0).max(axis=1)
        most = np.where(most > 0, most, 1.0)
        errors = np.clip(advantages, -most[:, None], most[:, None]).std(axis=1) * np.sqrt(n_seeds / (n_seeds - 1))
        by_student = stdtr(n_seeds - 1, -np.clip(gaps, -most, most) / errors)
    known = ~(np.isnan(first) | np.isnan(others)).any(axis=1)
    return np.where(known, np.fmax(np.fmax(shares, by_student), 0.5**n_seeds), np.nan)


def difference_of_means(first: Measured, others: Measured, correct: Correct) -> HasInterval:
    """Return how far the mean of correct outputs, or of shares (at most 1), of the first cell is above others'."""
    both = first.present & others.present
    n_pairs = _by_clusters(both.astype(np.int64), others.replicates)
    if correct.most == 1:
        differences = _by_clusters(np.where(both, first.values - others.values, 0.0), others.replicates)
        return combined_estimate([PairedMean(each, n) for each, n in zip(differences, n_pairs, strict=True)])
    sides = [np.where(both, each.values, 0.0) for each in (first, others)]
    if others.replicates == 1:
        return Difference(*(MeanCorrect(Clusters.of_seeds(both, both, each), correct.most, 0.0) for each in sides))
    of_clusters = zip(*(_by_clusters(each, others.replicates) for each in sides), n_pairs, strict=True)
    return TwoWay([DifferenceOfCorrect(each, n, correct, are_crossed=True) for *each, n in of_clusters])


def _higher_costs(first: Measured, others: Measured, *most: Array) -> Array:
    """Test expected steps by the interval of their ratio."""
    both = first.present & others.present
    costs = []
    for each, limits in zip((first, others), most, strict=True):
        converged = each.converged & both
        steps = np.where(both, each.steps, 0).astype(np.int64)
        counted = both.astype(np.int64), converged.astype(np.int64), steps * converged, steps * ~converged
        of_clusters = zip(*(_by_clusters(values, others.replicates) for values in counted), strict=True)
        costs.append([_expected_steps(each, limits) for each in of_clusters])
    return p_value_above(combined_estimate([Ratio(other, one) for one, other in zip(*costs, strict=True)]), 1.0)


def _expected_steps(counted: Sequence[Array], limits: Array) -> ExpectedSteps:
    """Return expected steps from numbers of runs and sums of their steps, each (n, clusters)."""
    n, n_converged, of_converged, of_others = counted
    alike = (n_converged.sum(axis=1) == 0) | (n_converged == n).all(axis=1)
    independent = independent_runs(n_converged, n, alike)
    return ExpectedSteps(Clusters.of_seeds(n, n_converged, of_converged, of_others, limits, independent))
