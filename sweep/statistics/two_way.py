"""Intervals of runs that share seeds and replicates, such as splits of the data: both are random effects.

The variance of a mean over seeds and replicates is that between clusters of one, plus that between clusters of the
other, minus that between single runs, which both contain (Cameron, Gelbach and Miller, J. Bus. Econ. Statist. 29 (2011)
238). Here each of the three is the squared half of an interval, with the method and the quantile of its clusters, so
any estimate with intervals has one. It is at least the larger of the first two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

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
        errors = [getattr(each, "error", np.nan) for each in estimates]
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


def combined_tables(
    tables: Sequence[pd.DataFrame],
    most: Mapping[str, float],
    tested: Mapping[str, Sequence[Advantage]],
    margin: float | None = None,
) -> pd.DataFrame:
    """Return a table of comparisons of runs that share seeds and replicates, from those with three kinds of clusters.

    These are seeds, replicates and single runs. Intervals are combined as by :class:`TwoWay`; ``most`` has the largest
    size of bounded columns. P-values are the levels at which the combined intervals of ``tested`` end at 0, or within
    ``margin``, and at least those of seeds, whose test is exact. Other columns are those of seeds.
    """
    table = tables[0].copy()
    for name in tables[0]:
        if f"{name}_low" in table:
            estimates = [
                _Known(*(each[f"{name}{end}"].to_numpy(np.float64) for end in ("", "_low", "_high"))) for each in tables
            ]
            bound = most.get(str(name), np.inf)
            table[f"{name}_low"], table[f"{name}_high"] = np.clip(TwoWay(estimates).ends(), -bound, bound)
        elif name == "p_equivalent":
            assert margin is not None
            table[name] = p_value_within(TwoWay(tested["p_value"]), margin)
        elif str(name) in tested:
            table[name] = np.maximum(table[name], p_value_beside(TwoWay(tested[str(name)])))
    return table


class _Known:
    """An estimate and the ends of its 95 % interval."""

    def __init__(self, value: Array, low: Array, high: Array) -> None:
        self.value = value
        self._ends = low, high

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends."""
        return self._ends
