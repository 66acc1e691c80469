"""Restarts: the best limit against brute force, and its cost in other runs."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sweep.analysis.cells import columns_of
from sweep.analysis.tally import tally_runs
from sweep.statistics.ends import half_of
from sweep.statistics.intervals import Z
from sweep.statistics.of_cells import OF_CONVERGENCE
from sweep.statistics.runs import Runs
from tests.oracle import STATUSES
from tests.sweep.statistics.test_steps import LIMIT, Ends, groups, listed, statistics_of


def best_limit(ends: Ends) -> float:
    """Return the smallest limit with the fewest steps per success; infinite without a success."""
    costs = {}
    for limit in range(LIMIT + 1):
        successes = sum(status == "converged" and steps <= limit for status, steps in ends)
        if successes:
            costs[limit] = sum(min(steps, limit) for _, steps in ends) / successes
    return min(costs, key=lambda limit: (costs[limit], limit)) if costs else math.inf


def mixed(number: int) -> int:
    """Mix bits as the reference implementation of SplitMix64 does, in integers."""
    number = (number + 0x9E3779B97F4A7C15) % 2**64
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB % 2**64
    return number ^ (number >> 31)


def halves(ends: Ends) -> tuple[Ends, Ends]:
    """Assign the runs of a group to two halves, end by end."""
    one: Ends = []
    other: Ends = []
    for end in sorted(set(ends)):
        n = ends.count(end)
        code = STATUSES.index(end[0])
        bits = mixed((mixed(end[1] * 4 + code + (2**40 if code > 3 else 0)) + n) % 2**64)
        ones = (bits % 2**n).bit_count() if n <= 64 else int(stats.binom.ppf((bits + 0.5) / 2**64, n, 0.5))
        one, other = one + [end] * ones, other + [end] * (n - ones)
    return one, other


@pytest.mark.slow
@given(groups(), st.sampled_from([1, 40]))
def test_best_restarts_by_trying_every_limit(runs: list[Ends], copies: int) -> None:
    """No limit takes fewer steps per success, no smaller one as few. Halves use each other's limits."""
    runs = [ends * copies for ends in runs]
    table = statistics_of(runs)
    for group, ends in enumerate(runs):
        best = best_limit(ends)
        assert listed(table["restart_steps"])[group] == (None if best == math.inf else best)
        dealt = halves(ends)
        spent, succeeded = [], []
        for own, limit in zip(dealt, map(best_limit, dealt[::-1]), strict=True):
            spent += [min(steps, limit) for _, steps in own]
            succeeded += [status == "converged" and steps <= limit for status, steps in own]
        if not any(succeeded):
            assert best == math.inf == table["restarted_steps"][group]
            continue
        ratio = sum(spent) / sum(succeeded)
        assert table["restarted_steps"][group] == pytest.approx(ratio, rel=1e-12)
        if sum(status == "converged" for status, _ in ends) < 100:
            assert table.loc[group, ["restarted_steps_low", "restarted_steps_high"]].isna().all()
            continue
        rest = np.array(spent) - ratio * np.array(succeeded)
        error = math.sqrt((rest**2).sum() * len(ends) / (len(ends) - 1)) / max(sum(spent), 1)
        assert table["restarted_steps_low"][group] == pytest.approx(ratio / math.exp(Z * error), rel=1e-9)
        assert table["restarted_steps_high"][group] == pytest.approx(ratio * math.exp(Z * error), rel=1e-9)


@pytest.mark.parametrize("n", [1, 7, 64, 65, 1000, 10**6, 10**12])
def test_halves_are_binomial(n: int) -> None:
    """The sizes of one half have the binomial distribution, also for more than 64 runs."""
    dealt = half_of(np.full(4000, n), np.zeros(4000, np.int8), np.arange(4000))
    z = (dealt - n / 2) / (math.sqrt(n) / 2)
    assert abs(z.mean()) <= 4 / math.sqrt(4000)
    assert z.var() == pytest.approx(1.0, abs=0.1)
    if n <= 64:
        expected = stats.binom(n, 0.5).pmf(np.arange(n + 1))
        assert np.abs(np.bincount(dealt, minlength=n + 1) / 4000 - expected).max() < 0.03


def simulated(rate: float, n: int, times: int) -> tuple[pd.DataFrame, float]:
    """Return restarts of simulated studies with exponential steps, and the true cost."""
    random, limit, mean = np.random.default_rng(7), 5000, 1000.0
    steps = np.arange(1, limit + 1)
    by = (1 - np.exp(-steps / mean)) / (1 - math.exp(-limit / mean))
    cost = np.cumsum(np.concatenate([[1.0], 1 - rate * by[:-1]])) / (rate * by)
    converged = random.random(times * n) < rate
    ended = np.where(converged, np.searchsorted(by, random.random(times * n)) + 1, limit).astype(np.int32)
    tally = tally_runs(np.repeat(np.arange(times), n), np.where(converged, 0, 3).astype(np.int8), ended)
    runs = Runs.of_tally(tally, tally["cell"].to_numpy(), np.full(len(tally), limit))
    return columns_of(OF_CONVERGENCE.values(), runs), float(cost.min())


def test_cost_of_restarts_is_not_too_low() -> None:
    """If one in ten of 1,000 runs converges, the estimated cost is on average the true one, not half of it."""
    table, truth = simulated(0.1, 1000, 200)
    assert np.exp(np.log(table["restarted_steps"]).mean()) == pytest.approx(truth, rel=0.15)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("rate", "n"), [(0.1, 1000), (0.1, 2000), (0.5, 200), (0.5, 1000), (0.99, 100), (0.99, 1000), (0.999, 300)]
)
def test_intervals_of_restarts_cover(rate: float, n: int) -> None:
    """From 100 converged runs on, intervals cover 92 to 98.5 %."""
    table, truth = simulated(rate, n, 1000)
    known = table[table["restarted_steps_low"].notna()]
    covered = ((known["restarted_steps_low"] <= truth) & (truth <= known["restarted_steps_high"])).mean()
    assert len(known) >= 300
    assert 0.92 <= covered <= 0.985


@pytest.mark.parametrize(("rate", "n"), [(0.01, 1000), (0.5, 100), (0.99, 20)])
def test_few_successes_have_no_interval_of_restarts(rate: float, n: int) -> None:
    """With fewer than 100 converged runs there is no interval, since it would cover 75 to 85 %."""
    table, _ = simulated(rate, n, 50)
    assert table[["restarted_steps_low", "restarted_steps_high"]].isna().all(axis=None)
