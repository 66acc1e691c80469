"""When to stop a run and start another one, and how many steps a success then takes.

A step limit that is the best for some runs is on average worse for other runs. So its cost is estimated from other
runs: each half of the runs uses the limit that is best for the other half.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweep.statistics.intervals import Array, Z

# Least number of converged runs for an interval.
LEAST_SUCCESSES = 100

# Number of runs with the same end that one random number assigns to halves, a bit each.
_BITS = 64

# An end as one number: steps * 4 + code for the first four statuses. Codes of later statuses are beyond all of these.
_CODES, _LATER = np.uint64(4), np.uint64(2**40)


def best_restarts(ends: pd.DataFrame) -> pd.DataFrame:
    """Return the step limit at which to stop a run and start another, so that a success takes the fewest steps.

    Parameters
    ----------
    ends
        A table from :func:`~sweep.statistics.steps.ends_by_group`.

    Returns
    -------
    DataFrame
        By group: ``restart_steps``, the smallest of the best limits (missing if no run converged); ``restarted_steps``,
        the steps per success with such limits (infinite if none converged); ``restarted_steps_low`` and
        ``restarted_steps_high``, its 95 % interval (missing with fewer than 100 converged runs).

    Notes
    -----
    With a limit c a run takes min(steps, c) and succeeds if it converges by c, so the steps per success are the ratio
    of two sums. Only steps at which a run converged can be the best limit. A hash of their ends, the same on every
    machine, assigns runs to two halves. Each half uses the limit that is best for the other half, or none if no run
    converged there, and both are added up. The interval is that of the delta method for a ratio of two means. It treats
    the limits as fixed, so it covers less with few successes.
    """
    groups = _Groups(ends)
    n, of_half = ends["n"].to_numpy(), _half(ends)
    most = [groups.best_limits(own)[groups.place] for own in (n - of_half, of_half)]
    steps, converged = ends["steps"].to_numpy(np.float64), groups.converged
    n_runs, took, succeeded = groups.add(n), np.zeros(len(groups.numbers)), np.zeros(len(groups.numbers), np.int64)
    parts = []
    for own, limit in zip((of_half, n - of_half), most, strict=True):
        spent, success = np.minimum(steps, limit), converged & (steps <= limit)
        parts.append((own, spent, success))
        took, succeeded = took + groups.add(own * spent), succeeded + groups.add(own * success)
    ratio = np.divide(took, succeeded, out=np.full(len(n_runs), np.inf), where=succeeded > 0)
    known = np.where(succeeded > 0, ratio, 0.0)[groups.place]
    squares = np.sum([groups.add(own * (spent - known * success) ** 2) for own, spent, success in parts], axis=0)
    error = np.sqrt(n_runs * squares / np.maximum(n_runs - 1, 1)) / np.maximum(took, 1)
    factor = np.exp(np.where(groups.add(n * converged) >= LEAST_SUCCESSES, Z * error, np.nan))
    limits = best_limits(ends)
    return pd.DataFrame(
        {
            "restart_steps": limits.where(np.isfinite(limits)).astype("Int64"),
            "restarted_steps": ratio,
            "restarted_steps_low": ratio / factor,
            "restarted_steps_high": ratio * factor,
        }
    )


def best_limits(ends: pd.DataFrame) -> pd.Series[float]:
    """Return the smallest limit with the fewest steps per success, by group; infinite if no run converged."""
    groups = _Groups(ends)
    return pd.Series(groups.best_limits(ends["n"].to_numpy()), groups.numbers)


class _Groups:
    """The ends of each group.

    Attributes
    ----------
    numbers : (n_groups,)
        Numbers of the groups.
    place : (n_ends,)
        Index in ``numbers`` of the group of each end.
    converged : (n_ends,)
        Whether the runs of each end converged.
    """

    def __init__(self, ends: pd.DataFrame) -> None:
        group = ends["group"].to_numpy()
        self._starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]])[: len(group)])
        self.numbers = pd.Index(group[self._starts], name="group")
        self.place = np.repeat(np.arange(len(self.numbers)), np.diff(self._starts, append=len(group)))
        self.converged = (ends["status"] == "converged").to_numpy()
        self._steps = ends["steps"].to_numpy(np.int64)

    def add(self, values: Array) -> Array:
        """Sum values of ends by group."""
        return np.add.reduceat(values, self._starts) if len(values) else values

    def best_limits(self, n: Array) -> Array:
        """Return the smallest limit with the fewest steps per success of these runs; infinite without a success."""
        successes = np.where(self.converged, n, 0)
        n_runs, spent, succeeded = (self._so_far(values) for values in (n, n * self._steps, successes))
        cost = spent + self._steps * (self.add(n)[self.place] - n_runs)
        ratio = np.divide(cost, succeeded, out=np.full(len(n), np.inf), where=successes > 0)
        best = np.minimum.reduceat(ratio, self._starts) if len(n) else ratio
        limits = np.full(len(best), np.inf)
        at = np.flatnonzero((ratio == best[self.place]) & (successes > 0))[
            ::-1
        ]  # the smallest of equally good limits is assigned last
        limits[self.place[at]] = self._steps[at]
        return limits

    def _so_far(self, values: Array) -> Array:
        """Return cumulative sums of values of ends within each group."""
        sums = np.cumsum(values)
        before = sums[self._starts] - values[self._starts]
        return np.asarray(sums - before[self.place])


def _half(ends: pd.DataFrame) -> Array:
    """Return the number of runs of each end in one half. A pseudo-random bit assigns each run."""
    from scipy.special import bdtrik

    n = ends["n"].to_numpy()
    code = ends["status"].cat.codes.to_numpy().astype(np.uint64)
    end = ends["steps"].to_numpy().astype(np.uint64) * _CODES + code + (code >= _CODES) * _LATER
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
