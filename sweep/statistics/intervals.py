"""Confidence intervals of 95 %."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

# 97.5 % quantile of the normal distribution.
Z = 1.959963984540054

Array = NDArray[Any]


def wilson_interval(successes: Array, trials: Array) -> tuple[Array, Array]:
    """Return the 95 % confidence interval of a rate.

    Notes
    -----
    Wilson, J. Amer. Statist. Assoc. 22 (1927) 209. The ends at no success and no
    failure are exactly 0 and 1.
    """
    rate, trials = successes / trials, trials.astype(np.float64)  # whose squares do not overflow
    spread = Z * np.sqrt(rate * (1 - rate) / trials + Z**2 / (4 * trials**2))
    middle, scale = rate + Z**2 / (2 * trials), 1 + Z**2 / trials
    low = np.where(successes == 0, 0.0, (middle - spread) / scale)
    high = np.where(successes == trials, 1.0, (middle + spread) / scale)
    return low, high


def student_quantile(n: Array) -> Array:
    """Return the 97.5 % quantile of Student's distribution for the mean of ``n`` values; missing below two."""
    from scipy.special import stdtrit

    n = np.asarray(n, np.float64)
    return np.asarray(np.where(n > 1, stdtrit(np.maximum(n - 1, 1), 0.975), np.nan))


@cache
def binomial_quantile(n: int, chance: float, level: float) -> int:
    """Return the fewest successes k of n trials with P(successes <= k) >= ``level``.

    Notes
    -----
    Probabilities beyond twelve standard deviations are below 1e-30 and left out; those within are products of ratios
    of neighbours, from the most probable number on.
    """
    reach = 12 * np.sqrt(n * chance * (1 - chance)) + 12
    low, high = max(0, int(n * chance - reach)), min(n, int(n * chance + reach) + 1)
    k = np.arange(low, high + 1)
    ratios = (n - k[:-1]) / (k[:-1] + 1) * (chance / (1 - chance))
    logarithms = np.concatenate([[0.0], np.cumsum(np.log(ratios))])
    probabilities = np.exp(logarithms - logarithms.max())
    reached = np.cumsum(probabilities) >= level * probabilities.sum()
    return int(k[np.argmax(reached)])


def quantile_ranks(n: int, share: float) -> tuple[int, int]:
    """Return the ranks of the runs between which the quantile of a distribution lies with 95 % or more.

    Parameters
    ----------
    n
        Runs, which are ordered.
    share
        Of the distribution, below its quantile.

    Returns
    -------
    low, high : int
        Ranks from 1 on; 0 if not even the first run is a lower bound, n + 1 if not even the last is an upper one.

    Notes
    -----
    It holds for every distribution, in steps too: David and Nagaraja, Order Statistics (2003), section 7.1.
    """
    return binomial_quantile(n, share, 0.025), binomial_quantile(n, share, 0.975) + 1
