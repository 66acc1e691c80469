"""Numbers of seeds that detect a difference or a ratio: by the definition of power, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sweep import SweepError
from sweep.statistics.clusters import Clusters
from sweep.statistics.compared import Ratio
from sweep.statistics.estimates import ExpectedSteps
from sweep.statistics.paired import Advantage
from sweep.statistics.power import seeds_for_difference, seeds_for_ratio, seeds_to_separate
from tests.rings import one_in
from tests.sweep.support import command

LIMIT = 5000


def power_of_mcnemar(n: int, difference: float, rate: float) -> float:
    """Return the probability that McNemar's exact test detects a difference, by its definition."""
    first, second = rate + difference / 2, rate - difference / 2
    favor, against = first * (1 - second), second * (1 - first)
    found = 0.0
    for m in range(n + 1):
        rejects = [k for k in range(m + 1) if stats.binomtest(k, m).pvalue <= 0.05] if m else []
        chance = stats.binom(m, favor / (favor + against)).pmf(rejects).sum() if rejects else 0.0
        found += stats.binom(n, favor + against).pmf(m) * chance
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("difference", "rate"), one_in(3, [(0.4, 0.7), (0.6, 0.5), (0.15, 0.9)]))
def test_the_least_number_that_detects_a_difference(difference: float, rate: float) -> None:
    """With so many seeds the power is at least 80 %, with one less it is below."""
    n = seeds_for_difference(difference, rate)
    assert power_of_mcnemar(n, difference, rate) >= 0.8 > power_of_mcnemar(n - 1, difference, rate)
    assert n == seeds_for_difference(-difference, rate)


@pytest.mark.soak
@pytest.mark.parametrize(("difference", "rate"), [(0.05, 0.5), (0.1, 0.9), (0.02, 0.98), (0.3, 0.5)])
def test_power_for_a_difference(difference: float, rate: float) -> None:
    """The test detects the difference in 80 % of simulated studies."""
    n, random = seeds_for_difference(difference, rate), np.random.default_rng(1)
    runs = [random.random((4000, n)) < rate + sign * difference / 2 for sign in (1, -1)]
    balance = runs[0].astype(np.int64) - runs[1]
    found = Advantage(balance, np.ones_like(balance)).p_values() <= 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.025)


@pytest.mark.soak
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.9, 0.99, 0.999, 1.0])
@pytest.mark.parametrize(("ratio", "steps", "variation"), [(1.2, 500, 1.0), (2.0, 1000, 0.3), (0.7, 200, 0.5)])
def test_power_for_a_ratio(ratio: float, rate: float, steps: float, variation: float) -> None:
    """The interval excludes 1 in 74 to 90 % of simulated studies with gamma-distributed steps."""
    n, random = seeds_for_ratio(ratio, rate, steps, variation, LIMIT), np.random.default_rng(1)

    def side(times: float) -> ExpectedSteps:
        converged = random.random((400, n)) < rate
        took = np.maximum(random.gamma(variation**-2, steps * variation**2, (400, n)), 1)
        counts = (np.where(converged, took * times, 0), np.where(converged, 0, LIMIT * times))
        return ExpectedSteps(Clusters.of_seeds(np.ones((400, n), np.int64), converged, *counts, int(LIMIT * times)))

    low, high = Ratio(side(ratio), side(1.0)).ends()
    assert 0.74 <= ((low > 1) | (high < 1)).mean() <= 0.9


def test_rare_failures_need_no_fewer_seeds_than_none() -> None:
    """A failure that is not seen widens the interval as if there were one."""
    needed = [seeds_for_ratio(2.0, rate, 1000, 0.3, LIMIT) for rate in (0.9, 0.99, 0.999, 1.0)]
    assert needed == sorted(needed, reverse=True)


@pytest.mark.wide
def test_command() -> None:
    """The plan prints the number of seeds and its assumptions. Impossible values are errors."""
    out = command("plan", "xor", "--difference", "0.3", "--ratio", "2", "--rate", "0.8", "--steps", "100").out
    n = seeds_for_difference(0.3, 0.8)
    assert f"\n{n} seeds per cell detect a difference of 30 percentage points between two rates around 80 % " in out
    n = seeds_for_ratio(2, 0.8, 100, 1.0, LIMIT)
    assert f"\n{n} seeds per cell detect a ratio of 2 of expected steps (ERT), if 80 % converge in 100 ± 100 " in out
    for options, why in (
        (("--difference", "0"), "difference: must be above 0 and below 1.0"),
        (("--difference", "0.3", "--rate", "0.9"), "above 0 and at most 0.2, since two rates with mean 0.9"),
        (("--ratio", "1"), "ratio: must be above 0 and not 1, got 1.0"),
        (("--ratio", "2", "--steps", "9000"), "at most the limit of 5,000"),
        (("--difference", "1e-9"), "needs more than 100,000,000 seeds"),
    ):
        refused = command("plan", "xor", *options)
        assert refused.code == 2
        assert why in refused.err
        assert not refused.out


def test_the_end_on_the_side_of_zero_decides() -> None:
    """The other end of an interval that is not symmetric does not change the number of seeds."""
    needed = seeds_to_separate(0.2, 0.1, 0.3, 40, 1)
    assert needed == seeds_to_separate(0.2, 0.1, 0.9, 40, 1) == seeds_to_separate(-0.2, -0.9, -0.1, 40, 1)
    assert needed != seeds_to_separate(0.2, 0.05, 0.3, 40, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_must_be_finite(value: float) -> None:
    """NaN and infinity are errors."""
    with pytest.raises(SweepError):
        seeds_for_difference(value)
    with pytest.raises(SweepError):
        seeds_for_ratio(value, 0.5, 100, 1.0, LIMIT)
