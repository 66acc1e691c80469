"""Main effects of words that vary together, as in drawn samples: a grid divides the share of their axis no further.

Points of the axis are put into bins of a word: its values, or ranges of equally many points. The estimate is the
variance between the means of bins, less what the variance within bins adds to it (epsilon squared). So nothing is
assumed of the form of an effect, and the effect of other words, which falls into all bins alike, cancels on average.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from sweep.statistics.intervals import Array
from sweep.study.grid import Axis

# Least points of an axis whose words are told apart, and most bins of a word.
LEAST_POINTS, MOST_BINS = 16, 32
# Parts of the points that are left out in turn, for the error that comes from their draw.
_PARTS = 20
# Two words depend on each other if independent ones would look so less often than this; of so many bins each.
_CHANCE, _COARSE = 1e-4, 4


def bins_of(values: tuple[object, ...], most: int) -> Array:
    """Return the number of the bin of each point.

    Parameters
    ----------
    values
        The value of a word at each point.
    most
        Most bins: if there are more values, and they are numbers, bins are ranges of about equally many points.

    Returns
    -------
    (points,) array of int
        Numbers from 0, ascending with numbers. Equal values share a bin.
    """
    is_number = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    distinct, index = np.unique(np.asarray(values), return_inverse=True)
    if len(distinct) <= most or not is_number:
        return np.asarray(index)
    rank = np.searchsorted(np.sort(index), index)  # of the first of equal values
    _, bins = np.unique(rank * most // len(values), return_inverse=True)
    return np.asarray(bins)


def varied_words(axis: Axis) -> list[str]:
    """Return the words of an axis that have several values."""
    return [name for name, values in axis.items() if len(set(values)) > 1]


def words_told_apart(axis: Axis) -> list[str]:
    """Return the words of an axis of several whose main effects can be estimated.

    There must be 16 points, and the word must vary independently of each other one: by a chi-squared test of four bins
    of each, independent words fail in one of 10,000 pairs.
    """
    names = varied_words(axis)
    n_points = len(axis[names[0]]) if names else 0
    if len(names) < 2 or n_points < LEAST_POINTS:
        return []
    coarse = {name: bins_of(axis[name], _COARSE) for name in names}
    bound = {name for pair in combinations(names, 2) for name in pair if _are_bound(*(coarse[each] for each in pair))}
    return [name for name in names if name not in bound and _bins(axis, name).max() + 1 < n_points]


def word_effects(axis: Axis, means: Array, kept: Array) -> Array:
    """Return the main effect of each of the words that are told apart.

    Parameters
    ----------
    axis
        The axis.
    means : (points, columns)
        Means of a quantity at each point, over all other axes; each column is a sample of seeds.
    kept
        The points to use, in the bins of all points.

    Returns
    -------
    (words, columns) array
        Variance between the means of bins, corrected for that within.
    """
    return np.array([_between(_bins(axis, name)[kept], means[kept]) for name in words_told_apart(axis)])


def without_parts(n_points: int) -> list[Array]:
    """Return the points that remain as each of 20 parts of them is left out in turn."""
    part = np.arange(n_points) % min(n_points, _PARTS)
    return [np.flatnonzero(part != each) for each in range(min(n_points, _PARTS))]


def _bins(axis: Axis, name: str) -> Array:
    return bins_of(axis[name], min(int(np.sqrt(len(axis[name]))), MOST_BINS))


def _between(bins: Array, means: Array) -> Array:
    """Return the variance between the means of bins, (columns,), less what that within adds to it on average."""
    _, bins, counts = np.unique(bins, return_inverse=True, return_counts=True)
    n, n_bins = len(means), len(counts)
    centered = means - means.mean(axis=0)
    sums = np.zeros((n_bins, means.shape[1]))
    np.add.at(sums, bins, centered)
    between = (sums**2 / counts[:, None]).sum(axis=0)
    within = (centered**2).sum(axis=0) - between
    return np.asarray((between - (n_bins - 1) * within / max(n - n_bins, 1)) / n)


def _are_bound(one: Array, other: Array) -> bool:
    """Return whether two words depend on each other, by the chi-squared test of their bins."""
    from scipy.special import chdtrc

    counts = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(counts, (one, other), 1)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / len(one)
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    return bool(chdtrc(freedom, ((counts - expected) ** 2 / expected).sum()) < _CHANCE)
