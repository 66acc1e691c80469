"""Comparison of steps on common seeds: ratios of expected steps (ERT), differences of restricted means (RMST).

Both combine a rate and mean steps. Each of these has an interval of its own that is valid also where nearly all runs or
hardly any converge. Bootstrap intervals are not: if none of 20 seeds failed, none fails in a resample of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sweep.statistics.clustered import independent_runs
from sweep.statistics.intervals import Array, product_interval, saved_interval, student_quantile, wilson_interval

# An estimate and the ends of its interval, by group.
Estimate = Sequence[Array]


class SeedSteps(NamedTuple):
    """Counts and steps of one side of a comparison, by group and seed.

    Attributes
    ----------
    runs, converged : (n_groups, n_seeds)
        Number of runs, and of those that converged.
    of_converged, of_others : (n_groups, n_seeds)
        Sum of steps of the runs that converged, and of the others.
    unanimous : (n_groups,)
        Number of cells in which every run or no run converged.
    most : (n_groups,)
        The limit of steps of a run.
    """

    runs: Array
    converged: Array
    of_converged: Array
    of_others: Array
    unanimous: Array
    most: Array


class Estimated(NamedTuple):
    """A statistic of one side of comparisons, by group.

    Attributes
    ----------
    value, low, high : (n_groups,)
        The statistic and the ends of its 95 % interval.
    off : (n_groups, n_seeds)
        The influence of each seed on the statistic.
    """

    value: Array
    low: Array
    high: Array
    off: Array


def ratio_of(first: Estimated, second: Estimated) -> Estimate:
    """Return the ratio of expected running times (expected steps), first over second, and its 95 % interval.

    Parameters
    ----------
    first, second
        As of :func:`expected_steps`, with the same seeds.

    Returns
    -------
    ratio, low, high : (n_groups,)
        The ratio is infinite where no run of the first side converged, 0 where none of the second did, and missing
        where neither did. The interval needs a success on both sides, and is missing where it would contain every
        ratio.

    Notes
    -----
    The method of variance estimates recovery (Zou and Donner, Statist. in Medicine 27 (2008) 1693) for the difference
    of logarithms, with the correlation over seeds. It covers less where fewer than one success is expected, since a
    ratio then exists only where a run converged by luck.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = first.value / second.value
        one, other = (tuple(np.log(each) for each in side[:3]) for side in (first, second))
        low, high = np.exp(_difference(one, other, _correlation(first.off, second.off)))
    known = np.isfinite(ratio) & (ratio > 0) & ((low > 0) | np.isfinite(high))
    return ratio, np.where(known, low, np.nan), np.where(known, high, np.nan)


def difference_of(first: Estimated, second: Estimated) -> Estimate:
    """Return the difference of the steps saved of the limit, first less second, and its 95 % interval.

    Parameters
    ----------
    first, second
        As of :func:`saved_steps`, with the same seeds and limits.

    Returns
    -------
    difference, low, high : (n_groups,)
        In steps; equal to the restricted mean of the second side less that of the first.

    Notes
    -----
    As in :func:`ratio_of`, without logarithms.
    """
    low, high = _difference(first[:3], second[:3], _correlation(first.off, second.off))
    return first.value - second.value, low, high


