"""Intervals of statistics pooled over cells that share seeds: seeds are independent, runs of one seed are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sweep.statistics.clusters import Clusters
from sweep.statistics.estimates import ExpectedSteps, RestrictedMean
from sweep.statistics.intervals import Array, Z, student_quantile, wilson_interval
from sweep.statistics.outcomes import Outcomes
from sweep.statistics.restarts import LEAST_SUCCESSES, best_limits
from sweep.statistics.steps import QUANTILES, columns_of_steps, ends_by_group, steps_at_ranks, steps_quantiles
from sweep.statistics.tally import tally_runs
from sweep.study.columns import STATUSES

# Least effective number of seeds for an interval over uneven cells, unless it is half of all.
_LEAST_SEEDS = 50

# Above the steps of any run.
_MOST_STEPS = 2**31 - 1

_CONVERGED, _ANOTHER = STATUSES.index("converged"), STATUSES.index("exhausted")


def rate_intervals(outcomes: Outcomes, group: Array) -> tuple[Array, Array]:
    """Return the 95 % intervals of the convergence rates of groups of cells.

    Parameters
    ----------
    outcomes
        Outcomes of all cells.
    group : (n_cells,)
        The number of the group of each cell.

    Returns
    -------
    low, high : (n_groups,)
        Ends of the intervals, in the order of group numbers; missing for groups of several cells with one seed, which
        says nothing about other seeds.

    Notes
    -----
    Cells have equal weights. The interval is Wilson's with the effective number of independent runs
    (:func:`independent_runs`). With fewer than about 100 seeds it is too narrow if a few of them decide whole groups of
    runs.
    """
    sums = SeedSums(outcomes, group)
    rates = outcomes.converged.sum(axis=1) / outcomes.present.sum(axis=1)
    n_cells = np.bincount(sums.place)
    rate = np.bincount(sums.place, rates) / n_cells
    return _wilson(rate, sums.independent_runs(outcomes.converged))


def step_intervals(outcomes: Outcomes, group: Array, most_steps: Array, ends: pd.DataFrame) -> pd.DataFrame:
    """Return the 95 % intervals of the steps of groups of cells.

    Parameters
    ----------
    outcomes, group
        As in :func:`rate_intervals`.
    most_steps : (n_cells,)
        The step limit of the runs of each cell.
    ends
        The tally of the same runs by the same groups, from :func:`~sweep.statistics.steps.ends_by_group`.

    Returns
    -------
    DataFrame
        By group: ends of intervals and standard errors of the statistics of steps, and ``restarted_steps``, for which
        seeds are divided into halves.

    Notes
    -----
    The interval of a quantile q is Woodruff's, J. Amer. Statist. Assoc. 47 (1952) 635. Its ends are the steps by which
    a share of q minus or plus the error of the share at q has converged. Intervals of expected steps and restricted
    means are those of cells, with seeds as clusters (:mod:`sweep.statistics.estimates`). The interval of
    ``restarted_steps`` uses the delta method for a ratio of two sums over seeds (Cochran, Sampling Techniques (1977),
    section 6.13). It is missing if fewer than 100 seeds have a converged run.
    """
    sums = SeedSums(outcomes, group)
    columns = {**_quantiles(sums, outcomes, ends), **_means(sums, outcomes, most_steps)}
    columns |= _restarted_steps(sums, outcomes)
    return pd.DataFrame(columns, pd.Index(sums.numbers, name="group"))


class SeedSums:
    """Sums over the runs of each seed, by group of cells.

    Attributes
    ----------
    numbers : (n_groups,)
        Numbers of the groups, ascending.
    place : (n_cells,)
        Index in ``numbers`` of each cell's group.
    runs : (n_groups, n_seeds)
        Number of trained runs.
    n_seeds : (n_groups,)
        Number of seeds with trained runs.
    """

    def __init__(self, outcomes: Outcomes, group: Array) -> None:
        self.numbers, self.place = np.unique(group, return_inverse=True)
        order = np.argsort(group, kind="stable")
        self._cells = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
        self._present = outcomes.present
        self.runs = self.of(self._present)
        self.n_seeds = (self.runs > 0).sum(axis=1)

    def of(self, values: Array) -> Array:
        """Sum values of cells and seeds by group and seed."""
        exact = np.float64 if values.dtype.kind == "f" else np.int64
        return np.stack([values[cells].sum(axis=0, dtype=exact) for cells in self._cells])  # reduceat is slower

    def clusters(self, converged: Array, steps: Array, most: Array, others: Array | None = None) -> Clusters:
        """Return the seeds of each group as clusters.

        Parameters
        ----------
        converged, steps : (n_cells, n_seeds)
            Runs that converged, and their steps or another quantity; 0 for all other runs.
        most : (n_groups,)
            The step limit of a run.
        others : (n_cells, n_seeds)
            Steps of the other runs; 0 for those that converged.
        """
        of_others = None if others is None else self.of(others)
        n = self.independent_runs(converged)
        return Clusters.of_seeds(self.runs, self.of(converged), self.of(steps), of_others, most, n)

    def independent_runs(self, marked: Array) -> Array:
        """Return the effective number of independent runs for the share of marked runs, by group.

        If cells have different numbers of runs, it belongs to the mean of their shares. It is then missing if fewer
        than 50 seeds, and fewer than half of all, have most of the weight.
        """
        marked = marked & self._present
        n_marked, n_runs = marked.sum(axis=1), self._present.sum(axis=1)
        alike = (n_marked == 0) | (n_marked == n_runs)
        if n_runs.min(initial=1) == n_runs.max(initial=1):
            return independent_runs(self.of(marked), self.runs, np.bincount(self.place, alike, len(self.numbers)))
        weights = 1 / n_runs / np.bincount(self.place)[self.place]
        rest = self.of((marked - (n_marked / n_runs)[:, None] * self._present) * weights[:, None])
        squares = (rest**2).sum(axis=1) + np.bincount(self.place, alike * weights**2) / 2
        rate = np.bincount(self.place, n_marked * weights)
        unlike = np.minimum((self.of(marked) > 0).sum(axis=1), (self.of(marked) < self.runs).sum(axis=1))
        of_seeds = self.of(self._present * weights[:, None])
        n_seeds = of_seeds.sum(axis=1) ** 2 / (of_seeds**2).sum(axis=1)  # of equal weights (Kish)
        n = _effective(rate, squares, np.minimum(unlike, n_seeds), n_seeds)
        n[(n_seeds < _LEAST_SEEDS) & (n_seeds < self.n_seeds / 2)] = np.nan
        return np.where(self.runs.max(axis=1) > 1, n, self.runs.sum(axis=1))


def independent_runs(successes: Array, runs: Array, unanimous: Array) -> Array:
    """Return the effective number of independent runs for shares of runs that are clustered by seed.

    Parameters
    ----------
    successes, runs : (n_shares, n_seeds)
        Numbers of successful runs and of all runs of each seed.
    unanimous : (n_shares,)
        Number of cells in which no run or every run succeeds.

    Returns
    -------
    n : (n_shares,)
        The number of independent runs whose share would have the same variance. It is the number of runs if each seed
        has one, and missing for one seed with several runs.

    Notes
    -----
    The variance of a share is that of a ratio of two sums over seeds. Student's quantile for the seeds exceeds the
    normal one, which reduces n further. Cells whose runs all end alike show no variance although they have some, so
    each adds the variance of half a run that differs. Only seeds with a run unlike the majority show the correlation
    within seeds. Without such seeds n is the number of seeds, which assumes full correlation. The more such seeds there
    are, the less weight this assumption has.
    """
    n_runs, n_seeds = runs.sum(axis=1), (runs > 0).sum(axis=1)
    rate = successes.sum(axis=1) / n_runs
    products = (np.einsum("gs,gs->g", *pair) for pair in ((successes, successes), (successes, runs), (runs, runs)))
    of_successes, of_both, of_runs = products
    squares = np.maximum(of_successes - 2 * rate * of_both + rate**2 * of_runs, 0.0) + unanimous / 2
    unlike = np.minimum((successes > 0).sum(axis=1), (successes < runs).sum(axis=1))
    n = _effective(rate, squares / n_runs**2, unlike, n_seeds)
    return np.asarray(np.where(runs.max(axis=1) > 1, n, n_runs))


def _effective(rate: Array, squares: Array, unlike: Array, n_seeds: Array) -> Array:
    """Return the effective number of independent runs from the squared influences of seeds on a rate."""
    seen = squares * n_seeds / np.maximum(n_seeds - 1, 1) * (student_quantile(n_seeds) / Z) ** 2
    weight, spread = unlike**2.0, rate * (1 - rate)
    variance = (weight * seen + spread / n_seeds) / (weight + 1)
    n = np.divide(spread, variance, out=n_seeds.astype(np.float64), where=spread > 0)
    return np.where(n_seeds > 1, n, np.nan)


def runs_by_step(outcomes: Outcomes, steps: Array) -> Array:
    """Return the effective number of independent runs for the share of runs converged by each of some steps."""
    cell, seed = np.nonzero(outcomes.converged)
    by = np.searchsorted(steps, outcomes.steps[cell, seed])
    shape = outcomes.steps.shape
    of_seeds, of_cells = (
        np.cumsum(np.bincount(place * (len(steps) + 1) + by, minlength=n * (len(steps) + 1)).reshape(n, -1), axis=1)
        for place, n in ((seed, shape[1]), (cell, shape[0]))
    )
    of_seeds, of_cells = of_seeds[:, :-1].T, of_cells[:, :-1]
    present = outcomes.present
    alike = (of_cells == 0) | (of_cells == present.sum(axis=1)[:, None])
    return independent_runs(of_seeds, np.broadcast_to(present.sum(axis=0), of_seeds.shape), alike.sum(axis=0))


def _wilson(rate: Array, n: Array) -> tuple[Array, Array]:
    """Return Wilson's interval, missing where ``n`` is."""
    low, high = wilson_interval(rate * n, n)
    return np.where(np.isnan(n), np.nan, low), np.where(np.isnan(n), np.nan, high)


