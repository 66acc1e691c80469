"""When to stop a run and start another one, and how many steps a success then takes.

A step limit that is the best for some runs is on average worse for other runs. So its cost is estimated from other
runs: each half of the runs uses the limit that is best for the other half.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sweep.statistics.estimates import Estimate
from sweep.statistics.intervals import LEVEL, Array, normal_quantile, student_quantile
from sweep.statistics.runs import Runs

# Least number of converged runs for an interval.
LEAST_SUCCESSES = 100

# Number of runs with the same end that one random number assigns to halves, a bit each.
_BITS = 64

# An end as one number: steps * 4 + code for the first four statuses. Codes of later statuses are beyond all of these.
_CODES, _LATER = np.uint64(4), np.uint64(2**40)


class RestartSteps(Estimate):
    """The limit of steps at which to stop a run and start another, so that a success costs the fewest steps.

    It is the smallest of the best limits, and missing if no run converged or cells count equally. It has no interval.
    """

    def __init__(self, runs: Runs) -> None:
        ends = _Ends(runs)
        limits = ends.best_limits(ends.n)
        self.value = np.where(np.isfinite(limits) & ((runs.n_cells <= 1) | runs.even), limits, np.nan)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return missing ends."""
        missing = np.full(len(self.value), np.nan)
        return missing, missing


