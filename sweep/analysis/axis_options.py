"""Main effects of options that vary together, as in drawn samples.

The points of the axis are sorted into bins of an option: its values, or ranges with equal numbers of points. The
variance between the means of bins estimates the effect of the option. Since points are few, the means also contain some
of the other options' effects. The halves of the points, first and last drawn, contain more of it: twice as much for
independent points, which is what the correction assumes, and even more for a Sobol sequence, where it is small anyway.
The usual correction by the variance within bins would subtract far too much from Sobol points. Variation within bins is
lost. Half as many bins lose more, and the difference counts as an error. With fewer than 128 points bins are so wide
that they hide humps, so no effects are estimated.
"""

from __future__ import annotations

from itertools import combinations
from math import prod

import numpy as np

from sweep.statistics.intervals import Array
from sweep.study.axes.grid import Axis
from sweep.system.plain_values import is_number

# Least points of an axis whose options have estimated effects (unless the points are most of a grid), most bins of an
# option, and least points of a bin on average.
LEAST_POINTS = 128
MOST_BINS = 32
_POINTS_EACH = 16
# Blocks of points, in the order of the draw, that are left out in turn to estimate the error from the draw.
_BLOCKS = 16
# Two options depend on each other if the p-value of independence is below this; the test has so many bins of each.
_CHANCE = 1e-4
_COARSE = 4


def bins_of(values: tuple[object, ...], most: int) -> Array:
    """Return the number of the bin of each point, (points,) from 0, by the value of an option at each.

    Larger numbers are in higher bins. Equal values share a bin. If numbers have more than ``most`` values, bins are
    ranges with about equal numbers of points.
    """
    distinct, index = np.unique(np.asarray(values), return_inverse=True)
    if len(distinct) <= most or not all(map(is_number, values)):
        return np.asarray(index)
    rank = np.searchsorted(np.sort(index), index)  # of the first of equal values
    _, bins = np.unique(rank * most // len(values), return_inverse=True)
    return np.asarray(bins)


def varied_options(axis: Axis) -> list[str]:
    """Return the options of an axis that have several values."""
    return [name for name, values in axis.items() if len(set(values)) > 1]


class AxisOptions:
    """The options of an axis whose main effects can be estimated.

    This takes 128 points, or most points of a grid. The option must be independent of each other one, by a chi-squared
    test of four bins of each at a level of 0.0001.
    """

    def __init__(self, axis: Axis) -> None:
        self._n_points = len(next(iter(axis.values())))
        self._is_grid = 2 * self._n_points >= prod(len(set(values)) for values in axis.values())
        most = min(int(np.sqrt(self._n_points)), self._n_points // _POINTS_EACH, MOST_BINS)
        varied = varied_options(axis) if self._is_grid or self._n_points >= LEAST_POINTS else []
        coarse = {name: bins_of(axis[name], _COARSE) for name in varied}
        dependent = {
            name for two in combinations(varied, 2) for name in two if _depend(*(coarse[each] for each in two))
        }
        bins = {name: bins_of(axis[name], self._n_points if self._is_grid else most) for name in varied}
        self._bins = {
            name: each
            for name, each in bins.items()
            if name not in dependent and 2 * (each.max() + 1) <= self._n_points
        }
        self._in_ranges = {name for name, each in self._bins.items() if len(set(axis[name])) > each.max() + 1}
        self.names = list(self._bins) if len(varied) > 1 else []

    def effects(self, means: Array, kept: Array | None = None) -> tuple[Array, Array]:
        """Return the main effect of each option, and the error of its bins, each (options, columns).

        ``means``, (points, columns), are those of a quantity over all other axes, for each sample of seeds. ``kept``
        are the indices of the points to use, in ascending order; all by default. Bins are those of all points. An
        effect is the variance between the means of bins, minus the correction. Its error is the correction and what
        half as many bins lose; 0 if points are most of a grid.
        """
        kept = np.arange(self._n_points) if kept is None else kept
        found = []
        errors = []
        for name, bins in self._bins.items():
            effect, correction = self._effect(bins, means, kept)
            coarse = self._effect(bins // 2, means, kept)[0] if name in self._in_ranges else effect
            found.append(effect)
            errors.append(np.hypot(correction, effect - coarse))
        return np.array(found), np.array(errors)

    def _effect(self, bins: Array, means: Array, kept: Array) -> tuple[Array, Array]:
        """Return the variance between the means of bins, minus the correction, and the correction, (columns,)."""
        whole = _between(bins[kept], means[kept])
        if self._is_grid:
            return whole, 0 * whole
        halves = kept[kept < self._n_points / 2], kept[kept >= self._n_points / 2]
        correction = np.mean([_between(bins[half], means[half]) for half in halves], axis=0) - whole
        return whole - correction, correction

    def without_blocks(self) -> list[Array]:
        """Return the points that remain when each block is left out in turn; none if points are most of a grid."""
        if self._is_grid:
            return []
        block = np.arange(self._n_points) * _BLOCKS // self._n_points
        return [np.flatnonzero(block != each) for each in range(_BLOCKS)]


def _between(bins: Array, means: Array) -> Array:
    """Return the variance between the means of bins, (columns,)."""
    _, bins, counts = np.unique(bins, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), means.shape[1]))
    np.add.at(sums, bins, means - means.mean(axis=0))
    return np.asarray((sums**2 / counts[:, None]).sum(axis=0) / len(means))


def _depend(one: Array, other: Array) -> bool:
    """Return whether two options depend on each other, by the chi-squared test of their bins."""
    from scipy.special import chdtrc

    counts = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(counts, (one, other), 1)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / len(one)
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    return bool(chdtrc(freedom, ((counts - expected) ** 2 / expected).sum()) < _CHANCE)
