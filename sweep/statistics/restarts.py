"""When to stop a run and start another one, and how many steps a success then takes, estimated on other runs."""

from __future__ import annotations

import numpy as np

from sweep.statistics.estimates import Estimate, ExpectedSteps
from sweep.statistics.intervals import LEVEL, Array
from sweep.statistics.runs import Runs

# Least number of converged runs for an interval.
LEAST_SUCCESSES = 100


class RestartSteps(Estimate):
    """The limit of steps at which to stop a run and start another, so that a success costs the fewest steps.

    It is the smallest of the best limits, and missing if no run converged or cells count equally. It has no interval.
    """

    def __init__(self, runs: Runs) -> None:
        limits = runs.ends.best_limits(runs.ends.n)
        self.value = np.where(np.isfinite(limits) & runs.even, limits, np.nan)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return missing ends."""
        missing = np.full(len(self.value), np.nan)
        return missing, missing


class RestartedSteps(Estimate):
    """The expected steps of a success if runs stop at the best limit; infinite if no run converged.

    Only steps at which a run converged can be best. Runs are in two halves (:class:`~sweep.statistics.ends.Ends`). Each
    half stops at the limit that is best in the other half, or never if no run converged there.

    The interval spans two: that of the expected steps with these limits, and that with the limit that is best in all
    runs. The first estimate is slightly too high, since halves miss the best limit. The second one is too low, since
    that limit is partly best by luck. The interval is missing with fewer than 100 runs, or seeds, that have a success.
    """

    def __init__(self, runs: Runs) -> None:
        ends = runs.ends
        self._expected = _stopped_at(runs, ends.best_limits(ends.n - ends.n_first), ends.best_limits(ends.n_first))
        self._least = _stopped_at(runs, *2 * (ends.best_limits(ends.n),))
        n_successes = runs.add(runs.converged)
        if runs.seed is not None:
            n_successes = (runs.of_seeds(runs.converged.astype(np.int64)) > 0).sum(axis=1)
        self._has_interval = runs.has_intervals & (n_successes >= LEAST_SUCCESSES)
        self.value = np.where(runs.even, self._expected.value, np.nan)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval."""
        # With a level for each group, intervals of rates are exact: the best limit may leave few successes.
        level = np.full(len(self.value), level)
        low, high = self._expected.ends(level)
        low_of_least, high_of_least = self._least.ends(level)
        return (
            np.where(self._has_interval, np.minimum(low, low_of_least), np.nan),
            np.where(self._has_interval, np.maximum(high, high_of_least), np.nan),
        )


def _stopped_at(runs: Runs, first: Array, second: Array) -> ExpectedSteps:
    """Return the expected steps if runs of the first and of the second half stop at these limits, (n_groups,)."""
    if runs.seed is None:
        ends = runs.ends
        group, cell, steps, converged = (
            np.tile(each, 2) for each in (ends.group, ends.group, ends.steps, ends.converged)
        )
        n = np.concatenate([ends.n_first, ends.n - ends.n_first])
        limit = np.concatenate([first[ends.group], second[ends.group]])
    else:
        group, cell, steps, converged, n = runs.group, runs.cell, runs.steps, runs.converged, runs.n
        limit = np.where(runs.in_first, first[group], second[group])
    limit = np.minimum(limit, runs.limit[group]).astype(np.int64)
    stopped = Runs(
        group,
        cell,
        n,
        runs.seed,
        converged=converged & (steps <= limit),
        steps=np.minimum(steps, limit),
        most_steps=limit,
    )
    return ExpectedSteps(stopped.clusters(stopped.converged, stopped.steps, stopped.steps))
