"""Tests and intervals for pairs of runs that share their seed."""

from __future__ import annotations

import numpy as np

from sweep.statistics.intervals import Array, Z


def sign_test(wins: Array, losses: Array) -> Array:
    """Return how probable so uneven a split, or a more uneven one, is where either side is as likely.

    Parameters
    ----------
    wins, losses
        Pairs that speak for the one and for the other; ties do not count.

    Notes
    -----
    The exact binomial test, two-sided. Of pairs where one run converged and the other did not it is McNemar's exact
    test: Psychometrika 12 (1947) 153.
    """
    from scipy.special import bdtr

    fewer, n = np.minimum(wins, losses), np.add(wins, losses)
    return np.asarray(np.minimum(1.0, 2 * bdtr(np.asarray(fewer, np.float64), n, 0.5)))


def holm(p_values: Array) -> Array:
    """Return p-values adjusted for how many there are; missing ones stay missing and do not count.

    Notes
    -----
    Whoever takes what is at most 0.05 for different errs in any of them with a chance of at most 5 %: Holm, Scand. J.
    Statist. 6 (1979) 65.
    """
    p_values = np.asarray(p_values, np.float64)
    order = np.argsort(p_values, kind="stable")[: np.count_nonzero(~np.isnan(p_values))]
    raised = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1))
    adjusted = np.full(len(p_values), np.nan)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted


def difference_interval(sums: Array, squares: Array, n_seeds: Array, n_pairs: Array) -> tuple[Array, Array]:
    """Return the 95 % interval of a mean difference between runs of common seeds.

    Parameters
    ----------
    sums, squares
        Of the differences of the seeds and of their squares. The difference of a seed is the mean over its pairs of
        runs, each of which counts 1 where the first run alone converged, -1 where the second alone did, else 0.
    n_seeds
    n_pairs
        Pairs of runs for each seed.

    Notes
    -----
    Seeds are independent, pairs of one seed are not. For one pair it is the interval of Agresti and Min, Statist. in
    Medicine 24 (2005) 729: half a pair more in each of the four classes, which adds 2 to the pairs and 1 to the sum
    of squares. The mean of several pairs has a smaller square by their number if they are independent.
    """
    n = n_seeds + 2
    mean = sums / n
    spread = Z * np.sqrt(np.maximum((squares + 1 / n_pairs) / n - mean**2, 0.0) / n)
    return np.maximum(mean - spread, -1.0), np.minimum(mean + spread, 1.0)
