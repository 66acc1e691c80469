"""Statistics of steps against scipy, their definitions and simulation."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sweep.analysis.cells import columns_of
from sweep.analysis.incidence import cumulative_incidence
from sweep.analysis.tally import tally_runs
from sweep.statistics.intervals import binomial_quantile, quantile_ranks, wilson_interval
from sweep.statistics.of_cells import OF_CONVERGENCE
from sweep.statistics.runs import Runs
from tests.oracle import STATUSES

Ends = list[tuple[str, int]]  # status and steps of every run of a group
LIMIT = 12


@st.composite
def groups(draw: st.DrawFn, most_runs: int = 12) -> list[Ends]:
    """Draw the ends of the runs of one to three groups. Some statuses are missing, and steps repeat."""
    possible = draw(st.lists(st.sampled_from(STATUSES), min_size=1, unique=True))
    ends = st.tuples(st.sampled_from(possible), st.integers(0, LIMIT))
    return [
        [(status, LIMIT if status == "exhausted" else steps) for status, steps in runs]
        for runs in draw(st.lists(st.lists(ends, min_size=1, max_size=most_runs), min_size=1, max_size=3))
    ]


def tally_of(runs: list[Ends]) -> pd.DataFrame:
    """Tally groups of runs."""
    group = np.repeat(np.arange(len(runs)), [len(each) for each in runs])
    status = np.array([STATUSES.index(status) for each in runs for status, _ in each], np.int8)
    steps = np.array([steps for each in runs for _, steps in each], np.int32)
    return tally_runs(group, status, steps)


def runs_of(runs: list[Ends]) -> Runs:
    """Return groups of runs."""
    tally = tally_of(runs)
    return Runs.of_tally(tally, tally["cell"].to_numpy(), np.full(len(tally), LIMIT))


def statistics_of(runs: list[Ends]) -> pd.DataFrame:
    """Return the statistics of groups of runs."""
    return columns_of(OF_CONVERGENCE.values(), runs_of(runs))


def listed(column: pd.Series) -> list[float | None]:
    """Return the values of a column, None for missing ones."""
    return [None if pd.isna(value) else value for value in column]


@pytest.mark.parametrize("n", [1, 2, 7, 30, 200, 1000, 12_345, 1_000_000])
@pytest.mark.parametrize("chance", [0.25, 0.5, 0.75])
def test_binomial_quantiles_are_those_of_scipy(n: int, chance: float) -> None:
    """Quantiles are exact for any number of trials."""
    for level in (0.025, 0.3, 0.975):
        assert binomial_quantile(n, chance, level) == int(stats.binom.ppf(level, n, chance))


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_ranks_hold_the_quantile_with_95_percent(share: float) -> None:
    """The quantile lies between the ranks with at least 95 % confidence; no closer rank suffices on either side."""
    for n in (1, 5, 20, 200, 999):
        low, high = quantile_ranks(n, share)
        below = stats.binom(n, share).cdf
        assert below(high - 1) - below(low - 1) >= 0.95 - 1e-12
        assert below(low) > 0.025
        assert high == 1 or below(high - 2) < 0.975


@pytest.mark.slow
@given(groups())
def test_quantiles_by_their_definition(runs: list[Ends]) -> None:
    """Quantiles are steps of runs at ranks; runs that do not converge come last."""
    table = statistics_of(runs)
    for name, part in (("steps_q25", Fraction(1, 4)), ("steps_q50", Fraction(1, 2)), ("steps_q75", Fraction(3, 4))):
        for group, ends in enumerate(runs):
            order = [0, *sorted(steps for status, steps in ends if status == "converged")]
            low, high = quantile_ranks(len(ends), float(part))
            for column, rank in ((name, math.ceil(part * len(ends))), (f"{name}_low", low), (f"{name}_high", high)):
                expected = order[rank] if rank < len(order) else None
                assert listed(table[column])[group] == expected


def naive_interval(ends: Ends) -> tuple[float, float]:
    """Return the interval of the restricted mean, from those of the rate and of the steps that a success saves."""
    saved = [LIMIT - steps for status, steps in ends if status == "converged"]
    n = len(saved)
    rate, each = n / len(ends), sum(saved) / n if n else LIMIT
    of_rate = stats.binomtest(n, len(ends)).proportion_ci(0.95, method="wilson")
    of_each = (0.0, LIMIT)
    if n > 1:
        spread = stats.t.ppf(0.975, n - 1) * stats.sem(saved)
        of_each = max(each - spread, 0.0), min(each + spread, LIMIT)
    below = math.hypot(each * (rate - of_rate.low), rate * (each - of_each[0]))
    above = math.hypot(each * (of_rate.high - rate), rate * (of_each[1] - each))
    return LIMIT - rate * each - above, LIMIT - rate * each + below


@pytest.mark.slow
@given(groups())
def test_restricted_means_by_their_definition(runs: list[Ends]) -> None:
    """The mean and standard error of steps, where runs that fail count with their limit."""
    table = statistics_of(runs)
    for group, ends in enumerate(runs):
        steps = [steps if status == "converged" else LIMIT for status, steps in ends]
        assert table["restricted_mean_steps"][group] == pytest.approx(sum(steps) / len(steps), rel=1e-15)
        error = None if len(steps) == 1 else pytest.approx(stats.sem(steps), rel=1e-12, abs=1e-12)
        assert listed(table["restricted_mean_steps_error"])[group] == error
        ends_of_interval = [table[f"restricted_mean_steps_{end}"][group] for end in ("low", "high")]
        assert ends_of_interval == pytest.approx(naive_interval(ends), rel=1e-9, abs=1e-9)


def mean_interval(steps: list[int], unseen: float) -> tuple[float, float, float]:
    """Return the mean of steps and its interval in logarithms, with one more run ``unseen`` off the mean."""
    n = len(steps)
    mean = sum(steps) / max(n, 1)
    if n < 2:
        return mean, 0.0, LIMIT
    error = math.sqrt((sum((each - mean) ** 2 for each in steps) + unseen**2) / (n - 1) / n)
    factor = math.exp(min(stats.t.ppf(0.975, n - 1) * error / (mean or 1), 700))
    return mean, mean / factor, max(min(mean * factor, LIMIT), mean)


def cost_interval(ends: Ends, limit: int = LIMIT, method: str = "wilson") -> tuple[float, float]:
    """Return the interval of expected steps: steps per success plus steps per failure times the odds of failure."""
    took = [steps for status, steps in ends if status == "converged"]
    lost = [steps for status, steps in ends if status != "converged"]
    rate = stats.binomtest(len(took), len(ends)).proportion_ci(0.95, method=method)
    most, least = ((1 - each) / each if each else math.inf for each in rate)
    (success, *of_success), (failure, *of_failure) = mean_interval(took, 0.0), mean_interval(lost, limit / 2)
    if not took:
        return least * of_failure[0], math.inf
    failed = sum(lost) / len(took)
    if failed:
        parts = [(math.log(len(lost) / len(took) / odds), math.log(failure / each) if each else math.inf)
                 for odds, each in ((least, of_failure[0]), (most, of_failure[1]))]  # fmt: skip
        of_failed = failed * math.exp(-math.hypot(*parts[0])), failed * math.exp(math.hypot(*parts[1]))
    else:
        of_failed = 0.0, most * limit
    below, above = (math.hypot(success - of_success[end], failed - of_failed[end]) for end in (0, 1))
    return max(success + failed - below, of_success[0]), success + failed + above


@pytest.mark.slow
@given(groups())
def test_expected_steps_by_their_definition(runs: list[Ends]) -> None:
    """Expected steps are the steps of all runs per success, with the combined interval of both parts."""
    table = statistics_of(runs)
    for group, ends in enumerate(runs):
        n_steps, successes = sum(steps for _, steps in ends), sum(status == "converged" for status, _ in ends)
        assert table["expected_steps"][group] == pytest.approx(n_steps / successes if successes else math.inf)
        found = [table[f"expected_steps_{end}"][group] for end in ("low", "high")]
        assert found == pytest.approx(cost_interval(ends), rel=1e-9, abs=1e-9)


@pytest.mark.soak
@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("n", [200, 1000])
def test_intervals_cover(rate: float, n: int) -> None:
    """Nominal 95 % intervals cover 92.5 to 98 % in 2,000 simulated studies, those of quantiles at least 94 %."""
    random, times = np.random.default_rng(int(1000 * rate) + n), 2000
    exponential = stats.expon(scale=300)
    limit, cut = 1000, 250
    truth_incidence = rate * exponential.cdf(cut + 0.5)
    hits = dict.fromkeys(("rate", "incidence", "mean", "median"), 0)
    steps = np.rint(exponential.rvs((times, n), random_state=random)).astype(np.int64)
    succeeds = (random.random((times, n)) < rate) & (steps <= limit)
    fine = np.arange(0, 40_001)
    chances = exponential.cdf(fine + 0.5) - exponential.cdf(np.maximum(fine - 0.5, 0))
    truth_rate = rate * chances[: limit + 1].sum()
    truth_mean = rate * (chances[: limit + 1] * fine[: limit + 1]).sum() + (1 - truth_rate) * limit
    reached = rate * np.cumsum(chances) >= 0.5
    truth_median = int(np.argmax(reached)) if reached[limit] else None
    for own, ok in zip(steps, succeeds, strict=True):
        status = np.where(ok, 0, 3).astype(np.int8)
        ends = tally_runs(np.zeros(n, np.int64), status, np.where(ok, own, limit).astype(np.int32))
        runs = Runs.of_tally(ends, np.zeros(len(ends), np.int64), np.full(len(ends), limit))
        low, high = wilson_interval(np.array([ok.sum()]), np.array([n]))
        hits["rate"] += bool(low[0] <= truth_rate <= high[0])
        row = cumulative_incidence(ends).query("steps <= @cut").iloc[-1]
        hits["incidence"] += bool(row["low"] <= truth_incidence <= row["high"])
        mean = columns_of(OF_CONVERGENCE.values(), runs).iloc[0]
        hits["mean"] += bool(mean["restricted_mean_steps_low"] <= truth_mean <= mean["restricted_mean_steps_high"])
        if truth_median is not None:
            low_end, high_end = mean["steps_q50_low"], mean["steps_q50_high"]
            hits["median"] += bool(low_end <= truth_median and (pd.isna(high_end) or truth_median <= high_end))
    for name in ("rate", "incidence", "mean"):
        assert 0.925 <= hits[name] / times <= 0.98, (name, hits[name] / times)
    assert truth_median is None or hits["median"] / times >= 0.94
