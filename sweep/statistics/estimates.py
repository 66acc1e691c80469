"""Estimates of means, with intervals at any level.

An estimate has a ``value`` by group, the ``influence`` of each cluster on it, and ``ends``, its interval at a level.
All intervals of expected steps, restricted means and mean correct outputs come from here: for one cell, several cells
that share seeds, the best of k cells, and both sides of a comparison.

They combine intervals of parts that hold even where nearly all runs or hardly any converge. A bootstrap does not: if
none of 20 runs failed, none fails in any resample.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from sweep.statistics.clusters import Clusters
from sweep.statistics.combined import Interval, logarithms, product_interval, sum_interval
from sweep.statistics.intervals import (
    LEVEL,
    Array,
    clopper_pearson_interval,
    normal_quantile,
    quantile_ranks,
    student_quantile,
    unseen_share,
    wilson_interval,
)
from sweep.statistics.runs import Correct, Runs


class Estimate(ABC):
    """An estimate by group."""

    clusters: Clusters  # the clusters that it is estimated from
    value: Array  # (n_groups,): the estimate
    influence: Array  # (n_clusters,): by how much each cluster moves it
    error: Array | float = np.nan  # (n_groups,): its standard error; NaN for estimates without one

    @abstractmethod
    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval, (n_groups,) each, which misses with probability ``level``."""


class Rate(Estimate):
    """The share of runs that are ``marked``, (rows,), such as those that converged.

    Where cells count equally, it is the mean of their shares.

    The interval of independent runs is Wilson's; at levels that are given for each group, that of Clopper and Pearson,
    since Wilson's covers less at small ones. That of runs that share seeds, or count differently, is Wilson's with the
    effective number of independent runs (:meth:`Runs.independent`). It is too narrow with fewer than about 100 seeds if
    a few of them decide whole groups of runs.
    """

    def __init__(self, runs: Runs, marked: Array) -> None:
        self._runs = runs
        self._marked = marked
        self.value = runs.mean(marked.astype(np.float64))

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval; missing for one seed with several runs, and where seeds are not known."""
        runs = self._runs
        n = self._runs.independent(self._marked)
        counts = runs.add(self._marked), runs.n_runs
        exact = runs.are_independent & (np.ndim(level) > 0)
        of_counts = clopper_pearson_interval(*counts, level) if exact.any() else (n, n)
        with np.errstate(invalid="ignore"):
            of_rate = wilson_interval(np.where(runs.are_independent, counts[0], self.value * n), n, level)
        return np.where(exact, of_counts[0], of_rate[0]), np.where(exact, of_counts[1], of_rate[1])


class Quantile(Estimate):
    """A quantile of values of runs, (rows,): the value of run ceil(share n) in ascending order.

    Values are infinite where there is none, as no step at which a run converges. ``share`` is the probability of the
    quantile, as numerator and denominator. No value is below ``lowest``.

    The interval of independent runs lies between two of them (:func:`~sweep.statistics.intervals.quantile_ranks`): from
    ``lowest`` where not even the first is a lower bound, to infinity where not even the last is an upper bound. That
    of runs that share seeds is Woodruff's, J. Amer. Statist. Assoc. 47 (1952) 635: its ends are the values at the
    quantile's share minus and plus the error of the share of runs up to the quantile.
    """

    def __init__(self, runs: Runs, values: Array, share: tuple[int, int], lowest: float = 0.0) -> None:
        self._runs = runs
        self._share = share
        self._lowest = lowest
        self._ordered = runs.ordered(values)
        self.value = self._ordered.quantile(share)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval; missing for runs of several cells without seeds, or uneven cells."""
        runs = self._runs
        n_runs = runs.n_runs
        part = self._share[0] / self._share[1]
        levels = np.broadcast_to(np.asarray(level, np.float64), n_runs.shape)
        sizes, place = np.unique(np.stack([n_runs, levels]), axis=1, return_inverse=True)
        ranks = np.array([quantile_ranks(int(n), part, float(each)) for n, each in sizes.T], np.int64).reshape(-1, 2)
        low, high = ranks[place.ravel()].T
        known = runs.has_intervals
        if not runs.are_independent.all():
            values = self._ordered.values
            n = runs.independent((values <= self.value[runs.group]) & (values < np.inf))
            error = normal_quantile(levels) * np.sqrt(part * (1 - part) / n)
            known = known & ~np.isnan(error)
            error = np.nan_to_num(error)
            low = np.where(runs.are_independent, low, np.floor(n_runs * (part - error)).astype(np.int64))
            high = np.where(runs.are_independent, high, np.ceil(n_runs * (part + error)).astype(np.int64) + 1)
        low, high = (self._ordered.at(rank, self._lowest) for rank in (low, high))
        return np.where(known, low, np.nan), np.where(known, high, np.nan)


