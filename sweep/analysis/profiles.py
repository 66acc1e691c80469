"""Performance profiles: how often a value of a parameter takes at most a multiple of the fewest steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweep.analysis.compare import cells_by_value
from sweep.analysis.shares_by_step import intervals_by_step
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Measured
from sweep.study.axes.grid import Grid
from sweep.study.reading.value_forms import Scalar


def performance_profile(
    outcomes: Measured, grid: Grid, vary: str, cells: Array, values: tuple[Scalar, ...]
) -> pd.DataFrame:
    """Return the share of problems that each value of a parameter solves within a factor of the fewest steps.

    Returns
    -------
    DataFrame
        A row for each value of ``vary`` and each ``factor`` from 1 at which its share changes: the ``share`` of
        problems; its 95 % interval ``low``, ``high``, which counts each seed and replicate once, since problems of one
        seed are not independent (missing for one seed with several problems); ``n_problems``; ``n_unsolved``, the
        problems that no value solves.

    Notes
    -----
    Dolan and More, Math. Program. 91 (2002) 201. A problem is a seed with values of all other parameters. In a partial
    result, it counts if the runs of all values are trained. A value solves a problem if its run converges; the cost is
    its steps (0 counts as 1). Values that tie for the fewest steps are all best, so shares at factor 1 may add up to
    more than 1. Problems that no value solves count, so each curve ends at the share of problems that its value solves.
    The profile depends on the values compared.
    """
    places = cells_by_value(grid, vary)[[grid.parameters[vary].index(value) for value in values]]
    sides = [outcomes.at(own) for own in places[:, np.isin(places, cells).all(axis=0)]]
    both = np.logical_and.reduce([side.present for side in sides])
    steps = np.stack([np.maximum(side.values, 1) for side in sides])
    solved = np.stack([side.converged for side in sides]) & both
    best = np.where(solved, steps, np.iinfo(np.int64).max).min(axis=0)
    n_problems = int(both.sum())
    n_unsolved = int((both & ~solved.any(axis=0)).sum())
    curves = {}
    for value, own, of_own in zip(values, steps, solved, strict=True):
        factors = np.where(both, own / best, np.nan)
        reached, counts = np.unique(np.append(factors[of_own], 1.0), return_counts=True)
        counts[0] -= 1
        share = np.cumsum(counts) / max(n_problems, 1)
        low, high = _interval(share, Measured(factors, outcomes.replicates), reached)
        curves[value] = pd.DataFrame(
            {
                "factor": reached,
                "share": share,
                "low": low,
                "high": high,
                "n_problems": n_problems,
                "n_unsolved": n_unsolved,
            }
        )
    return pd.concat(curves, names=[vary, None]).reset_index(level=0).reset_index(drop=True)


def _interval(share: Array, outcomes: Measured, factors: Array) -> tuple[Array, Array]:
    """Return the intervals of the shares of problems solved within each factor; factors replace steps."""
    there = outcomes.present.any(axis=1)
    if not there.any():
        missing = np.full(len(share), np.nan)
        return missing, missing
    return intervals_by_step(share, outcomes.at(np.flatnonzero(there)), factors)
