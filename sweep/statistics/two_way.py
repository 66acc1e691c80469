"""Intervals of runs that share seeds and replicates, such as splits of the data: both are random effects.

The variance of a mean over seeds and replicates is that between clusters of one, plus that between clusters of the
other, minus that between single runs, which both contain (Cameron, Gelbach and Miller, J. Bus. Econ. Statist. 29 (2011)
238). Here each of the three is the squared half of an interval, with the method and the quantile of its clusters, so
any estimate with intervals has one. It is at least the larger of the first two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sweep.statistics.estimates import Estimate, Quantile, Rate
from sweep.statistics.intervals import LEVEL, Array, HasInterval
from sweep.statistics.paired import Advantage, p_value_beside, p_value_within
from sweep.statistics.runs import Runs
from sweep.statistics.statistic import Statistic


def combined(by_seed: Array, by_replicate: Array, by_run: Array) -> Array:
    """Return the distance of an end from its estimate, from those with three kinds of clusters."""
    with np.errstate(invalid="ignore", over="ignore"):
        least = np.maximum(by_seed, by_replicate)
        both = np.sqrt(np.maximum(by_seed**2 + by_replicate**2 - by_run**2, least**2))
    return np.where(np.isinf(least), np.inf, both)


class TwoWay(Estimate):
    """An estimate of runs that share seeds and replicates, from three.

    These have seeds, replicates and single runs as clusters, in this order. No value exceeds
    ``most``; values are at least 0 if this is finite.
    """

    def __init__(self, estimates: Sequence[HasInterval], most: float = np.inf) -> None:
        self._estimates = estimates
        self._most = most
        self.value = estimates[-1].value
        errors = [each.error if isinstance(each, Estimate) else np.nan for each in estimates]
        self.error = combined(*(np.broadcast_to(each, self.value.shape) for each in errors))

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval."""
        with np.errstate(invalid="ignore"):
            ends = [each.ends(level) for each in self._estimates]
            below = combined(*(np.maximum(self.value - low, 0.0) for low, _ in ends))
            above = combined(*(np.maximum(high - self.value, 0.0) for _, high in ends))
            low, high = self.value - below, np.minimum(self.value + above, self._most)
            low = np.maximum(low, 0.0) if self._most < np.inf else low
        known = np.isfinite(self.value)  # ends of an infinite estimate are those of the widest interval
        widest = np.minimum(ends[0][0], ends[1][0]), np.maximum(ends[0][1], ends[1][1])
        return np.where(known, low, widest[0]), np.where(known, high, widest[1])


def estimate_of(statistic: Statistic, runs: Runs) -> Estimate:
    """Return the estimate of a statistic for groups of runs, which may share seeds and replicates.

    Rates and quantiles combine the effective numbers of independent runs instead (:meth:`Runs.independent`), so that
    their intervals keep their form.
    """
    assert statistic.estimate
    estimate = statistic.estimate(runs)
    if not runs.clusterings or isinstance(estimate, Rate | Quantile):
        return estimate
    most = 1.0 if statistic.percent else np.inf
    return TwoWay([statistic.estimate(each) for each in runs.clusterings], most)


def combined_estimate(estimates: Sequence[HasInterval]) -> HasInterval:
    """Return the only estimate, or that from the three of :class:`TwoWay`."""
    return TwoWay(estimates) if len(estimates) > 1 else estimates[0]


class PValue(NamedTuple):
    """The p-value of no advantage, or of one of a margin or more."""

    advantage: Advantage
    margin: float | None = None


def p_values_of(tested: Sequence[PValue]) -> Array:
    """Return the p-values of the only test, or of the three of :class:`TwoWay`, of which that of seeds is exact."""
    (advantage, margin), estimate = tested[0], combined_estimate([each.advantage for each in tested])
    if margin is not None:
        return p_value_within(estimate, margin)
    exact = advantage.p_values()
    return np.maximum(exact, p_value_beside(estimate)) if len(tested) > 1 else exact
