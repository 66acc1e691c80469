"""Statistics that a user's function computes from rows of runs, with bootstrap intervals over seeds."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sweep.errors import SweepError
from sweep.statistics.estimates import Estimate
from sweep.statistics.intervals import LEVEL, Array, student_quantile
from sweep.statistics.runs import Runs

# Resamples of the seeds of each group.
N_RESAMPLES = 999
# More seeds are resampled and left out in so many sets, so the calls of the function do not grow with the seeds.
_MOST_CLUSTERS = 1000


class ByFunction(Estimate):
    """What a function returns for the rows of each group: a statistic, or also the ends of its 95 % interval.

    Without given ends the interval is that of the bootstrap over seeds: BCa (Efron, J. Amer. Statist. Assoc. 82 (1987)
    171) with 999 resamples, and where this is degenerate, as where all resamples are equal, that of percentiles. It is
    missing for one seed, and where the function returns NaN for a resample. More than a thousand seeds are in a
    thousand sets of nearly equal size, which are resampled, and left out for the acceleration, as seeds are otherwise.
    A group of uneven cells has no value, since a function of rows cannot weigh cells equally. Groups with equally many
    seeds use the same resamples, so on common seeds their resampled values are paired.

    If runs share seeds and replicates, each resample draws both, and has all their runs (the pigeonhole bootstrap:
    Owen, Ann. Appl. Statist. 1 (2007) 386, whose variance is too large if anything). The interval is the expanded
    percentile one (Hesterberg, Amer. Statist. 69 (2015) 371), which has Student's quantile for the smaller number of
    both.
    """

    def __init__(self, runs: Runs, function: Callable[[pd.DataFrame], Any], name: str) -> None:
        self._function, self._name = function, name  # the name is for errors
        assert runs.rows is not None
        bounds = np.append(np.searchsorted(runs.group, np.arange(len(runs.numbers))), len(runs.group))
        groups = list(itertools.pairwise(bounds))
        self._frames = [runs.rows.iloc[first:end].reset_index(drop=True) for first, end in groups]
        self._clusters = [
            [each[first:end] for each in (runs.seed, runs.replicate) if each is not None and len(each)]
            for first, end in groups
        ]
        self._known = (runs.n_cells <= 1) | runs.even
        found = [self._numbers(frame) for frame in self._frames]
        self._given = [numbers[1:] for numbers in found]
        self.value = np.where(self._known, [numbers[0] for numbers in found], np.nan)

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the 95 % interval, the only level that it has."""
        if np.ndim(level) or level != LEVEL:
            raise ValueError("statistics of a function have 95 % intervals only")
        ends = np.array([given or self._resampled_ends(k) for k, given in enumerate(self._given)]).reshape(-1, 2)
        low, high = np.where(self._known, ends.T, np.nan)
        return low, high

    @cached_property
    def distribution(self) -> Array:
        """Values for resamples of the seeds of each group, (n_groups, resamples)."""
        return np.array([each.values if each else np.full(N_RESAMPLES, np.nan) for each in self._bootstraps])

    @cached_property
    def _bootstraps(self) -> list[_Bootstrap | None]:
        """The bootstrap of each group; None for one seed."""
        return [
            _bootstrap(frame, clusters, lambda rows: self._numbers(rows)[0])
            for frame, clusters in zip(self._frames, self._clusters, strict=True)
        ]

    def _resampled_ends(self, k: int) -> tuple[float, float]:
        """Return the ends of the bootstrap interval of a group."""
        found = self._bootstraps[k]
        if not found or np.isnan(found.values).any():
            return np.nan, np.nan
        ends = found.low, found.high
        return _percentiles(found.values, LEVEL / 2) if np.isnan(ends).any() else ends

    def _numbers(self, rows: pd.DataFrame) -> tuple[float, ...]:
        """Return the value of the function for some rows, and the ends of its interval if it gives them."""
        try:
            found = self._function(rows.copy())  # it may change them
        except Exception as error:
            raise SweepError(f"statistic {self._name!r}: {type(error).__name__}: {error}") from error
        numbers = found if isinstance(found, tuple) else (found,)
        try:
            numbers = tuple(map(float, numbers))
        except (TypeError, ValueError):
            numbers = ()
        if len(numbers) not in (1, 3):
            raise SweepError(
                f"statistic {self._name!r}: must return a number, or a number and the ends of its interval, "
                f"got {found!r}"
            )
        if len(numbers) == 3 and numbers[1] > numbers[2]:
            raise SweepError(
                f"statistic {self._name!r}: the low end of its interval is above the high end, got {found!r}"
            )
        return numbers


class _Bootstrap(NamedTuple):
    """Values for resamples, and the ends of the interval; NaN where it is degenerate."""

    values: Array
    low: float
    high: float


def _bootstrap(
    frame: pd.DataFrame, clusters: Sequence[Array], function: Callable[[pd.DataFrame], float]
) -> _Bootstrap | None:
    """Return the bootstrap over the clusters of some rows, seeds or also replicates, or None if there is only one."""
    places = [np.unique(each, return_inverse=True)[1] for each in clusters]
    places = [each for each in places if each.max(initial=0) > 0]
    if not places:
        return None
    return _bca(frame, places[0], function) if len(places) == 1 else _pigeonhole(frame, places, function)


def _bca(frame: pd.DataFrame, place: Array, function: Callable[[pd.DataFrame], float]) -> _Bootstrap:
    """Return the bootstrap over one kind of clusters, with scipy's BCa interval."""
    from scipy import stats

    place = place % _MOST_CLUSTERS
    of_clusters = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])

    def resampled(drawn: Array) -> float:
        rows = np.concatenate([of_clusters[each] for each in drawn])
        return function(frame.take(rows).reset_index(drop=True))

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of degenerate resamples, whose interval is that of percentiles
        found = stats.bootstrap(
            (np.arange(len(of_clusters)),),
            resampled,
            n_resamples=N_RESAMPLES,
            vectorized=False,
            method="BCa",
            random_state=np.random.default_rng(0),
        )
    return _Bootstrap(found.bootstrap_distribution, *map(float, found.confidence_interval))


def _pigeonhole(frame: pd.DataFrame, places: Sequence[Array], function: Callable[[pd.DataFrame], float]) -> _Bootstrap:
    """Return the bootstrap over seeds and replicates, with its expanded percentile interval."""
    from scipy.special import ndtr

    random, sizes, rows = np.random.default_rng(0), [int(each.max()) + 1 for each in places], np.arange(len(frame))
    values = np.empty(N_RESAMPLES)
    for k in range(N_RESAMPLES):
        drawn = [np.bincount(random.integers(0, n, n), minlength=n) for n in sizes]
        times = np.prod([counts[place] for counts, place in zip(drawn, places, strict=True)], axis=0)
        drawn_rows = frame.take(np.repeat(rows, times)).reset_index(drop=True)
        values[k] = function(drawn_rows) if len(drawn_rows) else np.nan  # some runs may be missing
    n = min(sizes)
    return _Bootstrap(values, *_percentiles(values, float(ndtr(-student_quantile(np.array(n)) * np.sqrt(n / (n - 1))))))


def _percentiles(values: Array, tail: float) -> tuple[float, float]:
    """Return the values that a share of all is below, and the same share above."""
    low, high = np.quantile(values, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)