def _quantiles(sums: SeedSums, outcomes: Outcomes, ends: pd.DataFrame) -> dict[str, Array]:
    """Return the ends of the intervals of quantiles."""
    points, needed, n_runs = steps_quantiles(ends), outcomes.steps_to_converge(), sums.runs.sum(axis=1)
    ranks: dict[str, pd.Series[int]] = {}
    for name, (part, whole) in QUANTILES.items():
        share = part / whole
        at = points[name].to_numpy(np.float64, na_value=2.0**61)[sums.place][:, None]
        error = Z * np.sqrt(share * (1 - share) / sums.independent_runs(needed <= at))
        error = np.where(np.isnan(error), 1.0, error)
        low, high = np.floor(n_runs * (share - error)), np.ceil(n_runs * (share + error)) + 1
        for end, rank in (("low", np.clip(low, 0, None)), ("high", np.clip(high, None, n_runs + 1))):
            ranks[f"{name}_{end}"] = pd.Series(rank.astype(np.int64), points.index)
    found = steps_at_ranks(ends, ranks)
    return {name: found[name].array for name in ranks}


def _ratio(sums: SeedSums, steps: Array, successes: Array) -> tuple[Array, Array, Array]:
    """Return the steps per success and their interval, symmetric in the logarithm; missing without a success."""
    n, of_all, succeeded = sums.n_seeds, steps.sum(axis=1), successes.sum(axis=1)
    ratio = np.divide(of_all, succeeded, out=np.full(len(n), np.nan), where=succeeded > 0)
    squares = ((steps - ratio[:, None] * successes) ** 2).sum(axis=1)
    error = np.sqrt(squares * n / np.maximum(n - 1, 1)) / np.maximum(of_all, 1)
    factor = np.exp(student_quantile(n) * error)
    return ratio, ratio / factor, ratio * factor


