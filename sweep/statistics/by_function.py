"""Statistics that a user's function computes from rows of runs, with bootstrap intervals over seeds."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from sweep.errors import SweepError
from sweep.statistics.estimates import Estimate
from sweep.statistics.intervals import LEVEL, Array
from sweep.statistics.runs import Runs

# Resamples of the seeds of each group.
N_RESAMPLES = 999


class ByFunction(Estimate):
    """What a function returns for the rows of each group.

    Parameters
    ----------
    runs
        The runs with their rows.
    function : (DataFrame) -> float, or (float, low, high)
        The statistic of some runs, or also the ends of its 95 % interval.
    name
        Of the statistic, for errors.

    Notes
    -----
    Without given ends the interval is that of the bootstrap over seeds: BCa (Efron, J. Amer. Statist. Assoc. 82 (1987)
    171) with 999 resamples, and where this is degenerate, as where all resamples are equal, that of percentiles. It is
    missing for one seed, and where the function returns NaN for a resample. A group of uneven cells has no value, since
    a function of rows cannot weigh cells equally. Groups with equally many seeds use the same resamples, so on common
    seeds their resampled values are paired.
    """

    def __init__(self, runs: Runs, function: Callable[[pd.DataFrame], Any], name: str) -> None:
        self._function, self._name = function, name
        assert runs.rows is not None
        bounds = np.append(np.searchsorted(runs.group, np.arange(len(runs.numbers))), len(runs.group))
        self._frames = [runs.rows.iloc[first:end].reset_index(drop=True) for first, end in itertools.pairwise(bounds)]
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
        return np.array([each.bootstrap_distribution if each else _unknown() for each in self._bootstraps])

    @cached_property
    def _bootstraps(self) -> list[Any]:
        """The result of scipy's bootstrap for each group; None for one seed."""
        return [_bootstrap(frame, lambda rows: self._numbers(rows)[0]) for frame in self._frames]

    def _resampled_ends(self, k: int) -> tuple[float, float]:
        """Return the ends of the bootstrap interval of a group."""
        found = self._bootstraps[k]
        if not found or np.isnan(found.bootstrap_distribution).any():
            return np.nan, np.nan
        low, high = found.confidence_interval
        if np.isnan([low, high]).any():
            shares = LEVEL / 2, 1 - LEVEL / 2
            low, high = np.quantile(found.bootstrap_distribution, shares, method="inverted_cdf")
        return float(low), float(high)

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


def _bootstrap(frame: pd.DataFrame, function: Callable[[pd.DataFrame], float]) -> Any:
    """Return scipy's bootstrap over the seeds of some rows, or None for one seed."""
    from scipy import stats

    seeds, place = np.unique(frame["seed"].to_numpy(), return_inverse=True)
    if len(seeds) < 2:
        return None
    of_seeds = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])

    def resampled(drawn: Array) -> float:
        rows = np.concatenate([of_seeds[seed] for seed in drawn])
        return function(frame.take(rows).reset_index(drop=True))

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of degenerate resamples, whose interval is that of percentiles
        return stats.bootstrap(
            (np.arange(len(seeds)),),
            resampled,
            n_resamples=N_RESAMPLES,
            vectorized=False,
            method="BCa",
            random_state=np.random.default_rng(0),
        )


def _unknown() -> Array:
    return np.full(N_RESAMPLES, np.nan)
