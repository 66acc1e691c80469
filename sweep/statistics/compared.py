"""Ratios and differences of two estimates of the same clusters, and one-sided tests of them."""

from __future__ import annotations

import numpy as np

from sweep.statistics.combined import difference_interval, logarithms
from sweep.statistics.estimates import Estimate, ExpectedSteps
from sweep.statistics.intervals import LEVEL, Array, HasInterval, p_value_of


class Ratio:
    """The ratio of two positive estimates of the same clusters, first over second.

    It is infinite if the first is, 0 if the second is, and missing if both are infinite.
    """

    def __init__(self, first: ExpectedSteps, second: ExpectedSteps) -> None:
        self._sides = first, second
        self._together = first.clusters.correlation(first.influence, second.influence)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.value = first.value / second.value

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval; missing if the ratio is, or if every ratio would be in it.

        The interval is that of the difference of logarithms, with their correlation over clusters. A side without a
        success counts as if it had one that took no steps. Otherwise it would take more seeds to exclude a side with no
        success than one with a single success.
        """
        sides = [(side.value_if_one, *side.ends(level)) for side in self._sides]
        with np.errstate(divide="ignore", invalid="ignore"):
            one, other = (logarithms(side) for side in sides)
            low, high = np.exp(difference_interval(one, other, self._together))
            first, second = (np.isinf(side.value) for side in self._sides)
            low, high = np.where(second, 0.0, low), np.where(first, np.inf, high)
        known = ~np.isnan(self.value) & ~(first & second) & ((low > 0) | np.isfinite(high))
        return np.where(known, low, np.nan), np.where(known, high, np.nan)


class Difference:
    """The difference of two estimates of the same clusters, first minus second."""

    def __init__(self, first: Estimate, second: Estimate) -> None:
        self._sides = first, second
        self._together = first.clusters.correlation(first.influence, second.influence)
        self.value = first.value - second.value

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval."""
        one, other = ((side.value, *side.ends(level)) for side in self._sides)
        return difference_interval(one, other, self._together)


def p_value_above(compared: HasInterval, value: float) -> Array:
    """Return one-sided p-values: the probability of so large an estimate if the truth is at most ``value``.

    It is half the level at which the interval ends at the value, and at least 0.5 if the estimate is not above it.
    """
    n = len(compared.value)
    with np.errstate(invalid="ignore"):
        return p_value_of(lambda level: compared.ends(level)[0] > value, n) / 2
