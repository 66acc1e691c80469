"""Intervals of rates over several cells, whose runs share seeds."""

from __future__ import annotations

import numpy as np

from sweep.statistics.intervals import Array, wilson_interval
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

    Notes
    -----
    Seeds are independent, runs of one seed in several cells are not: the variance of a rate is that of a ratio of two
    sums over seeds (Cochran, Sampling Techniques (1977), section 6.13). The interval is Wilson's, of as many
    independent runs as give this variance, and never of more than there are; for one cell these are its runs.
    """
    order = np.argsort(group, kind="stable")
    _, starts = np.unique(group[order], return_index=True)
    counts = (
        np.add.reduceat(each[order], starts, axis=0, dtype=np.float64)
        for each in (outcomes.converged, outcomes.present)
    )
    converged, runs = counts  # by group and seed
    n_converged, n_runs = converged.sum(axis=1), runs.sum(axis=1)
    rate = n_converged / n_runs
    variance = ((converged - rate[:, None] * runs) ** 2).sum(axis=1) / n_runs**2
    independent = rate * (1 - rate) / np.where(variance > 0, variance, np.inf)
    n = np.where(variance > 0, np.minimum(independent, n_runs), n_runs)
    return wilson_interval(rate * n, n)