def _restarted_steps(sums: SeedSums, outcomes: Outcomes) -> dict[str, Array]:
    """Return the steps per success with restarts. Each half of the seeds uses the best limits of the other half."""
    halves = np.arange(outcomes.steps.shape[1]) % 2 == 0
    limits = [_best_limits(sums, Outcomes(outcomes.steps[:, half], outcomes.converged[:, half]))
              for half in (~halves, halves)]  # fmt: skip
    of_cells = (np.minimum(limit, _MOST_STEPS).astype(np.int32)[sums.place][:, None] for limit in limits)
    most = np.where(halves, *of_cells)
    spent = np.minimum(outcomes.steps, most) * outcomes.present
    ratio, low, high = _ratio(sums, sums.of(spent), sums.of(outcomes.converged & (outcomes.steps <= most)))
    n_seeds = (sums.of(outcomes.converged) > 0).sum(axis=1)  # with a success
    ends = (np.where(n_seeds >= LEAST_SUCCESSES, end, np.nan) for end in (low, high))
    columns = np.where(n_seeds == 0, np.inf, ratio), *ends
    return dict(zip(("restarted_steps", "restarted_steps_low", "restarted_steps_high"), columns, strict=True))


def _best_limits(sums: SeedSums, outcomes: Outcomes) -> Array:
    """Return the best limits of steps for some runs, by group; infinite where none converged."""
    present = outcomes.present
    there: Any = slice(None) if present.all() else present.ravel()  # indexing all runs takes as long as counting them
    group = np.repeat(sums.place, present.shape[1])[there]
    status = np.where(outcomes.converged.ravel()[there], np.int8(_CONVERGED), np.int8(_ANOTHER))
    tally = tally_runs(group, status, outcomes.steps.ravel()[there])
    limits = np.full(len(sums.numbers), np.inf)
    found = best_limits(ends_by_group(tally, tally["cell"].to_numpy(), np.zeros(len(tally))))
    limits[found.index] = found
    return limits


def _means(sums: SeedSums, outcomes: Outcomes, most_steps: Array) -> dict[str, Array]:
    """Return restricted means and expected steps with their intervals."""
    largest = np.zeros(len(sums.numbers), np.int64)
    np.maximum.at(largest, sums.place, most_steps)
    limit = most_steps.astype(np.int32)[:, None]  # in half the memory
    converged, others = outcomes.converged, outcomes.present & ~outcomes.converged
    expected = ExpectedSteps(sums.clusters(converged, outcomes.steps * converged, largest, outcomes.steps * others))
    saved = sums.clusters(converged, (limit - outcomes.steps) * converged, largest)
    return columns_of_steps(RestrictedMean(saved, sums.of(outcomes.present * limit).ravel()), expected)
