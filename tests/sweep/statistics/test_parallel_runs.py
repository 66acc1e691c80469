"""The first of several parallel runs, by enumerating all choices, and the coverage of its intervals."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import SweepError
from sweep.statistics.intervals import Array
from sweep.statistics.outcomes import Measured
from sweep.statistics.parallel_runs import first_of
from tests.sweep.invented import outcomes_of, result_of
from tests.sweep.support import make_study

LIMIT = 100
CELLS: dict[str, Any] = {"hidden": [2, 3], "learning_rate": 0.1, "max_steps": LIMIT}


@st.composite
def few_runs(draw: st.DrawFn) -> tuple[Measured, int]:
    """Draw the ends of runs of two cells, and a number of parallel runs."""
    n = draw(st.integers(1, 7))
    steps = np.array(draw(st.lists(st.integers(0, 12), min_size=2 * n, max_size=2 * n))).reshape(2, n)
    converged = np.array(draw(st.lists(st.booleans(), min_size=2 * n, max_size=2 * n))).reshape(2, n)
    outcomes = Measured.of_ends(np.where(converged, steps, LIMIT).astype(np.int32), converged)
    return outcomes, draw(st.integers(1, n))


@pytest.mark.slow
@given(few_runs())
def test_every_choice_of_runs(drawn: tuple[Measured, int]) -> None:
    """Shares, means and curves average over all choices of k runs of a cell, and over cells."""
    outcomes, k = drawn
    n = outcomes.steps.shape[1]
    choices = [list(choice) for choice in combinations(range(n), k)]
    rates = [[own[choice].any() for choice in choices] for own in outcomes.converged]
    firsts = [[own[choice].min() for choice in choices] for own in outcomes.steps]
    result = result_of(make_study(count=n, **CELLS), outcomes)
    table = result.parallel_runs(k)
    np.testing.assert_allclose(table["convergence_rate"], np.mean(rates, axis=1), atol=1e-12)
    np.testing.assert_allclose(table["restricted_mean_steps"], np.mean(firsts, axis=1), atol=1e-9)
    (both,) = result.parallel_runs([k], by=[]).to_dict("records")
    assert both["convergence_rate"] == pytest.approx(np.mean(rates), abs=1e-12)
    assert both["restricted_mean_steps"] == pytest.approx(np.mean(firsts))
    for row in result.incidence(parallel_runs=k).itertuples():
        reached = [
            [(converged[choice] & (steps[choice] <= row.steps)).any() for choice in choices]
            for steps, converged in zip(outcomes.steps, outcomes.converged, strict=True)
        ]
        assert row.incidence == pytest.approx(np.mean(reached), abs=1e-12)


def test_one_run_is_a_run() -> None:
    """With k = 1 all numbers are those of cells, and of curves, ends of intervals too."""
    outcomes = outcomes_of(np.random.default_rng(1), np.array([0.3, 0.9]), 60, 0.5, LIMIT)
    result = result_of(make_study(count=60, **CELLS), outcomes)
    names = [f"{name}{end}" for name in ("convergence_rate", "restricted_mean_steps") for end in ("", "_low", "_high")]
    pd.testing.assert_frame_equal(result.parallel_runs(1)[names[:4]], result.cells[names[:4]])
    np.testing.assert_allclose(result.parallel_runs(1)[names[4:]], result.cells[names[4:]], rtol=0.02)
    pd.testing.assert_frame_equal(result.incidence("hidden", parallel_runs=1), result.incidence("hidden"))


def test_more_runs_are_better_and_intervals_take_eight_seeds_for_each() -> None:
    """More parallel runs converge more often and sooner; by default k goes up to the number of seeds."""
    result = result_of(
        make_study(count=20, **CELLS), outcomes_of(np.random.default_rng(1), np.array([0.3, 0.6]), 20, 0.5)
    )
    table = result.parallel_runs(by=())
    assert table["k"].tolist() == [1, 2, 4, 8, 16]
    assert table["convergence_rate"].is_monotonic_increasing
    assert table["restricted_mean_steps"].is_monotonic_decreasing
    assert table["restricted_mean_steps_low"].isna().tolist() == [False] * 2 + [True] * 3
    known = table.dropna()
    for name in ("convergence_rate", "restricted_mean_steps"):
        assert known[f"{name}_low"].le(known[name]).all()
        assert known[f"{name}_high"].ge(known[name]).all()


@pytest.mark.slow
@pytest.mark.parametrize("k", [0, -1, 21, 1.5, True, "2"])
def test_invalid_numbers_of_parallel_runs(k: Any) -> None:
    """Parallel runs are at least one and at most the runs of a cell."""
    outcomes = outcomes_of(np.random.default_rng(1), np.array([0.3, 0.6]), 20, 0.5)
    result = result_of(make_study(count=20, **CELLS), outcomes)
    with pytest.raises(SweepError, match="parallel runs: must be from 1 to 20, the fewest runs of a cell, got "):
        result.parallel_runs([k])
    if k is not True:
        with pytest.raises(SweepError, match="parallel runs: must be from 1 to 20"):
            result.incidence(parallel_runs=k)
    with pytest.raises(SweepError, match="event: must be 'converged' with parallel runs, got 'stalled'"):
        result.incidence(event="stalled", parallel_runs=2)


def test_cells_without_rows() -> None:
    """Counts suffice for single cells; several cells need the rows of runs."""
    outcomes = outcomes_of(np.random.default_rng(1), np.array([0.3, 0.6]), 20, 0.5)
    counts = result_of(make_study(count=20, **CELLS), outcomes, keep="cells")
    rows = result_of(make_study(count=20, **CELLS), outcomes)
    pd.testing.assert_frame_equal(counts.parallel_runs(), rows.parallel_runs())
    with pytest.raises(SweepError, match="need the rows of all their runs"):
        counts.parallel_runs(by=[])


def coverage(n_seeds: int, n_cells: int, rate: float, k: int, times: int = 600) -> tuple[float, float]:
    """Return how often intervals contain the true rate and mean of k parallel runs."""
    random = np.random.default_rng(5)

    def drawn(n: int) -> tuple[Array, Array]:
        shared = random.random(n) < 0.6
        luck, pace = (np.where(shared, random.random(n), random.random((n_cells, n))) for _ in range(2))
        converged = luck < rate
        return np.where(converged, 1 + (pace**2 * 500).astype(np.int64), 1000), converged

    steps, _ = drawn(k * 200_000)
    truth = 1 - (1 - rate) ** k, 1000 - steps.reshape(n_cells, -1, k).min(axis=2).mean()
    held = []
    for _ in range(times):
        first = first_of(*drawn(n_seeds), np.full(n_cells, 1000), k)
        held.append(
            (
                first.rate_low - 1e-9 <= truth[0] <= first.rate_high + 1e-9,
                first.saved_low <= truth[1] <= first.saved_high,
            )
        )
    of_rates, of_means = np.mean(held, axis=0)
    return float(of_rates), float(of_means)


@pytest.mark.soak
@pytest.mark.parametrize("n_seeds", [20, 100, 1000])
@pytest.mark.parametrize("n_cells", [1, 3])
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("k", [1, 2, 4, 16])
def test_intervals_of_parallel_runs_cover(n_seeds: int, n_cells: int, rate: float, k: int) -> None:
    """Nominal 95 % intervals cover at least 88 %, the least where nearly every choice has a success."""
    if k * 8 <= n_seeds:
        assert min(coverage(n_seeds, n_cells, rate, k)) >= 0.88


def test_some_intervals_of_parallel_runs_cover() -> None:
    """A case of two cells."""
    assert min(coverage(40, 2, 0.3, 4, times=100)) >= 0.88
