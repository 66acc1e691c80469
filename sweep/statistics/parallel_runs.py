"""The first of several runs that start together with different seeds: whether and when any of them converges.

All choices of k runs without replacement have the same weight, so estimates are unbiased (a U-statistic: Hoeffding,
Ann. Math. Statist. 19 (1948) 293). There cannot be more parallel runs than runs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sweep.statistics.combined import product_interval
from sweep.statistics.estimates import saved_interval
from sweep.statistics.intervals import Array, Z, student_quantile, wilson_interval

# Least number of seeds per parallel run for an interval.
_LEAST_CHOICES = 8


class FirstOf(NamedTuple):
    """Statistics of the first of several parallel runs, with 95 % intervals."""

    # The share of choices of runs in which any converges
    rate: float
    rate_low: float
    rate_high: float
    # The mean steps that the first run saves of the step limit
    saved: float
    saved_low: float
    saved_high: float


def none_of(n_left: Array, n_runs: int, k: int) -> Array:
    """Return the share of choices of ``k`` of ``n_runs`` runs, without replacement, in which no run has ended, (n,).

    ``n_left``, (n,), are the numbers of runs that have not ended.
    """
    return _shares_within(n_runs, k)[n_left]


def first_of(steps: Array, converged: Array, most_steps: Array, k: int) -> FirstOf:
    """Return statistics of the first of ``k`` parallel runs of a cell, as the mean over cells.

    ``steps`` and ``converged`` are those of the same seeds in each cell, (n_cells, n_seeds); ``most_steps`` are limits.

    Returns
    -------
    FirstOf
        Rates and saved steps. Intervals are missing with fewer than eight seeds per parallel run.

    Notes
    -----
    The share of one cell has Wilson's interval for single runs, transformed by 1 - (1 - rate)^k. Over several cells,
    which share seeds, the effective number of runs matches the jackknife's variance over seeds. The mean is the share
    times the steps saved per success, whose interval is Student's with the jackknife's error. Both are combined with
    their correlation over seeds, as for a cell (:func:`~sweep.statistics.combined.product_interval`). With fewer than
    eight seeds per parallel run, choices overlap too much for an interval. Nominal 95 % intervals cover at least 88 %,
    the least where nearly every choice has a success.
    """
    n_cells, n_seeds = steps.shape
    saved = np.where(converged, most_steps[:, None] - steps, 0)
    order = np.argsort(np.where(converged, steps, np.inf), axis=1, kind="stable")
    parts = [np.take_along_axis(values.astype(np.float64), order, axis=1) for values in (converged, saved)]
    (rate, of_seeds), (mean, of_means) = (_first_in_order(values, order, k) for values in parts)
    if k * _LEAST_CHOICES > n_seeds:
        return FirstOf(rate, np.nan, np.nan, mean, np.nan, np.nan)
    of_run = float(converged.mean())
    n = float(n_seeds)
    error = _error(of_seeds)
    if n_cells > 1 and error > 0 and 0 < rate < 1:
        of_run = parallel_rate(rate, 1 / k)
        error *= float(student_quantile(np.array(n_seeds))) / Z / (k * (1 - of_run) ** (k - 1))
        n = of_run * (1 - of_run) / error**2
    low, high = (parallel_rate(end, k) for end in wilson_interval(np.array(of_run * n), np.array(n)))
    each = mean / rate if rate else 0.0
    each_of_seeds = np.divide(of_means, of_seeds, out=np.full(n_seeds, each), where=of_seeds > 0)
    n_converged = converged.any(axis=0).sum()
    of_each = saved_interval(np.array(each), np.array(_error(each_of_seeds)), n_converged, most_steps.max())
    spread = of_seeds.std() * each_of_seeds.std()
    together = ((of_seeds - of_seeds.mean()) * (each_of_seeds - each_of_seeds.mean())).mean()
    ends = product_interval((np.array(rate), low, high), of_each, together / spread if spread > 0 else 0.0)
    return FirstOf(rate, float(low), float(high), mean, float(ends[0]), float(ends[1]))


def parallel_rate(rate: Any, k: float) -> Any:
    """Return the probability that any of ``k`` independent runs converges, from the rate of one."""
    return 1 - (1 - rate) ** k


@lru_cache(maxsize=128)
def _shares_within(n_runs: int, k: int) -> Array:
    """Return the share of choices of k runs that are all among the first 0, 1, .. n_runs."""
    left = np.arange(n_runs, 0, -1)
    return np.concatenate([[1.0], np.cumprod(np.maximum(left - k, 0) / left)])[::-1]


def _first_in_order(values: Array, order: Array, k: int) -> tuple[float, Array]:
    """Return the mean value of the first of k runs over choices and cells, and the means without each seed in turn.

    ``values`` are those of the runs of each cell in the order in which they end, and ``order`` their seeds, each
    (n_cells, n_seeds).
    """
    n = values.shape[1]
    first = -np.diff(_shares_within(n, k)[::-1])  # probability that each is the first
    if k == n:
        return float((values @ first).mean()), np.empty(0)
    others = np.append(-np.diff(_shares_within(n - 1, k)[::-1]), 0.0)
    before = np.cumsum(values * others, axis=1)
    moved = values[:, 1:] * others[:-1]  # a run moves up one place if an earlier seed is left out
    after = np.concatenate([np.cumsum(moved[:, ::-1], axis=1)[:, ::-1], np.zeros((len(values), 1))], axis=1)
    without = np.empty_like(values)
    np.put_along_axis(without, order, before - values * others + after, axis=1)
    return float((values @ first).mean()), without.mean(axis=0)


def _error(without: Array) -> float:
    """Return the jackknife's standard error."""
    n = len(without)
    return float(np.sqrt((n - 1) * ((without - without.mean()) ** 2).mean()))
