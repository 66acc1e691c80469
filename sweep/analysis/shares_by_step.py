"""Intervals of shares of runs that converged by some steps, over cells that share seeds."""

from __future__ import annotations

import numpy as np

from sweep.statistics.intervals import Array, wilson_interval
from sweep.statistics.outcomes import Measured
from sweep.statistics.runs import crossed_runs, independent_runs

# Most steps at which the effective number of runs is computed. Others are interpolated.
_MOST_STEPS = 50


def intervals_by_step(share: Array, outcomes: Measured, steps: Array) -> tuple[Array, Array]:
    """Return Wilson's intervals of the shares of runs converged by each of some ascending steps.

    They count each seed and replicate once, and are missing for one seed with several runs.
    """
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), _MOST_STEPS)).astype(np.int64))
    n = np.interp(np.arange(len(steps)), chosen, _independent_runs(outcomes, steps[chosen]))
    return wilson_interval(share * n, n)


def _independent_runs(outcomes: Measured, steps: Array) -> Array:
    """Return the effective number of independent runs for the share of runs converged by each of some steps."""
    of_cells = _counts_by_step(outcomes, steps, axis=0)
    alike = ((of_cells == 0) | (of_cells == outcomes.present.sum(axis=1))).sum(axis=1)

    def independent(runs: Measured) -> Array:
        of_seeds = _counts_by_step(runs, steps, axis=1)
        return independent_runs(of_seeds, np.broadcast_to(runs.present.sum(axis=0), of_seeds.shape), alike)

    return crossed_runs(*map(independent, outcomes.clusterings())) if outcomes.replicates > 1 else independent(outcomes)


def _counts_by_step(outcomes: Measured, steps: Array, axis: int) -> Array:
    """Return the runs converged by each of some steps, by cell (axis 0) or seed (axis 1): (steps, cells or seeds)."""
    places = np.nonzero(outcomes.converged)
    by = np.searchsorted(steps, outcomes.values[places])
    n = outcomes.values.shape[axis]
    counts = np.bincount(places[axis] * (len(steps) + 1) + by, minlength=n * (len(steps) + 1)).reshape(n, -1)
    return np.asarray(np.cumsum(counts, axis=1)[:, :-1].T)
