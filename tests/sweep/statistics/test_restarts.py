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
from sweep.statistics.of_cells import OF_CONVERGENCE
from sweep.statistics.runs import Runs
from tests.oracle import STATUSES
from tests.sweep.statistics.test_steps import LIMIT, Ends, cost_interval, groups, listed, statistics_of


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


def stopped(ends: Ends, limit: float) -> Ends:
    """Return how runs end that stop at a limit."""
    return [(status, steps) if steps <= limit else ("exhausted", int(limit)) for status, steps in ends]


@pytest.mark.slow
@given(groups(), st.sampled_from([1, 40]))
def test_best_restarts_by_trying_every_limit(runs: list[Ends], copies: int) -> None:
    """No limit takes fewer steps per success, no smaller one as few. Halves use each other's limits."""
    runs = [ends * copies for ends in runs]
    table = statistics_of(runs)
    for group, ends in enumerate(runs):
        best = best_limit(ends)
        assert listed(table["restart_steps"])[group] == (None if best == math.inf else best)
        one, other = halves(ends)
        limits = best_limit(other), best_limit(one)
        of_halves = stopped(one, limits[0]) + stopped(other, limits[1])
        successes = sum(status == "converged" for status, _ in of_halves)
        if not successes:
            assert best == math.inf == table["restarted_steps"][group]
            continue
        ratio = sum(steps for _, steps in of_halves) / successes
        assert table["restarted_steps"][group] == pytest.approx(ratio, rel=1e-12)
        if sum(status == "converged" for status, _ in ends) < 100:
            assert table.loc[group, ["restarted_steps_low", "restarted_steps_high"]].isna().all()
            continue
        intervals = (
            cost_interval(of_halves, int(min(max(limits), LIMIT)), "exact"),
            cost_interval(stopped(ends, best), int(best), "exact"),
        )
        lows, highs = zip(*intervals, strict=True)
        assert table["restarted_steps_low"][group] == pytest.approx(min(lows), rel=1e-9)
        assert table["restarted_steps_high"][group] == pytest.approx(max(highs), rel=1e-9)


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


def simulated(rate: float, n: int, times: int, law: str = "exponential") -> tuple[pd.DataFrame, float]:
    """Return restarts of simulated studies, and the true cost; a law gives the steps of runs that converge."""
    random, limit = np.random.default_rng(7), 5000
    steps = np.arange(1, limit + 1)
    by = {
        "exponential": 1 - np.exp(-steps / 1000),
        "mixed": 1 - (np.exp(-steps / 100) + np.exp(-steps / 5000)) / 2,
        "late": stats.norm(1500, 200).cdf(steps),
        "alike": (steps >= 1000).astype(np.float64),
    }[law]
    by /= by[-1]
    cost = np.cumsum(np.concatenate([[1.0], 1 - rate * by[:-1]])) / np.maximum(rate * by, 1e-9)
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
@pytest.mark.parametrize("law", ["exponential", "mixed", "late", "alike"])
def test_intervals_of_restarts_cover(rate: float, n: int, law: str) -> None:
    """From 100 converged runs on, intervals cover 93 % or more, and are wide where few converge by the best limit."""
    table, truth = simulated(rate, n, 1000, law)
    known = table[table["restarted_steps_low"].notna()]
    covered = ((known["restarted_steps_low"] <= truth) & (truth <= known["restarted_steps_high"])).mean()
    assert len(known) >= 300
    assert covered >= 0.93