class Pooled(Estimate):
    """An estimate of runs that may be of several cells: of uneven ones its value alone, in which cells count equally.

    Each run counts once in ``estimate``, and cells count equally in ``equal``, (n_groups,), which is None where they
    are even.
    """

    def __init__(self, runs: Runs, estimate: Estimate, equal: Array | None) -> None:
        self._runs = runs
        self._estimate = estimate
        several = runs.n_cells > 1
        self.error = np.where(runs.has_intervals, estimate.error, np.nan)
        self.value = estimate.value if equal is None else np.where(several, equal, estimate.value)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval; missing for runs of several cells without seeds, or uneven cells."""
        known = self._runs.has_intervals
        ends = self._estimate.ends(level)
        return np.where(known, ends[0], np.nan), np.where(known, ends[1], np.nan)


class ExpectedSteps(Estimate):
    """The expected running time (ERT): steps of all runs per success; infinite without a success.

    It is the mean steps of successes plus the mean steps of failures times the odds of failure. The odds have the
    interval of :func:`_rate`, the means Student's over clusters. A few failures may all be short or all be long
    although both kinds exist. So the interval adds one failure that is half the step limit off the mean. Without
    failures, it assumes that one takes at most the limit.
    """

    def __init__(self, clusters: Clusters) -> None:
        self.clusters = clusters
        failed = clusters.runs - clusters.converged
        self._n_converged = clusters.add(clusters.converged)
        each = 1 / np.maximum(self._n_converged, 1)
        self._success = _Mean(clusters, clusters.of_converged, clusters.converged)
        self._failure = _Mean(clusters, clusters.of_others, failed, unseen=clusters.most / 2)
        self._lost = clusters.add(clusters.of_others) * each
        lost = clusters.rest(clusters.of_others, self._lost, clusters.converged, each)
        odds = clusters.rest(failed, clusters.add(failed) * each, clusters.converged, each)
        self._of_odds = clusters.correlation(odds, self._failure.influence)
        self._of_sum = clusters.correlation(self._success.influence, lost)
        self.influence = self._success.influence + lost
        self.value_if_one = self._success.value + self._lost  # without a success, as if one had taken no steps
        self.value = np.where(self._n_converged > 0, self.value_if_one, np.inf)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval; without a success the upper one is infinite."""
        rate, *rates = _rate(self.clusters, level)
        success, failure = (each.interval(level) for each in (self._success, self._failure))
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = (1 - rate) / rate, (1 - rates[1]) / rates[1], (1 - rates[0]) / rates[0]
            low, high = np.exp(sum_interval(logarithms(odds), logarithms(failure), self._of_odds))
            some = self._lost > 0
            ends = np.where(some, low, 0.0), np.where(some, high, odds[2] * self.clusters.most)
            least = odds[1] * failure[1]
        low, high = sum_interval(success, (self._lost, *ends), self._of_sum)
        never = self._n_converged == 0
        return np.where(never, least, np.maximum(low, success[1])), np.where(never, np.inf, high)


class RestrictedMean(Estimate):
    """The restricted mean of steps to converge (RMST). Runs that do not converge count with their limit.

    It is the mean limit minus the convergence rate times the mean steps saved per converged run. The rate has the
    interval of :func:`_rate`, the mean Student's. ``of_converged`` of the clusters holds the steps that converged runs
    save of their limits; ``limits``, (n_clusters,), are sums of the limits of the runs.
    """

    def __init__(self, clusters: Clusters, limits: Array) -> None:
        self.clusters = clusters
        n_runs = clusters.add(clusters.runs)
        self._limit = clusters.add(limits) / n_runs
        self._each = _Mean(clusters, clusters.of_converged, clusters.converged)
        of_rate = clusters.rest(clusters.converged, clusters.rate, clusters.runs, 1 / n_runs)
        self._together = clusters.correlation(of_rate, self._each.influence)
        steps = limits - clusters.of_converged
        self.value = clusters.add(steps) / n_runs
        self.influence = clusters.rest(steps, self.value, clusters.runs, 1 / n_runs)
        n = clusters.n_clusters
        self.error = np.where(n > 1, _error(clusters, self.influence, n), np.nan)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval."""
        low, high = product_interval(_rate(self.clusters, level), self._each.saved(level), self._together)
        return self._limit - high, self._limit - low


class DifferenceOfCorrect:
    """The mean difference of correct outputs over the pairs of two sides, (groups,).

    ``sums`` are the correct outputs of each side, summed over the pairs of each seed, and ``n_pairs`` the number of
    these pairs, each (groups, seeds). ``are_crossed`` says whether runs share seeds and replicates.

    The interval is that of :class:`MeanCorrect` for a number from -w to w per pair. It allows for unseen failures that
    differ by w in favor of the other side: all outputs but those that are correct from guessing, or all if some seed
    has no correct output.
    """

    def __init__(self, sums: Sequence[Array], n_pairs: Array, correct: Correct, *, are_crossed: bool = False) -> None:
        none_correct = np.any([((each == 0) & (n_pairs > 0)).any(axis=1) for each in sums], axis=0)
        self._w = np.where(none_correct, correct.most, correct.most - correct.guessed)
        clusters = Clusters.of_seeds(n_pairs, n_pairs, sums[0] - sums[1] + self._w[:, np.newaxis] * n_pairs)
        clusters.are_crossed = are_crossed
        self._shifted = MeanCorrect(clusters, 2 * self._w, 0.0)
        self.value = self._shifted.value - self._w

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval."""
        low, high = self._shifted.ends(level)
        return low - self._w, high - self._w


