"""How the steps of runs that share their seeds compare: ratios of expected steps, differences of restricted means.

Both are made of a rate and of mean steps, each with an interval of its own, which hold where nearly all runs or hardly
any converge. Resampled runs do not: where none of 20 seeds failed, none fails in a bootstrap of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sweep.statistics.clustered import independent_runs
from sweep.statistics.intervals import Array, product_interval, saved_interval, student_quantile, wilson_interval

# An estimate and the ends of its interval, of each group.
Estimate = Sequence[Array]


class SeedSteps(NamedTuple):
    """The runs of one side of comparisons, added up by group and seed.

    Attributes
    ----------
    runs, converged : (n_groups, n_seeds)
        Counts.
    of_converged, of_others : (n_groups, n_seeds)
        Steps that the runs that converged took, and those that the others took.
    unanimous : (n_groups,)
        Cells of which every run converged, or none.
    most : (n_groups,)
        The most steps that a run may take.
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
        How far each seed moves it.
    """

    value: Array
    low: Array
    high: Array
    off: Array


def ratio_of(first: Estimated, second: Estimated) -> Estimate:
    """Return the expected steps of the first side as a multiple of those of the second, and the 95 % interval.

    Parameters
    ----------
    first, second
        As of :func:`expected_steps`, with the same seeds.

    Returns
    -------
    ratio, low, high : (n_groups,)
        Where no run of the first side converged the ratio is infinite, where none of the second did 0, where neither
        did missing. The interval takes a success of both sides, and is missing where it would hold every ratio.

    Notes
    -----
    The method of variance estimates recovery (Zou and Donner, Statist. in Medicine 27 (2008) 1693) for the difference
    of logarithms, with the correlation over seeds. It covers less where less than one success is expected: there is a
    ratio only where a run converged by luck.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = first.value / second.value
        one, other = (tuple(np.log(each) for each in side[:3]) for side in (first, second))
        low, high = np.exp(_difference(one, other, _correlation(first.off, second.off)))
    known = np.isfinite(ratio) & (ratio > 0) & ((low > 0) | np.isfinite(high))
    return ratio, np.where(known, low, np.nan), np.where(known, high, np.nan)


def difference_of(first: Estimated, second: Estimated) -> Estimate:
    """Return how many steps more of its limit the first side saves than the second, and the 95 % interval.

    Parameters
    ----------
    first, second
        As of :func:`saved_steps`, with the same seeds and limits.

    Returns
    -------
    difference, low, high : (n_groups,)
        Also the restricted mean of the second side less that of the first.

    Notes
    -----
    As :func:`ratio_of`, without logarithms.
    """
    low, high = _difference(first[:3], second[:3], _correlation(first.off, second.off))
    return first.value - second.value, low, high


def expected_steps(side: SeedSteps) -> Estimated:
    """Return the steps of all runs for each success; infinite where there is none.

    Notes
    -----
    They are the mean steps of a success, and the mean steps of a failure times the failures for each success. Of these
    odds the interval is Wilson's, as of so many independent runs as the seeds amount to
    (:func:`~sweep.statistics.clustered.independent_runs`), of means Student's over seeds. Failures may be of two kinds,
    of which few show one: their spread has one more in it that is half the most steps off, and where no run failed, a
    failure takes at most what a run may. The parts are put together by the method of :func:`ratio_of`.
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
    """Return the steps that a run saves of its limit: the limit less the restricted mean.

    Parameters
    ----------
    side
        Runs converge within their limits, and ``of_converged`` are the steps that they save of them.

    Notes
    -----
    The share of runs that converge times what each saves, with the interval that cells have
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
    """Return the share of runs that converged, and the ends of its interval; missing of a seed of several runs."""
    rate = side.converged.sum(axis=1) / side.runs.sum(axis=1)
    n = independent_runs(side.converged, side.runs, side.unanimous)
    low, high = wilson_interval(rate * n, n)
    return rate, np.where(np.isnan(n), np.nan, low), np.where(np.isnan(n), np.nan, high)


def _mean(sums: Array, counts: Array, most: Array, unseen: Array | float = 0.0) -> tuple[Estimate, Array]:
    """Return the mean steps of what is counted, the ends of their interval, and how far off each seed is.

    The interval is symmetric in its logarithm. Of one seed it is from 0 to the most. It allows for a run that was not
    seen and is so far off the mean.
    """
    n, n_seeds = np.maximum(counts.sum(axis=1), 1), (counts > 0).sum(axis=1)
    mean = sums.sum(axis=1) / n
    off = (sums - mean[:, None] * counts) / n[:, None]
    spread = student_quantile(n_seeds) * _error(off, n_seeds, unseen / n) / np.where(mean > 0, mean, 1.0)
    factor = np.exp(np.where(n_seeds > 1, np.minimum(spread, 700.0), np.inf))
    low, high = mean / factor, np.where(np.isinf(factor), most, np.minimum(mean * np.minimum(factor, 1e300), most))
    return (mean, low, np.maximum(high, mean)), off


def _error(off: Array, n_seeds: Array, unseen: Array | float = 0.0) -> Array:
    """Return the standard error of a mean, of how far off its seeds are, and perhaps one more."""
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
    """Return how two statistics vary together, over seeds; not at all where either does not vary."""
    spread = np.sqrt((one**2).sum(axis=1)) * np.sqrt((other**2).sum(axis=1))
    together = (one * other).sum(axis=1)
    return np.asarray(np.divide(together, spread, out=np.zeros(len(spread)), where=spread > 0))
