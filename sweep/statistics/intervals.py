"""Confidence intervals of 95 %."""

from __future__ import annotations

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
