"""How many seeds per cell a comparison of two cells needs."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, inf, log

import numpy as np

from sweep.errors import SweepError, shown
from sweep.statistics.clusters import Clusters
from sweep.statistics.estimates import ExpectedSteps
from sweep.statistics.intervals import LEVEL, Array

# The probability of detecting a difference.
POWER = 0.8

# Below this variance the number of failures varies little, and each is considered.
_FEW = 25.0

# Most seeds that are considered.
_MOST_SEEDS = 10**8


def seeds_for_difference(difference: float, rate: float = 0.5) -> int:
    """Return how many seeds per cell detect a difference of two convergence rates with 80 % power.

    McNemar's exact test detects it at 5 % in 80 % of studies. This assumes that runs of a seed are independent; if they
    tend to end alike, fewer seeds suffice. ``rate`` is the mean of both rates, fractions; one of 0.5 needs most
    seeds. A SweepError is raised if a rate is not between 0 and 1, the difference is 0, or more than 10^8 seeds are
    needed.
    """
    if not 0 < rate < 1:
        raise SweepError(f"rate: must be above 0 and below 1, got {shown(rate)}")
    if not (0 < abs(difference) < 1 and abs(difference) / 2 <= rate <= 1 - abs(difference) / 2):
        most = float(f"{2 * min(rate, 1 - rate):.6g}")
        allowed = "below 1.0" if most == 1 else f"at most {shown(most)}"
        raise SweepError(
            f"difference: must be above 0 and {allowed}, since two rates with mean {shown(rate)} (rate) "
            f"cannot differ by more, got {shown(difference)}"
        )
    first, second = rate + abs(difference) / 2, rate - abs(difference) / 2
    favor, against = first * (1 - second), second * (1 - first)
    return _least(lambda n: _power_of_pairs(n, favor, against) >= POWER, f"a difference of {shown(difference)}")


def seeds_for_ratio(ratio: float, rate: float, steps: float, variation: float, limit: float) -> int:
    """Return how many seeds per cell detect a ratio of the expected steps (ERT) of two with about 80 % power.

    The 95 % interval of the ratio excludes 1 in about 80 % of studies. This assumes that runs of a seed are
    independent; if they are alike, fewer seeds suffice. Both cells have the convergence rate ``rate``, converged runs
    with mean ``steps`` and a coefficient of variation of ``variation`` (standard deviation over mean), and others with
    ``limit`` steps. A SweepError is raised if the ratio is 1 or not above 0, the rate not above 0 and at most 1, the
    steps not above 0 and at most the limit, the variation below 0, or more than 10^8 seeds are needed.

    The ratio is detected if its logarithm exceeds the distance of the estimate from the lower end of its interval. If
    the number of failures varies little, power is averaged over the numbers of both cells. Otherwise the distance is
    that of the expected runs, and the standard error of the estimate follows from the delta method.
    """
    from scipy.special import ndtr, ndtri
    from scipy.stats import binom

    for name, value, is_allowed, allowed in (
        ("ratio", ratio, 0 < ratio < inf and ratio != 1, "above 0 and not 1"),
        ("rate", rate, 0 < rate <= 1, "above 0 and at most 1"),
        ("steps", steps, 0 < steps <= limit, f"above 0 and at most the limit of {limit:,} steps"),
        ("variation", variation, variation >= 0, "at least 0"),
    ):
        if not is_allowed:
            raise SweepError(f"{name}: must be {allowed}, got {shown(value)}")

    def expected_steps(n: int, n_failures: Array) -> ExpectedSteps:
        took = steps * (1 + variation * np.array([-1.0, 1.0]))  # two halves that have this mean and variation
        half, times = (n - n_failures) / 2, len(n_failures)
        return ExpectedSteps(
            Clusters(
                3 * np.arange(times),
                runs=np.ones(3 * times),
                converged=np.tile([1.0, 1.0, 0.0], times),
                of_converged=np.tile(np.append(took, 0.0), times),
                of_others=np.tile([0.0, 0.0, limit], times),
                most=np.full(times, limit),
                n_alike=np.stack([half, half, n_failures], axis=1).ravel(),
            )
        )

    def detects(n: int) -> bool:
        if n * rate * (1 - rate) >= _FEW:
            expected = expected_steps(n, np.array([n * (1 - rate)]))
            low, high = (np.log(end / expected.value) for end in expected.ends())
            error = np.sqrt(expected.clusters.add(expected.influence**2)) / expected.value
            return bool(abs(log(ratio)) >= np.hypot(low, high)[0] + ndtri(POWER) * np.sqrt(2) * error[0])
        first, last = binom.ppf([1e-6, 1 - 1e-6], n, 1 - rate)
        n_failures = np.arange(first, min(last, n - 1) + 1)  # without a success nothing is detected
        expected = expected_steps(n, n_failures)
        low, high = (np.log(end / expected.value) for end in expected.ends())
        chance = binom.pmf(n_failures, n, 1 - rate)
        square = (variation * steps / expected.value) ** 2 / (n - n_failures)
        excess = np.subtract.outer(np.log(expected.value), np.log(expected.value)) + abs(log(ratio))
        excess -= np.hypot(low[:, np.newaxis], high)
        found = ndtr(excess / np.maximum(np.sqrt(np.add.outer(square, square)), 1e-12))
        return bool(chance @ found @ chance >= POWER)

    return _least(detects, f"a ratio of {shown(ratio)}")


def seeds_to_separate(difference: float, low: float, high: float, n_seeds: int, n_compared: int) -> int | None:
    """Return how many seeds would tell two cells apart, if the observed difference is the true one.

    With these, a one-sided test at 5 % / ``n_compared`` finds it in 80 % of studies. None if the difference is 0, or
    more than 10^8 seeds are needed. ``difference`` is one on ``n_seeds`` common seeds, or the logarithm of a ratio;
    ``low`` and ``high`` are the ends of its 95 % interval. ``n_compared`` are the comparisons among which the level is
    divided.

    Standard errors shrink with the square root of the number of seeds. That of the difference is taken from the end of
    its interval on the side of 0.
    """
    from scipy.special import ndtri

    margin = difference - low if difference > 0 else high - difference
    if not difference:
        return None
    error = margin / ndtri(1 - LEVEL / 2)
    needed = n_seeds * ((ndtri(1 - LEVEL / n_compared) + ndtri(POWER)) * error / difference) ** 2
    return ceil(needed) if needed <= _MOST_SEEDS else None


def _least(detects: Callable[[int], bool], what: str) -> int:
    """Return the least number of seeds that detects an effect."""
    few, many = 1, 2
    while not detects(many):
        few, many = many, 2 * many
        if many > _MOST_SEEDS:
            raise SweepError(f"detecting {what} needs more than {_MOST_SEEDS:,} seeds; choose a larger one")
    while many - few > 1:
        half = (few + many) // 2
        if detects(half):
            many = half
        else:
            few = half
    return many


def _power_of_pairs(n: int, favor: float, against: float) -> float:
    """Return the power of McNemar's exact test of ``n`` pairs that favor either side with these probabilities."""
    from scipy.special import bdtr, bdtrik
    from scipy.stats import binom

    differ = favor + against
    first, last = (max(int(bdtrik(chance, n, differ)), 0) for chance in (1e-9, 1 - 1e-9))
    m = np.arange(first, min(last + 1, n) + 1)
    # The most pairs in favor of the other side with which the test rejects; -1 if none.
    most = np.floor(bdtrik(LEVEL / 2, m, 0.5))
    most = np.where(2 * bdtr(np.maximum(most + 1, 0), m, 0.5) <= LEVEL, most + 1, most)
    most = np.where(2 * bdtr(np.maximum(most, 0), m, 0.5) <= LEVEL, most, most - 1)
    of_pairs = np.where(most >= 0, sum(bdtr(np.maximum(most, 0), m, each / differ) for each in (favor, against)), 0.0)
    return float(binom.pmf(m, n, differ) @ of_pairs)
