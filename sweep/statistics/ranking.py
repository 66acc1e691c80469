"""Which cells are best, and which of them cannot be told from the first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Outcomes
from sweep.statistics.paired import holm, sign_test
from sweep.study import Study

# What cells are ranked by, and whether more is worse.
RANKED_BY = {"convergence_rate": False, "expected_steps": True, "steps_q50": True}

# Runs that are compared at a time, so that memory stays flat.
_RUNS_AT_A_TIME = 2**22


def has_all_runs(cells: pd.DataFrame, study: Study) -> pd.Series[bool]:
    """Tell which cells have all of their runs.

    In a partial result these are those that have as many as any other; with adaptive seeds, whose rounds end at
    different numbers of runs, those too whose interval is as narrow as was asked for.
    """
    whole: pd.Series[bool] = cells["n_runs"] == cells["n_runs"].max()
    if study.seeds.until:
        whole |= cells["convergence_rate_high"] - cells["convergence_rate_low"] < study.seeds.until.width
    return whole


def rank_cells(cells: pd.DataFrame, study: Study, by: str = "convergence_rate") -> pd.DataFrame:
    """Order cells from the best to the worst; equal ones by the other statistics, then by their numbers.

    Parameters
    ----------
    cells
        Statistics of cells. In a partial result, cells that lack runs come after those that have all.
    study
        Of the result.
    by
        A key of :data:`RANKED_BY`. Cells that have none come last.
    """
    order = [by, *(name for name in RANKED_BY if name != by and name in cells)]
    ranked = cells.sort_values(order, ascending=[RANKED_BY[name] for name in order], na_position="last", kind="stable")
    if "n_runs" not in cells:
        return ranked
    whole = has_all_runs(ranked, study)
    return ranked if whole.all() else pd.concat([ranked[whole], ranked[~whole]])


def best_cells(cells: pd.DataFrame, study: Study, outcomes: Outcomes | None, by: str) -> pd.DataFrame:
    """Rank cells, and compare each with the first on common seeds.

    Parameters
    ----------
    cells
        Statistics of cells.
    study
        Of the result.
    outcomes
        Of all runs; None where only counts are kept, and p-values are missing.
    by
        A key of :data:`RANKED_BY`.

    Returns
    -------
    DataFrame
        From the best to the worst: ``rank`` from 1 on, the columns of ``cells``, ``p_value`` of the comparison with the
        first, ``p_value_holm`` adjusted for the pairs of all cells, and ``alike``, whether that leaves the cell among
        those that cannot be told from the first (at 5 %).

    Notes
    -----
    Rates are compared by McNemar's exact test; median steps by the sign test of which run of a seed converges in fewer
    steps, where one that does not converge needs more than any that does; expected steps by Student's test of the
    logarithm of their ratio, by the delta method, or as rates where one of them is infinite. The first cell is chosen
    by the same runs, so it might have been any: p-values are adjusted as of all pairs of cells. For the same reason it
    looks somewhat better than it is.
    """
    ranked = rank_cells(cells, study, by).reset_index(drop=True)
    ranked.insert(0, "rank", np.arange(1, len(ranked) + 1))
    if outcomes is None:
        return ranked.assign(p_value=np.nan, p_value_holm=np.nan, alike=pd.array([pd.NA] * len(ranked), "boolean"))
    p_values = _compare_with_first(outcomes, ranked["cell"].to_numpy(), by)
    adjusted = holm(p_values, len(ranked) * (len(ranked) - 1) // 2)
    alike = pd.array(~(adjusted <= 0.05), "boolean")
    return ranked.assign(p_value=p_values, p_value_holm=adjusted, alike=alike)


def _compare_with_first(outcomes: Outcomes, order: Array, by: str) -> Array:
    """Return the p-value of each cell beside the first; missing for the first itself."""
    first = outcomes.at(order[:1])
    test = {"convergence_rate": _rates_differ, "steps_q50": _steps_differ, "expected_steps": _costs_differ}[by]
    at_a_time = max(1, _RUNS_AT_A_TIME // outcomes.steps.shape[1])
    parts = [order[k : k + at_a_time] for k in range(0, len(order), at_a_time)]
    p_values = np.concatenate([test(first, outcomes.at(part)) for part in parts])
    p_values[0] = np.nan
    return p_values


def _rates_differ(first: Outcomes, others: Outcomes) -> Array:
    both = first.present & others.present
    wins = (first.converged & ~others.converged & both).sum(axis=1)
    losses = (~first.converged & others.converged & both).sum(axis=1)
    return sign_test(wins, losses)


def _steps_differ(first: Outcomes, others: Outcomes) -> Array:
    both = first.present & others.present
    steps, other_steps = first.steps_to_converge(), others.steps_to_converge()
    return sign_test(((steps < other_steps) & both).sum(axis=1), ((steps > other_steps) & both).sum(axis=1))


def _costs_differ(first: Outcomes, others: Outcomes) -> Array:
    """Compare the logarithms of two ratios of means, with the variance of the seeds' part in their difference."""
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
    distance = np.abs(logarithms[0] - logarithms[1]) / np.where(known, spread, 1.0)
    chances = 2 * stdtr(np.maximum(n - 1, 1), -distance)
    return np.where(known, chances, np.where(converge, _steps_differ(first, others), _rates_differ(first, others)))