class MeanCorrect(Estimate):
    """The mean number of correct outputs of runs, of at most ``most``; ``guessed`` are those of a network that guesses.

    All runs count as converged in the clusters, whose ``of_converged`` holds their correct outputs.

    The interval is Student's over clusters, widened for runs that were not seen. Their share is the exact upper bound
    of a rate without a success (:func:`~sweep.statistics.intervals.unseen_share`). The lower end assumes that they
    guess, or have no correct output if a cluster has none, as diverged runs do, or if the mean is not above guessing.
    The upper end assumes that all their outputs are correct. So the interval does not allow for diverged runs if none
    diverged. Where runs share seeds and replicates, all of them have been seen, however few the clusters are.
    """

    def __init__(self, clusters: Clusters, most: Array | int, guessed: float) -> None:
        self.clusters = clusters
        self._most = most
        none_correct = clusters.add((clusters.of_converged == 0) & (clusters.runs > 0)) > 0
        self._mean = _Mean(clusters, clusters.of_converged, clusters.runs)
        self.value = self._mean.value
        self._worst = np.where(none_correct | (self.value <= guessed), 0.0, guessed)
        self.influence = self._mean.influence

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval; missing for a single cluster."""
        n = self.clusters.n_clusters
        spread = student_quantile(n, level) * self._mean.error
        unseen = unseen_share(self.clusters.add(self.clusters.runs) if self.clusters.are_crossed else n, level)
        below, above = np.maximum(self.value - self._worst, 0.0), self._most - self.value
        low, high = (
            self.value + sign * np.sqrt(spread**2 + (unseen * far) ** 2) for sign, far in ((-1, below), (1, above))
        )
        return np.maximum(low, 0.0), np.minimum(high, self._most)


def saved_interval(mean: Array, error: Array, n: Array, most: Array, level: Array | float = LEVEL) -> Interval:
    """Return the mean steps that a converged run saves of its limit, and the ends of their interval, each (groups,).

    They come from the mean of ``n`` independent values from 0 to ``most`` and its standard error, in steps. Without
    values the mean is ``most``, and with fewer than two the interval is 0 to ``most``.
    """
    spread = np.where(np.asarray(n) > 1, student_quantile(n, level) * error, np.inf)
    return np.where(np.asarray(n) > 0, mean, most), np.maximum(mean - spread, 0.0), np.minimum(mean + spread, most)


class _Mean:
    """Mean steps of counted runs, from their steps and number in each cluster, each (n_clusters,).

    ``unseen``, (n_groups,), is how far off the mean one unseen run may be, in steps.
    """

    def __init__(self, clusters: Clusters, sums: Array, counts: Array, unseen: Array | float = 0.0) -> None:
        self._most = clusters.most
        n = np.maximum(clusters.add(counts), 1)
        self.value = clusters.add(sums) / n
        self.influence = clusters.rest(sums, self.value, counts, 1 / n)
        self._n_clusters = clusters.add(counts > 0)
        self.error = _error(clusters, self.influence, self._n_clusters, unseen / n)

    def interval(self, level: Array | float) -> Interval:
        """Return the mean and its interval, symmetric in the logarithm; for one cluster 0 to the limit."""
        mean = self.value
        spread = student_quantile(self._n_clusters, level) * self.error / np.where(mean > 0, mean, 1.0)
        factor = np.exp(np.where(self._n_clusters > 1, np.minimum(spread, 700.0), np.inf))
        with np.errstate(over="ignore", invalid="ignore"):
            high = np.where(np.isinf(factor), self._most, np.minimum(mean * factor, self._most))
        return mean, mean / factor, np.maximum(high, mean)

    def saved(self, level: Array | float) -> Interval:
        """Return the mean and its interval, as :func:`saved_interval` does."""
        return saved_interval(self.value, self.error, self._n_clusters, self._most, level)


def _rate(clusters: Clusters, level: Array | float) -> Interval:
    """Return the convergence rate and its interval, which is missing for one cluster with several runs.

    It is Wilson's with the effective number of independent runs; at levels that are given for each group, that of
    single runs is Clopper and Pearson's, as for :class:`Rate`.
    """
    n = clusters.n_independent
    if np.ndim(level) > 0 and (clusters.runs <= 1).all():
        counts = clusters.add(clusters.converged), clusters.add(clusters.runs)
        return clusters.rate, *clopper_pearson_interval(*counts, level)
    return clusters.rate, *wilson_interval(clusters.rate * n, n, level)


def _error(clusters: Clusters, influence: Array, n: Array, unseen: Array | float = 0.0) -> Array:
    """Return the standard error of a mean from the influences of clusters and of one unseen run."""
    return np.asarray(np.sqrt((clusters.add(influence**2) + unseen**2) * n / np.maximum(n - 1, 1)))
