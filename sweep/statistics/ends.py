"""Runs that ended alike, in two halves: statistics of restarts choose a limit in one half and estimate in the other."""

from __future__ import annotations

import numpy as np

from sweep.statistics.intervals import Array

# Number of runs with the same end that one random number assigns to halves, a bit each.
_BITS = 64

# An end as one number: steps * 4 + code for the first four statuses. Codes of later statuses are beyond all of these.
_CODES = np.uint64(4)
_LATER = np.uint64(2**40)


class Ends:
    """Runs that ended alike, in the order of their steps by group; all arrays are (n_ends,)."""

    def __init__(self, group: Array, steps: Array, converged: Array, n: Array, n_first: Array) -> None:
        self.group = group  # index of the group
        self.steps = steps
        self.converged = converged  # whether the runs converged
        self.n = n  # number of runs
        self.n_first = n_first  # and of those in the first half
        self._starts = np.flatnonzero(np.diff(group, prepend=-1))

    def add(self, values: Array) -> Array:
        """Sum values of ends by group, (n_groups,)."""
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
