"""Intervals of shares of runs that converged by some steps, over cells that share seeds."""

from __future__ import annotations

import numpy as np

from sweep.statistics.intervals import Array, wilson_interval
from sweep.statistics.outcomes import Outcomes
from sweep.statistics.runs import independent_runs

# Most steps at which the effective number of runs is computed. Others are interpolated.
_MOST_STEPS = 50


def intervals_by_step(share: Array, outcomes: Outcomes, steps: Array) -> tuple[Array, Array]:
    """Return Wilson's intervals of the shares of runs converged by each of some ascending steps.

    They count each seed once, and are missing for one seed with several runs.
    """
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), _MOST_STEPS)).astype(np.int64))
    n = np.interp(np.arange(len(steps)), chosen, _independent_runs(outcomes, steps[chosen]))
    return wilson_interval(share * n, n)


def _independent_runs(outcomes: Outcomes, steps: Array) -> Array:
    """Return the effective number of independent runs for the share of runs converged by each of some steps."""
    cell, seed = np.nonzero(outcomes.converged)
    by = np.searchsorted(steps, outcomes.steps[cell, seed])
    shape = outcomes.steps.shape
    of_seeds, of_cells = (
        np.cumsum(np.bincount(place * (len(steps) + 1) + by, minlength=n * (len(steps) + 1)).reshape(n, -1), axis=1)
        for place, n in ((seed, shape[1]), (cell, shape[0]))
    )
    of_seeds = of_seeds[:, :-1].T
    of_cells = of_cells[:, :-1]
    present = outcomes.present
    alike = (of_cells == 0) | (of_cells == present.sum(axis=1)[:, None])
    return independent_runs(of_seeds, np.broadcast_to(present.sum(axis=0), of_seeds.shape), alike.sum(axis=0))
