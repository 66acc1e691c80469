"""Whether a statistic agrees with a published figure: the difference, with the error of both sides.

The interval of the difference comes from those of its parts (MOVER), which need not be symmetric. Its p-value is the
level at which it ends at 0, so rates are compared by exact intervals and medians by order statistics.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sweep.statistics.combined import Interval, difference_interval
from sweep.statistics.estimates import Quantile, Rate
from sweep.statistics.intervals import (
    LEVEL,
    Array,
    HasInterval,
    clopper_pearson_interval,
    normal_quantile,
    p_value_of,
)
from sweep.statistics.paired import MeanOfClusters
from sweep.statistics.runs import Runs


def mean_of_runs(runs: Runs, values: Array) -> MeanOfClusters:
    """Return the mean of values of runs, with Student's interval over seeds."""
    return MeanOfClusters(runs.of_seeds(values.astype(np.float64)), runs.of_seeds(np.ones(len(values), np.int64)))


class MedianOfRuns(Quantile):
    """The median of values of the runs of one group: the mean of the middle two of an even number of runs."""

    def __init__(self, runs: Runs, values: Array) -> None:
        super().__init__(runs, values, (1, 2), -np.inf)
        self.value = np.array([np.median(values)])


class Published(NamedTuple):
    """A published figure with what is known of its error; half a unit of its last digit comes on top."""

    value: float
    half_unit: float = 0.0
    error: float | None = None  # its standard error
    sd: float | None = None  # of single runs, of which there were ``trials``
    trials: int | None = None
    successes: int | None = None  # of so many trials
    between: tuple[float, float] | None = None

    def ends(self, level: Array | float, own: HasInterval, values: Array, share: tuple[int, int] | None) -> Interval:
        """Return the ends of its interval.

        Published runs of which the number is known are taken to be as our own runs, whose ``values`` these are: a mean
        has the error of a mean of so many of them, and a quantile (``share``) lies where their order statistic does.
        """
        level = np.atleast_1d(np.asarray(level, np.float64))
        value = np.array([self.value])
        low = high = value
        if self.between is not None:
            low, high = (np.array([end]) for end in self.between)
        elif self.successes is not None and self.trials is not None:
            low, high = clopper_pearson_interval(np.array([self.successes]), np.array([self.trials]), level)
        elif self.error is not None:
            spread = normal_quantile(level) * self.error
            low, high = value - spread, value + spread
        elif self.trials is not None and share is not None:
            ends = _order_statistic(values, self.trials, share, level)
            low, high = value - _distance(own.value, ends[1]), value + _distance(ends[0], own.value)
        elif self.trials is not None and isinstance(own, Rate):
            low, high = clopper_pearson_interval(np.rint(value * self.trials), np.array([self.trials]), level)
        elif self.trials is not None:
            below, above = _errors_of_mean(values, self.trials, self.sd or 0.0, level)
            low, high = value - above, value + below
        return value, low - self.half_unit, high + self.half_unit


def _errors_of_mean(values: Array, trials: int, sd: float, level: Array) -> tuple[Array, Array]:
    """Return how far the mean of ``trials`` runs lies below and above the true one, if runs are drawn from ``values``.

    The standard deviation is that of the values, or ``sd`` if this is larger. The first term of the expansion of
    Cornish and Fisher (Rev. Inst. Int. Statist. 5 (1938) 307) allows for skewness: means of few steps to converge are
    more often far above than far below.
    """
    own, z, root = np.std(values), normal_quantile(level), np.sqrt(trials)
    skewness = np.mean((values - values.mean()) ** 3) / own**3 if own > 0 else 0.0
    shift = np.clip(skewness / (6 * root) * (z**2 - 1), -z / 2, z / 2)
    error = max(float(np.std(values, ddof=1)), sd) / root
    return error * (z - shift), error * (z + shift)


def _order_statistic(values: Array, trials: int, share: tuple[int, int], level: Array) -> tuple[Array, Array]:
    """Return where a quantile of ``trials`` runs lies, if runs are drawn from ``values``."""
    from scipy.special import betaincinv

    rank = max(-(-trials * share[0] // share[1]), 1)
    of_runs = (betaincinv(rank, trials + 1 - rank, tail) for tail in (level / 2, 1 - level / 2))
    ordered = np.sort(values)
    low, high = (ordered[np.clip(np.ceil(each * len(ordered)).astype(np.int64) - 1, 0, None)] for each in of_runs)
    return low, high


def _distance(low: Array, high: Array) -> Array:
    """Return ``high - low``, which is 0 if both are infinite: that many runs never reach the value."""
    return np.subtract(high, low, out=np.zeros(np.broadcast(low, high).shape), where=low != high)


class Agreement(NamedTuple):
    """A statistic minus the published figure."""

    difference: float
    low: float  # of its 95 % interval
    high: float
    p_value: float  # that both estimate the same quantity


def agreement(own: HasInterval, published: Published, values: Array, share: tuple[int, int] | None = None) -> Agreement:
    """Return the difference of an estimate of one group and a published figure.

    ``values`` are those of the runs that the estimate is of, and ``share`` says which of their quantiles it is.
    """

    def interval(level: Array | float) -> tuple[Array, Array]:
        theirs = published.ends(level, own, values, share)
        ours = own.value, *own.ends(level)
        if not np.isfinite(own.value).all():  # too few runs converge for a quantile: do the intervals overlap?
            return _distance(theirs[2], ours[1]), _distance(theirs[1], ours[2])
        return difference_interval(ours, theirs, np.zeros(1))

    def rejects(level: Array) -> Array:
        low, high = interval(level)
        return np.asarray((low > 0) | (high < 0))

    low, high = interval(np.array([LEVEL]))
    p_value = p_value_of(rejects, 1)
    return Agreement(float(own.value[0] - published.value), float(low[0]), float(high[0]), float(p_value[0]))
