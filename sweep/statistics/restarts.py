"""When to stop a run and start another one, and how many steps a success then takes, estimated on other runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sweep.statistics.ends import Ends
from sweep.statistics.estimates import Estimate
from sweep.statistics.intervals import LEVEL, Array, normal_quantile, student_quantile
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
    """The steps of a success with the best limit of steps; infinite if no run converged.

    With a limit c a run costs min(steps, c) and succeeds if it converges by c, so a success costs the ratio of these
    sums. Only steps at which a run converged can be best. Runs are in two halves
    (:class:`~sweep.statistics.ends.Ends`). Each half is stopped at the limit that is best in the other half, or
    never if no run converged there. Costs of both are added. The interval, by the delta method for a ratio of two means
    (Cochran, Sampling Techniques (1977), section 6.13), treats the limits as given, so it covers less with few
    successes; it is missing with fewer than 100 runs, or seeds, that have one.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        ends = runs.ends
        halves = ends.n_first, ends.n - ends.n_first
        limits = tuple(ends.best_limits(other) for other in reversed(halves))
        took = np.zeros(len(runs.numbers))
        succeeded = np.zeros(len(runs.numbers))
        for own, limit in zip(halves, limits, strict=True):
            took += ends.add(own * np.minimum(ends.steps, limit[ends.group]))
            succeeded += ends.add(own * (ends.converged & (ends.steps <= limit[ends.group])))
        ratio = np.divide(took, succeeded, out=np.full(len(took), np.inf), where=succeeded > 0)
        known = np.where(succeeded > 0, ratio, 0.0)
        if runs.seed is None:
            self._n = runs.n_runs
            n_successes = runs.add(runs.converged)
            squares = _squares_of_ends(ends, halves, limits, known)
        else:
            self._n = _seeds_with(runs, np.ones(len(runs.seed), np.int64))
            n_successes = _seeds_with(runs, runs.converged.astype(np.int64))
            squares = _squares_of_seeds(runs, limits, known)
        error = np.sqrt(self._n * squares / np.maximum(self._n - 1, 1)) / np.maximum(took, 1)
        self._error = np.where(n_successes >= LEAST_SUCCESSES, error, np.nan)
        self.value = np.where(runs.even, ratio, np.nan)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval, symmetric in the logarithm."""
        z = normal_quantile(level) if self._runs.seed is None else student_quantile(self._n, level)
        factor = np.exp(np.where(self._runs.has_intervals, z * self._error, np.nan))
        with np.errstate(invalid="ignore"):
            return self.value / factor, self.value * factor


def _squares_of_ends(ends: Ends, halves: Sequence[Array], limits: Sequence[Array], ratio: Array) -> Array:
    """Return sums over runs of the squares of their steps minus the ratio where they succeed, by group."""
    squares = np.zeros(len(ratio))
    for own, limit in zip(halves, limits, strict=True):
        success = ends.converged & (ends.steps <= limit[ends.group])
        rest = np.minimum(ends.steps, limit[ends.group]) - ratio[ends.group] * success
        squares += ends.add(own * rest**2)
    return squares


def _squares_of_seeds(runs: Runs, limits: Sequence[Array], ratio: Array) -> Array:
    """Return the same for seeds, each with the sums of its runs."""
    limit = np.where(runs.in_first, limits[0][runs.group], limits[1][runs.group])
    success = runs.converged & (runs.steps <= limit)
    rest = runs.of_seeds(np.minimum(runs.steps, limit) - ratio[runs.group] * success)
    return np.asarray((rest**2).sum(axis=1))


def _seeds_with(runs: Runs, marked: Array) -> Array:
    """Return the number of seeds that have a marked run, (n_groups,)."""
    return np.asarray((runs.of_seeds(marked) > 0).sum(axis=1))
