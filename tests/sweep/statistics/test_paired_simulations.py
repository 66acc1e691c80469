"""Simulated comparisons on common seeds: coverage of intervals, and of the set that may be the best."""

from __future__ import annotations

import numpy as np
import pytest

from sweep.statistics.paired import Advantage
from sweep.statistics.ranking import best_cells
from tests.sweep.results.test_best import cells_of, invented


def coverage_of_differences(n_pairs: int, rates: tuple[float, float], shared: float, n_seeds: int = 200) -> float:
    """Return how often intervals of 2,000 simulated studies contain the difference of two rates.

    With probability ``shared``, all runs of a seed share a random number.
    """
    random = np.random.default_rng(0)
    shape = 2000, n_seeds, n_pairs
    own = np.where(random.random((2000, n_seeds, 1)) < shared, random.random((2000, n_seeds, 1)), random.random(shape))
    other = np.where(random.random(shape) < shared, own, random.random(shape))
    balance = ((own < rates[0]).astype(int) - (other < rates[1]).astype(int)).sum(axis=2)
    low, high = Advantage(balance, np.full_like(balance, n_pairs)).ends()
    return float(((low <= rates[0] - rates[1]) & (rates[0] - rates[1] <= high)).mean())


@pytest.mark.soak
@pytest.mark.parametrize("n_pairs", [1, 4])
@pytest.mark.parametrize("shared", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("rates", [(0.1, 0.1), (0.5, 0.5), (0.9, 0.7), (0.3, 0.1), (0.5, 0.9)])
def test_intervals_of_differences_cover(n_pairs: int, rates: tuple[float, float], shared: float) -> None:
    """Nominal 95 % intervals of differences of paired rates cover 92.5 to 98 %.

    They cover up to 99.8 % if only 1.8 % of pairs differ. The exact sign test of 200 single pairs then rejects in .36 %
    of studies, and the interval of seeds with four pairs allows for a seed whose pairs all favor one side.
    """
    few_differ = rates == (0.1, 0.1) and shared > 0.8
    assert 0.925 <= coverage_of_differences(n_pairs, rates, shared) <= (0.998 if few_differ else 0.98)


@pytest.mark.soak
@pytest.mark.parametrize("n_pairs", [1, 4])
@pytest.mark.parametrize("n_seeds", [20, 100, 1000])
@pytest.mark.parametrize("shared", [0.0, 0.5])
@pytest.mark.parametrize("rates", [(0.01, 0.01), (0.1, 0.1), (0.5, 0.5), (0.99, 0.9), (0.99, 0.5)])
def test_intervals_of_differences_of_few_seeds_cover(
    n_pairs: int, n_seeds: int, shared: float, rates: tuple[float, float]
) -> None:
    """Intervals cover at least 93 %, with 20 seeds of several pairs at least 90 %."""
    least = 0.9 if n_pairs > 1 and n_seeds == 20 else 0.93
    assert coverage_of_differences(n_pairs, rates, shared, n_seeds) >= least


def kept(rates: list[float], by: str, n_seeds: int, times: int) -> np.ndarray:
    """Return the share of simulated studies in which each cell may be the best."""
    random = np.random.default_rng(2)
    found = np.zeros(len(rates))
    for _ in range(times):
        outcomes = invented(random, rates, n_seeds)
        best = best_cells(cells_of(outcomes), outcomes, by, np.full(len(rates), 100))
        found[best["cell"]] += best["may_be_best"].to_numpy(bool)
    return found / times


@pytest.mark.soak
@pytest.mark.parametrize("n_cells", [2, 50])
@pytest.mark.parametrize("n_seeds", [20, 100, 1000])
@pytest.mark.parametrize("by", ["convergence_rate", "steps_q50", "expected_steps"])
def test_the_best_is_among_those_that_may_be(by: str, n_seeds: int, n_cells: int) -> None:
    """Each of several equal cells is in the set in at least about 95 % of studies."""
    assert kept([0.6] * n_cells, by, n_seeds, 1000).mean() >= 0.945


@pytest.mark.soak
@pytest.mark.parametrize("rates", [[0.95, 0.8], [0.95, 0.8, *[0.0] * 48], [0.95, *[0.8] * 49]])
def test_what_is_worse_is_left_out(rates: list[float]) -> None:
    """With 100 seeds, a rate of .80 is left out beside .95 in at least 60 % of studies."""
    shares = kept(rates, "convergence_rate", 100, 500)
    assert shares[0] >= 0.95
    assert shares[1] <= 0.4


@pytest.mark.slow
def test_some_intervals_cover() -> None:
    """One case of each simulation."""
    assert 0.925 <= coverage_of_differences(1, (0.5, 0.7), 0.5) <= 0.98
    assert coverage_of_differences(1, (0.99, 0.9), 0.5, 20) >= 0.93
    assert kept([0.6] * 10, "convergence_rate", 50, 100).mean() >= 0.93
    assert kept([0.95, 0.8], "convergence_rate", 100, 50)[1] <= 0.4
