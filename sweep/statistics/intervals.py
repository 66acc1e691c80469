"""Confidence intervals of 95 %."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

# 97.5 % quantile of the normal distribution.
Z = 1.959963984540054

Array = NDArray[Any]


def wilson_interval(successes: Array, trials: Array, z: Array | float = Z) -> tuple[Array, Array]:
    """Return Wilson's confidence interval of a rate.

    Parameters
    ----------
    successes, trials : (n,)
        Counts, or effective counts that need not be integers.
    z
        Quantile of the normal distribution; by default that of 95 % intervals.

    Returns
    -------
    low, high : (n,)
        Ends of the interval of the rate; exactly 0 at no success, and exactly 1 at no failure.

    Notes
    -----
    Wilson, J. Amer. Statist. Assoc. 22 (1927) 209.
    """
    rate, trials = successes / trials, trials.astype(np.float64)  # whose squares do not overflow
    spread = z * np.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    middle, scale = rate + z**2 / (2 * trials), 1 + z**2 / trials
    low = np.where(successes == 0, 0.0, (middle - spread) / scale)
    high = np.where(successes == trials, 1.0, (middle + spread) / scale)
    return low, high


def student_quantile(n: Array, level: Array | float = 0.975) -> Array:
    """Return a quantile of Student's distribution for the mean of ``n`` values; missing for fewer than two."""
    from scipy.special import stdtrit

    n = np.asarray(n, np.float64)
    return np.asarray(np.where(n > 1, stdtrit(np.maximum(n - 1, 1), level), np.nan))


def saved_interval(mean: Array, error: Array, n: Array, most: Array) -> tuple[Array, Array, Array]:
    """Return the mean steps that a converged run saves of its limit, and their 95 % interval.

    Parameters
    ----------
    mean, error : (groups,)
        Mean of ``n`` independent values, in steps, and its standard error.
    n : (groups,)
        Number of values. With fewer than two, the interval is from 0 to ``most``.
    most : (groups,)
        Upper bound of the values, in steps.

    Returns
    -------
    mean, low, high : (groups,)
        The mean (``most`` if there are no values) and the ends of its interval, in steps.
    """
    spread = np.where(np.asarray(n) > 1, student_quantile(n) * error, np.inf)
    return np.where(np.asarray(n) > 0, mean, most), np.maximum(mean - spread, 0.0), np.minimum(mean + spread, most)


def product_interval(
    one: tuple[Array, Array, Array], other: tuple[Array, Array, Array], correlation: Array | float = 0.0
) -> tuple[Array, Array]:
    """Return the 95 % interval of the product of two positive quantities.

    Parameters
    ----------
    one, other
        Each an estimate and the ends of its interval, which need not be symmetric.
    correlation
        Correlation of the two estimates.

    Returns
    -------
    low, high
        Ends of the interval of the product.

    Notes
    -----
    The method of variance estimates recovery: Zou and Donner, Statist. in Medicine 27 (2008) 1693. It holds for rates
    near 0 or 1, where normal intervals cover far less than their nominal level.
    """
    ends = []
    for side in (1, 2):
        parts = other[0] * (one[side] - one[0]), one[0] * (other[side] - other[0])
        spread = np.sqrt(np.maximum(parts[0] ** 2 + parts[1] ** 2 + 2 * correlation * parts[0] * parts[1], 0.0))
        ends.append(one[0] * other[0] + (-spread if side == 1 else spread))
    return ends[0], ends[1]


@cache
def binomial_quantile(n: int, chance: float, level: float) -> int:
    """Return the quantile of a binomial distribution.

    Parameters
    ----------
    n
        Number of trials.
    chance
        Probability of success.
    level
        Probability of the quantile.

    Returns
    -------
    int
        The least k with P(successes <= k) >= ``level``.
    """
    from scipy.special import bdtr, bdtrik

    most = max(int(np.ceil(bdtrik(level, n, chance))), 0)
    return most - 1 if most > 0 and bdtr(most - 1, n, chance) >= level else most


def quantile_ranks(n: int, share: float, level: float = 0.05) -> tuple[int, int]:
    """Return the ranks of the runs between which a quantile of a distribution lies with at least 95 % confidence.

    Parameters
    ----------
    n
        Number of ordered runs.
    share
        Probability of the quantile.
    level
        One less the confidence.

    Returns
    -------
    low, high : int
        Ranks from 1; 0 if not even the first run is a lower bound, n + 1 if not even the last is an upper bound.

    Notes
    -----
    It holds for every distribution, discrete ones too: David and Nagaraja, Order Statistics (2003), section 7.1.
    """
    return binomial_quantile(n, share, level / 2), binomial_quantile(n, share, 1 - level / 2) + 1
