"""Rank cells, and find those that may be the best."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweep.statistics.intervals import Array
from sweep.statistics.measures import STATISTIC_OF, more_is_better
from sweep.statistics.outcomes import Measured, Outcomes
from sweep.statistics.paired import holm, one_sided_sign_test
from sweep.study.model import Study

# Statistics by which cells are ranked, and whether more is worse.
RANKED_BY = {
    "convergence_rate": False,
    "expected_steps": True,
    "steps_q50": True,
    **{statistic: not more_is_better(measure) for measure, statistic in STATISTIC_OF.items()},
}

# Largest share of studies in which the best cell is left out of those that may be the best.
LEVEL = 0.05

# Most runs compared at a time, which bounds memory.
_RUNS_AT_A_TIME = 2**22


def has_all_runs(cells: pd.DataFrame, study: Study, group: Array | None = None) -> pd.Series[bool]:
    """Return which cells have all of their runs.

    Parameters
    ----------
    cells
        Statistics of cells.
    study
        The study of the result.
    group : (cells,) or None
        Groups of cells that are compared with each other; by default all.

    Returns
    -------
    Series of bool
        Whether a cell has as many runs as any other of its group. With adaptive seeds, also whether its interval is as
        narrow as the study requires.
    """
    most = cells["n_runs"].max() if group is None else cells.groupby(group)["n_runs"].transform("max")
    whole: pd.Series[bool] = cells["n_runs"] == most
    if study.seeds.until:
        whole |= cells["convergence_rate_high"] - cells["convergence_rate_low"] < study.seeds.until.width
    return whole


def rank_cells(cells: pd.DataFrame, study: Study, by: str = "convergence_rate") -> pd.DataFrame:
    """Order cells from the best to the worst; ties are ordered by the other statistics, then by cell number.

    Parameters
    ----------
    cells
        Statistics of cells. In a partial result, cells that lack runs come after those that have all.
    study
        The study of the result.
    by
        A key of :data:`RANKED_BY`. Cells without a value come last.

    Returns
    -------
    DataFrame
        The rows of ``cells`` in this order.
    """
    order = [by, *(name for name in RANKED_BY if name != by and name in cells)]
    ranked = cells.sort_values(order, ascending=[RANKED_BY[name] for name in order], na_position="last", kind="stable")
    if "n_runs" not in cells:
        return ranked
    whole = has_all_runs(ranked, study)
    return ranked if whole.all() else pd.concat([ranked[whole], ranked[~whole]])


def best_cells(cells: pd.DataFrame, study: Study, runs: Outcomes | Measured | None, by: str) -> pd.DataFrame:
    """Rank cells, and find those that may be the best: with 95 % confidence the best is among them.

    Parameters
    ----------
    cells
        Statistics of cells.
    study
        The study of the result.
    runs
        Outcomes of all runs, or their measure if cells are ranked by one. None where only counts are kept; p-values are
        then missing.
    by
        A key of :data:`RANKED_BY`.

    Returns
    -------
    DataFrame
        From the best to the worst: ``rank`` from 1, the columns of ``cells``, ``p_value`` of the first cell's apparent
        advantage over the cell, ``p_value_holm`` adjusted for the number of cells beside the first, and
        ``may_be_best``, whether that is above 5 %. All are missing for cells that lack runs.

    Notes
    -----
    Multiple comparisons with the best: Hsu, Multiple Comparisons (1996), chapter 4. A cell is left out if the first is
    better at 5 % over the number of others (Holm: cells left out need no share of the level). That number corrects for
    the first cell being chosen by the same runs. So the set contains the best cell in 95 % of studies, also if cells
    are equal, and it is smaller the more seeds there are.

    Each cell is compared with the first on common seeds (common random numbers), one-sided, by the statistic of the
    ranking. Rates use McNemar's test (mid-p). Median steps use the same test for the number of runs converged by the
    median of the first, and before that of the other, and the larger p-value; medians of losses and errors likewise.
    Expected steps (ERT) use Student's test of the logarithm of their ratio, by the delta method, or the test of rates
    where one is infinite. Means of correct outputs use Student's test of differences, or the sign test where all
    differences are equal.
    """
    ranked = rank_cells(cells, study, by).reset_index(drop=True)
    ranked.insert(0, "rank", np.arange(1, len(ranked) + 1))
    p_values = np.full(len(ranked), np.nan)
    may_be_best = pd.array([pd.NA] * len(ranked), "boolean")
    adjusted = p_values
    if runs is not None and len(ranked):
        whole = has_all_runs(ranked, study).to_numpy() if "n_runs" in ranked else np.ones(len(ranked), np.bool_)
        p_values[whole] = _compare_with_first(runs, ranked[whole], by)
        adjusted = holm(p_values)
        may_be_best[whole] = ~(adjusted[whole] <= LEVEL)
    return ranked.assign(p_value=p_values, p_value_holm=adjusted, may_be_best=may_be_best)


def seeds_to_tell(ranked: pd.DataFrame) -> float:
    """Return about how many seeds for each cell would show which of the cells that may be the best is best.

    Parameters
    ----------
    ranked
        As of :func:`best_cells`.

    Returns
    -------
    float
        Number of seeds; infinite where one of these cells looks about as good as the first.

    Notes
    -----
    The present number of seeds is multiplied by the square of a ratio: the standard errors by which the closest cell
    has to differ from the first, over those by which it differs now. The observed differences are treated as the true
    ones.
    """
    from scipy.special import ndtri

    others = ranked[ranked["may_be_best"].fillna(False).astype(bool)].iloc[1:]
    if others.empty:
        return float(ranked["n_runs"].max())
    found, needed = -ndtri(others["p_value"].max()), -ndtri(LEVEL / len(others))
    return float(ranked["n_runs"].max() * (needed / found) ** 2) if found > 0.1 else np.inf


def _compare_with_first(runs: Outcomes | Measured, ranked: pd.DataFrame, by: str) -> Array:
    """Return the p-value of each cell compared with the first; missing for the first itself."""
    order = ranked["cell"].to_numpy()
    medians = ranked[by].to_numpy(np.float64, na_value=np.inf)
    at_a_time = max(1, _RUNS_AT_A_TIME // runs.present.shape[1])
    p_values = []
    for k in range(0, len(order), at_a_time):
        others = slice(k, k + at_a_time)
        p_values.append(_compare(runs.at(order[:1]), runs.at(order[others]), medians[0], medians[others], by))
    found = np.concatenate(p_values)
    found[0] = np.nan
    return found


def _compare(first: Outcomes | Measured, others: Outcomes | Measured, median: float, medians: Array, by: str) -> Array:
    """Return the p-value of each of some cells compared with the first."""
    if isinstance(first, Measured) and isinstance(others, Measured):
        if by.endswith("_mean"):
            return _lower_means(first, others)
        if not RANKED_BY[by]:  # the same tests of the values with the other sign
            first, others, median, medians = Measured(-first.values), Measured(-others.values), -median, -medians
        return _higher_medians(first, others, median, medians)
    assert isinstance(first, Outcomes)
    assert isinstance(others, Outcomes)
    if by == "steps_q50":
        return _later_medians(first, others, median, medians)
    return (_lower_rates if by == "convergence_rate" else _higher_costs)(first, others)


def _fewer(first: Array, others: Array, both: Array) -> Array:
    """Test whether fewer runs are marked in other cells than in the first."""
    return one_sided_sign_test((first & ~others & both).sum(axis=1), (~first & others & both).sum(axis=1))


def _lower_rates(first: Outcomes, others: Outcomes) -> Array:
    return _fewer(first.converged, others.converged, first.present & others.present)


def _later_medians(first: Outcomes, others: Outcomes, median: float, medians: Array) -> Array:
    """Test whether medians are later: fewer runs converged by the first's median, and before the cell's own.

    Each test alone ignores that a median is itself estimated, where the steps of one cell spread wider.
    """
    both = first.present & others.present
    steps, other_steps = first.steps_to_converge(), others.steps_to_converge()
    p_values = []
    for at in (np.full((len(medians), 1), median), medians[:, None] - 1):
        at = np.minimum(at, 2.0**61)  # by any step if never
        p_values.append(_fewer(steps <= at, other_steps <= at, both))
    return np.maximum(*p_values)


def _higher_medians(first: Measured, others: Measured, median: float, medians: Array) -> Array:
    """Test medians as :func:`_later_medians` does, by numbers of values up to the first's and below the cell's own."""
    both = first.present & others.present
    at = min(median, np.finfo(np.float64).max)  # only finite values count, even if most are not finite
    up_to = _fewer(first.values <= at, others.values <= at, both)
    return np.maximum(up_to, _fewer(first.values < medians[:, None], others.values < medians[:, None], both))


def _lower_means(first: Measured, others: Measured) -> Array:
    """Test means by the differences of each seed."""
    from scipy.special import stdtr

    both = first.present & others.present
    n = both.sum(axis=1)
    differences = np.where(both, first.values - others.values, 0.0)
    mean = differences.sum(axis=1) / np.maximum(n, 1)
    squares = (np.where(both, differences - mean[:, None], 0.0) ** 2).sum(axis=1)
    error = np.sqrt(squares / np.maximum(n - 1, 1) / np.maximum(n, 1))
    chances = stdtr(np.maximum(n - 1, 1), -mean / np.where(error > 0, error, 1.0))
    signs = one_sided_sign_test((differences > 0).sum(axis=1), (differences < 0).sum(axis=1))
    return np.where(error > 0, chances, signs)


def _higher_costs(first: Outcomes, others: Outcomes) -> Array:
    """Compare the logarithms of two ratios of means, with the variance of each seed's influence on the difference."""
    from scipy.special import stdtr

    both = first.present & others.present
    n = both.sum(axis=1)
    logarithms, parts = [], []
    converge, cost = np.ones(len(n), np.bool_), np.ones(len(n), np.bool_)
    for each in (first, others):
        steps, converged = ((values * both).sum(axis=1, keepdims=True) for values in (each.steps, each.converged))
        converge, cost = converge & (converged > 0).ravel(), cost & (steps > 0).ravel()
        steps, converged = np.maximum(steps, 1), np.maximum(converged, 1)
        logarithms.append(np.log(steps / converged).ravel())
        parts.append((each.steps / steps - each.converged / converged) * both)
    spread = np.sqrt(((parts[0] - parts[1]) ** 2).sum(axis=1) * n / np.maximum(n - 1, 1))
    known = converge & cost & (spread > 0)
    distance = (logarithms[1] - logarithms[0]) / np.where(known, spread, 1.0)
    chances = stdtr(np.maximum(n - 1, 1), -distance)
    wins, losses = (((one < other) & both).sum(axis=1) for one, other in (
        (first.steps_to_converge(), others.steps_to_converge()), (others.steps_to_converge(), first.steps_to_converge())
    ))  # fmt: skip
    return np.where(known, chances, np.where(converge, one_sided_sign_test(wins, losses), _lower_rates(first, others)))
