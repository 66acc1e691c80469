"""Confidence intervals, and p-values as the levels of intervals.

A ``level`` is the share of intervals that miss, 0.05 for 95 % intervals. It may be an array with a level for each
interval.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# The level of all intervals except those that allow for a choice or for several tests.
LEVEL = 0.05

# 97.5 % quantile of the normal distribution.
Z = 1.959963984540054

# The smallest p-value, and the number of bisections, which give p-values six digits.
_LEAST_LEVEL = 1e-18
_BISECTIONS = 26


def normal_quantile(level: Array | float = LEVEL) -> Array:
    """Return the two-sided quantile of the normal distribution."""
    from scipy.special import ndtri

    return np.asarray(-ndtri(np.asarray(level) / 2))


def student_quantile(n: Array, level: Array | float = LEVEL) -> Array:
    """Return the two-sided quantile of Student's distribution for means of ``n`` values; missing for fewer than two."""
    from scipy.special import stdtrit

    n = np.asarray(n, np.float64)
    return np.asarray(np.where(n > 1, -stdtrit(np.maximum(n - 1, 1), np.asarray(level) / 2), np.nan))


def wilson_interval(successes: Array, trials: Array, level: Array | float = LEVEL) -> tuple[Array, Array]:
    """Return the ends of Wilson's interval of a rate: exactly 0 without a success, exactly 1 without a failure.

    Ends are (n,), as are both counts, which may be effective ones that are not integers. Where they are NaN, the
    interval is.

    Wilson, J. Amer. Statist. Assoc. 22 (1927) 209. Averaged over rates it covers about 1 - ``level``. At some rates it
    covers less, and far less if the level is small and few successes or failures are expected. There use
    :func:`clopper_pearson_interval`, which covers at least 1 - ``level``.
    """
    z = normal_quantile(level)
    rate, trials = successes / trials, trials.astype(np.float64)  # squares of integers would overflow
    spread = z * np.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    center = rate + z**2 / (2 * trials)
    scale = 1 + z**2 / trials
    low = np.where(successes == 0, 0.0, (center - spread) / scale)
    high = np.where(successes == trials, 1.0, (center + spread) / scale)
    return low, high


def clopper_pearson_interval(successes: Array, trials: Array, level: Array | float = LEVEL) -> tuple[Array, Array]:
    """Return the ends of the exact interval of a rate, which covers at least 1 - ``level`` at every rate and level.

    Counts and ends are (n,). Clopper and Pearson, Biometrika 26 (1934) 404.
    """
    from scipy.special import betaincinv

    failures = trials - successes
    tail = np.asarray(level) / 2
    low = betaincinv(np.maximum(successes, 1), failures + 1, tail)
    high = betaincinv(successes + 1, np.maximum(failures, 1), 1 - tail)
    return np.where(successes == 0, 0.0, low), np.where(failures == 0, 1.0, high)


def unseen_share(n: Array, level: Array | float = LEVEL) -> Array:
    """Return the exact upper bound of the share of values of a kind that none of ``n`` is of.

    There is no lower end, so it has the whole level, unlike that of :func:`clopper_pearson_interval`.
    """
    return np.asarray(-np.expm1(np.log(level) / n))


class HasInterval(Protocol):
    """An estimate by group with an interval at any level."""

    value: Array

    def ends(self, level: Array | float = LEVEL) -> tuple[Array, Array]:
        """Return the ends of the interval."""


def p_value_of(rejects: Callable[[Array], Array], n: int) -> Array:
    """Return the p-values of ``n`` tests: the smallest levels at which they reject.

    They are (n,), at least 1e-18, and 1 for tests that never reject. ``rejects`` takes levels, (n,), and returns which
    tests reject at their level. A test that rejects at a level must reject at all higher levels, as tests of whether an
    interval excludes a value do.
    """
    low, high = np.full(n, np.log(_LEAST_LEVEL)), np.zeros(n)  # of the logarithm of the level
    for _ in range(_BISECTIONS):
        half = (low + high) / 2
        rejected = rejects(np.exp(half))
        low, high = np.where(rejected, low, half), np.where(rejected, half, high)
    return np.exp(high)


@cache
def binomial_quantile(n: int, chance: float, level: float) -> int:
    """Return the least k with P(successes <= k) >= ``level`` in ``n`` trials that succeed with this chance."""
    from scipy.special import bdtr, bdtrik

    most = max(int(np.ceil(bdtrik(level, n, chance))), 0)
    return most - 1 if most > 0 and bdtr(most - 1, n, chance) >= level else most


def quantile_ranks(n: int, share: float, level: float = LEVEL) -> tuple[int, int]:
    """Return the ranks of the runs between which a quantile lies with confidence of at least 1 - ``level``.

    Of ``n`` ordered runs, ranks are from 1; 0 if even the first run is no lower bound, n + 1 if even the last is no
    upper bound. ``share`` is the probability of the quantile.

    This holds for every distribution, also for discrete ones: David and Nagaraja, Order Statistics (2003), section 7.1.
    """
    return binomial_quantile(n, share, level / 2), binomial_quantile(n, share, 1 - level / 2) + 1
