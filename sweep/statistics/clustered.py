"""Intervals of rates over several cells, whose runs share seeds."""

from __future__ import annotations

import numpy as np

from sweep.statistics.intervals import Array, Z, student_quantile, wilson_interval
from sweep.statistics.outcomes import Outcomes


def rate_intervals(outcomes: Outcomes, group: Array) -> tuple[Array, Array]:
    """Return the 95 % intervals of the convergence rates of groups of cells.

    Parameters
    ----------
    outcomes
        Of all cells.
    group : (n_cells,)
        The number of the group of each cell, from 0 on.

    Returns
    -------
    low, high : (n_groups,)
        Missing where one seed has runs in several cells, which says nothing of other seeds.

    Notes
    -----
    Seeds are independent, runs of one seed in several cells are not: the variance of a rate is that of a ratio of two
    sums over seeds (Cochran, Sampling Techniques (1977), section 6.13). The interval is Wilson's, of as many
    independent runs as give this variance, fewer where few seeds make it uncertain (as Student's quantile is larger
    than the normal one), and never of more than there are. With fewer than some 100 seeds, of which few decide whole
    groups of runs, it is too narrow. Where all seeds say the same it is that of as many runs as
    seeds, and where each seed has one run it is Wilson's of the runs.
    """
    order = np.argsort(group, kind="stable")
    _, starts = np.unique(group[order], return_index=True)
    converged, runs = (  # by group and seed
        np.add.reduceat(each[order], starts, axis=0, dtype=np.float64)
        for each in (outcomes.converged, outcomes.present)
    )
    n_converged, n_runs, n_seeds = converged.sum(axis=1), runs.sum(axis=1), (runs > 0).sum(axis=1)
    rate = n_converged / n_runs
    squares = ((converged - rate[:, None] * runs) ** 2).sum(axis=1)
    variance = squares / n_runs**2 * n_seeds / np.maximum(n_seeds - 1, 1)
    independent = rate * (1 - rate) / np.where(variance > 0, variance, np.inf) * (Z / student_quantile(n_seeds)) ** 2
    n = np.where(variance > 0, np.minimum(independent, n_runs), np.where(n_seeds > 1, n_seeds, np.nan))
    n = np.where(runs.max(axis=1) > 1, n, n_runs)
    low, high = wilson_interval(rate * n, n)
    return np.where(np.isnan(n), np.nan, low), np.where(np.isnan(n), np.nan, high)