def expected_steps(side: SeedSteps) -> Estimated:
    """Return the expected running time: steps of all runs per success; infinite without a success.

    Notes
    -----
    It is the mean steps of a success plus the mean steps of a failure times the odds of failure. The odds have Wilson's
    interval with the effective number of independent runs (:func:`~sweep.statistics.clustered.independent_runs`), and
    the means Student's over seeds. Failures may be of two kinds, and few failures may show only one. So one more
    failure is added to their spread, half the limit of steps off the mean, and without failures a failure is assumed to
    take at most the limit. The parts are combined by the method of :func:`ratio_of`.
    """
    failed, n_converged = side.runs - side.converged, side.converged.sum(axis=1)
    per_success = 1 / np.maximum(n_converged, 1)
    success, success_off = _mean(side.of_converged, side.converged, side.most)
    failure, failure_off = _mean(side.of_others, failed, side.most, unseen=side.most / 2)
    rate, *rates = _rate(side)
    lost = side.of_others.sum(axis=1) * per_success
    lost_off = (side.of_others - lost[:, None] * side.converged) * per_success[:, None]
    odds_off = (failed - (failed.sum(axis=1) * per_success)[:, None] * side.converged) * per_success[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = tuple((1 - each) / each for each in (rate, *reversed(rates)))
        parts = [tuple(np.log(each) for each in part) for part in (odds, failure)]
        low, high = np.exp(_sum(parts[0], parts[1], _correlation(odds_off, failure_off)))
        some = lost > 0
        ends = np.where(some, low, 0.0), np.where(some, high, odds[2] * side.most)
    low, high = _sum(success, (lost, *ends), _correlation(success_off, lost_off))
    value = np.where(n_converged > 0, success[0] + lost, np.inf)
    return Estimated(value, np.maximum(low, success[1]), high, success_off + lost_off)


def saved_steps(side: SeedSteps) -> Estimated:
    """Return the mean steps that a run saves of its limit: the limit less the restricted mean.

    Parameters
    ----------
    side
        Counts of runs that converged within the limits; ``of_converged`` holds the steps that these save.

    Returns
    -------
    Estimated
        The mean over all runs, in steps.

    Notes
    -----
    The share of runs that converge times the mean that each saves, with the interval used for cells
    (:func:`~sweep.statistics.intervals.product_interval`).
    """
    n_runs, (rate, *ends) = side.runs.sum(axis=1)[:, None], _rate(side)
    n_seeds = (side.converged > 0).sum(axis=1)
    per_success = 1 / np.maximum(side.converged.sum(axis=1), 1)
    each = side.of_converged.sum(axis=1) * per_success
    each_off = (side.of_converged - each[:, None] * side.converged) * per_success[:, None]
    rate_off = (side.converged - rate[:, None] * side.runs) / n_runs
    saved = saved_interval(each, _error(each_off, n_seeds), n_seeds, side.most)
    low, high = product_interval((rate, ends[0], ends[1]), saved, _correlation(rate_off, each_off))
    value = side.of_converged.sum(axis=1) / n_runs[:, 0]
    return Estimated(value, low, high, (side.of_converged - value[:, None] * side.runs) / n_runs)


def _rate(side: SeedSteps) -> Estimate:
    """Return the share of runs that converged and the ends of its interval; missing for one seed with several runs."""
    rate = side.converged.sum(axis=1) / side.runs.sum(axis=1)
    n = independent_runs(side.converged, side.runs, side.unanimous)
    low, high = wilson_interval(rate * n, n)
    return rate, np.where(np.isnan(n), np.nan, low), np.where(np.isnan(n), np.nan, high)


def _mean(sums: Array, counts: Array, most: Array, unseen: Array | float = 0.0) -> tuple[Estimate, Array]:
    """Return mean steps of counted runs, the ends of their interval, and the influence of each seed.

    The interval is symmetric in the logarithm. For one seed it is from 0 to the limit. It allows for one unseen run
    that differs from the mean by ``unseen``.
    """
    n, n_seeds = np.maximum(counts.sum(axis=1), 1), (counts > 0).sum(axis=1)
    mean = sums.sum(axis=1) / n
    off = (sums - mean[:, None] * counts) / n[:, None]
    spread = student_quantile(n_seeds) * _error(off, n_seeds, unseen / n) / np.where(mean > 0, mean, 1.0)
    factor = np.exp(np.where(n_seeds > 1, np.minimum(spread, 700.0), np.inf))
    low, high = mean / factor, np.where(np.isinf(factor), most, np.minimum(mean * np.minimum(factor, 1e300), most))
    return (mean, low, np.maximum(high, mean)), off


def _error(off: Array, n_seeds: Array, unseen: Array | float = 0.0) -> Array:
    """Return the standard error of a mean from the influence of each seed, and perhaps of one unseen run."""
    return np.asarray(np.sqrt(((off**2).sum(axis=1) + unseen**2) * n_seeds / np.maximum(n_seeds - 1, 1)))


def _sum(one: Estimate, other: Estimate, correlation: Array) -> tuple[Array, Array]:
    """Return the ends of the interval of a sum."""
    ends = []
    for side, sign in ((1, -1), (2, 1)):
        parts = np.abs(one[side] - one[0]), np.abs(other[side] - other[0])
        with np.errstate(invalid="ignore"):
            squares = parts[0] ** 2 + parts[1] ** 2 + 2 * correlation * parts[0] * parts[1]
        far = np.isinf(parts[0]) | np.isinf(parts[1])
        ends.append(one[0] + other[0] + sign * np.sqrt(np.where(far, np.inf, np.maximum(squares, 0.0))))
    return ends[0], ends[1]


def _difference(one: Estimate, other: Estimate, correlation: Array) -> tuple[Array, Array]:
    """Return the ends of the interval of a difference."""
    return _sum(one, (-other[0], -other[2], -other[1]), -correlation)


def _correlation(one: Array, other: Array) -> Array:
    """Return the correlation of two statistics over seeds; 0 where either does not vary."""
    spread = np.sqrt((one**2).sum(axis=1)) * np.sqrt((other**2).sum(axis=1))
    together = (one * other).sum(axis=1)
    return np.asarray(np.divide(together, spread, out=np.zeros(len(spread)), where=spread > 0))