class RestartedSteps(Estimate):
    """The steps of a success with the best limit of steps; infinite if no run converged.

    Parameters
    ----------
    runs
        The runs.

    Notes
    -----
    With a limit c a run costs min(steps, c) and succeeds if it converges by c, so a success costs the ratio of these
    sums. Only steps at which a run converged can be best. Runs are assigned to two halves: by a hash of how they ended,
    the same on every machine, or by their seeds. Each half is stopped at the limit that is best in the other half, or
    never if no run converged there. Costs of both are added. The interval, by the delta method for a ratio of two means
    (Cochran, Sampling Techniques (1977), section 6.13), treats the limits as given, so it covers less with few
    successes; it is missing with fewer than 100 runs, or seeds, that have one.
    """

    def __init__(self, runs: Runs) -> None:
        ends, self._runs = _Ends(runs), runs
        n, of_half = (
            ends.n,
            half_of(ends.n, ends.status, ends.steps) if runs.seed is None else ends.n * (ends.seed % 2 == 0),
        )
        most = [ends.best_limits(own)[ends.group] for own in (n - of_half, of_half)]
        parts = [
            (own, np.minimum(ends.steps, limit), ends.converged & (ends.steps <= limit))
            for own, limit in zip((of_half, n - of_half), most, strict=True)
        ]
        took = np.sum([ends.add(own * spent) for own, spent, _ in parts], axis=0)
        succeeded = np.sum([ends.add(own * success) for own, _, success in parts], axis=0)
        ratio = np.divide(took, succeeded, out=np.full(len(took), np.inf), where=succeeded > 0)
        known = np.where(succeeded > 0, ratio, 0.0)[ends.group]
        rest = [(own, spent - known * success) for own, spent, success in parts]
        squares, self._n, n_successes = ends.squares(rest), ends.n_clusters, ends.n_successes
        self._error = np.sqrt(self._n * squares / np.maximum(self._n - 1, 1)) / np.maximum(took, 1)
        self._error = np.where(n_successes >= LEAST_SUCCESSES, self._error, np.nan)
        self.value = np.where((runs.n_cells <= 1) | runs.even, ratio, np.nan)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval, symmetric in the logarithm."""
        z = normal_quantile(level) if self._runs.seed is None else student_quantile(self._n, level)
        factor = np.exp(np.where(self._runs.has_intervals, z * self._error, np.nan))
        with np.errstate(invalid="ignore"):
            return self.value / factor, self.value * factor


class _Ends:
    """Rows of runs in the order of their steps, by group.

    Attributes
    ----------
    group, converged, status, steps, n, seed : (rows,)
        As of the runs.
    n_clusters, n_successes : (n_groups,)
        Number of runs, or of seeds where these are clusters, and of those with a success.
    """

    def __init__(self, runs: Runs) -> None:
        order = runs.order_of(runs.steps)
        self.group, self.converged, self.steps, self.n = (
            each[order] for each in (runs.group, runs.converged, runs.steps, runs.n)
        )
        self.status = runs.status[order] if runs.seed is None else np.empty(0)
        self.seed = np.empty(0) if runs.seed is None else runs.seed[order]
        self._runs, self._order = runs, order
        self._starts = np.flatnonzero(np.diff(self.group, prepend=-1))

    @property
    def n_clusters(self) -> Array:
        return self._of_clusters(np.ones(len(self.n), np.bool_))

    @property
    def n_successes(self) -> Array:
        return self._of_clusters(self.converged)

    def _of_clusters(self, marked: Array) -> Array:
        """Return the number of runs that are marked, or of seeds that have one."""
        if self._runs.seed is None:
            return self.add(self.n * marked)
        return np.asarray((self._runs.of_seeds(self._unordered(marked.astype(np.int64))) > 0).sum(axis=1))

    def squares(self, rest: Sequence[tuple[Array, Array]]) -> Array:
        """Return sums of squares of numbers of runs, or of their sums by seed; ``rest`` has counts and numbers."""
        if self._runs.seed is None:
            return np.asarray(np.sum([self.add(own * each**2) for own, each in rest], axis=0))
        sums = self._runs.of_seeds(self._unordered(np.sum([own * each for own, each in rest], axis=0)))
        return np.asarray((sums**2).sum(axis=1))

    def _unordered(self, values: Array) -> Array:
        """Return values in the order of the runs."""
        found = np.empty_like(values)
        found[self._order] = values
        return found

    def add(self, values: Array) -> Array:
        """Sum values of ends by group."""
        return np.add.reduceat(values, self._starts) if len(values) else values

    def best_limits(self, n: Array) -> Array:
        """Return the smallest limit with the fewest steps per success of these runs; infinite without a success."""
        successes = np.where(self.converged, n, 0)
        n_runs, spent, succeeded = (self._so_far(values) for values in (n, n * self.steps, successes))
        cost = spent + self.steps * (self.add(n)[self.group] - n_runs)
        ratio = np.divide(cost, succeeded, out=np.full(len(n), np.inf), where=successes > 0)
        best = np.minimum.reduceat(ratio, self._starts) if len(n) else ratio
        limits = np.full(len(best), np.inf)
        at = np.flatnonzero((ratio == best[self.group]) & (successes > 0))[::-1]  # the first of equal ones comes last
        limits[self.group[at]] = self.steps[at]
        return limits

    def _so_far(self, values: Array) -> Array:
        """Return cumulative sums of values of ends within each group."""
        sums = np.cumsum(values)
        before = sums[self._starts] - values[self._starts]
        return np.asarray(sums - before[self.group])


def half_of(n: Array, status: Array, steps: Array) -> Array:
    """Return the number of runs of each end in one half; each of ``n`` runs is assigned by a random bit."""
    from scipy.special import bdtrik

    code = status.astype(np.uint64)
    end = steps.astype(np.uint64) * _CODES + code + (code >= _CODES) * _LATER
    drawn = _mixed(_mixed(end) + n.astype(np.uint64))
    few = n <= _BITS
    mask = np.uint64(2**64 - 1) >> np.uint64(_BITS) - np.where(few, n, 0).clip(min=1).astype(np.uint64)
    half = np.bitwise_count(drawn & mask).astype(np.int64)
    chance = (drawn[~few].astype(np.float64) + 0.5) / 2.0**64
    half[~few] = np.ceil(bdtrik(np.minimum(chance, 1 - 2.0**-53), n[~few], 0.5)).astype(np.int64)
    return np.where(n > 0, half, 0)


def _mixed(number: Array) -> Array:
    """Return pseudo-random bits of numbers: the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA (2014) 453)."""
    number = number + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        number = (number ^ (number >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(number ^ (number >> np.uint64(31)))
