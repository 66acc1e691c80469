"""Comparisons on common seeds: tests and intervals against definitions and simulation."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import sweep
from sweep import Result, StoreError, SweepError
from sweep.statistics.clustered import rate_intervals
from sweep.statistics.intervals import wilson_interval
from sweep.statistics.outcomes import Outcomes
from sweep.statistics.paired import difference_interval, holm
from sweep.statistics.ranking import best_cells
from tests.sweep.support import make_study


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=8), st.integers(0, 20))
def test_holm_by_its_definition(p_values: list[float], more: int) -> None:
    """The j-th smallest of m is multiplied by m - j + 1, and none is below a smaller one's; missing ones stay."""
    known = sorted(p for p in p_values if p == p)
    raised, largest = {}, 0.0
    for k, p in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) + more - k)))
        raised[k] = largest
    adjusted = holm(np.array(p_values), len(known) + more)
    if more == 0:
        np.testing.assert_array_equal(adjusted, holm(np.array(p_values)))
    for p, got in zip(p_values, adjusted, strict=True):
        if p != p:
            assert np.isnan(got)
        else:
            assert got in [raised[k] for k, other in enumerate(known) if other == p]


def test_interval_of_agresti_and_min() -> None:
    """For one pair for each seed it is theirs, written out from the four classes."""
    both, first, second, neither = 50, 12, 3, 35
    n = both + first + second + neither
    low, high = difference_interval(
        np.array([first - second]), np.array([first + second]), np.array([n]), np.array([1])
    )
    b, c, m = first + 0.5, second + 0.5, n + 2
    middle, spread = (b - c) / m, 1.959963984540054 * np.sqrt((b + c) - (b - c) ** 2 / m) / m
    assert (low[0], high[0]) == pytest.approx((middle - spread, middle + spread), abs=1e-12)


def test_interval_of_several_pairs() -> None:
    """It lies around the difference, wider the fewer seeds there are; one seed says nothing of others."""
    n_seeds = np.array([1, 2, 5, 500])
    low, high = difference_interval(0.3 * n_seeds, 0.09 * n_seeds, n_seeds, np.full(4, 10))
    assert np.isnan([low[0], high[0]]).all()
    np.testing.assert_allclose((low + high)[2:] / 2, 0.3)
    assert (np.diff((high - low)[1:]) < 0).all()


def test_rates_over_cells_count_seeds_once() -> None:
    """Seeds that always do the same are as many runs as seeds; one seed says nothing; one cell is Wilson's."""
    alike = Outcomes(np.ones((40, 5), np.int32), np.zeros((40, 5), np.bool_))
    assert rate_intervals(alike, np.zeros(40, np.int64))[1][0] == wilson_interval(np.array([0]), np.array([5]))[1][0]
    single = Outcomes(np.ones((40, 1), np.int32), np.arange(40)[:, None] < 20)
    assert np.isnan(rate_intervals(single, np.zeros(40, np.int64))).all()
    np.testing.assert_array_equal(
        rate_intervals(single, np.arange(40)), wilson_interval(single.converged.sum(axis=1), np.ones(40))
    )


SWEPT: dict[str, Any] = {"hidden": [2, 3], "learning_rate": [0.05, 0.2, 0.8], "distribution": ["normal", "uniform"]}


@pytest.fixture(scope="module")
def result() -> Result:
    """Train three parameters."""
    return sweep.run(make_study(count=20, max_steps=200, below=0.4, **SWEPT))


def flip_by_definition(balance: list[int]) -> float:
    """Return how often random signs give so large a sum, by adding the seeds one by one."""
    chances = {0: Fraction(1)}
    for b in balance:
        following: dict[int, Fraction] = {}
        for total, chance in chances.items():
            for signed in (total + b, total - b):
                following[signed] = following.get(signed, Fraction(0)) + chance / 2
        chances = following
    return float(sum(chance for total, chance in chances.items() if abs(total) >= abs(sum(balance))))


def pairs_by_definition(runs: pd.DataFrame, vary: str, first: Any, second: Any, by: dict[str, Any]) -> dict[str, Any]:
    """Compare two values from the rows, run by run."""
    others = [name for name in SWEPT if name != vary]
    runs = runs[(runs[list(by)] == pd.Series(by)).all(axis=1)] if by else runs
    sides = [runs[runs[vary] == value].set_index([*others, "seed"]) for value in (first, second)]
    balance: dict[int, int] = {}
    pace: dict[int, int] = {}
    faster = slower = 0
    for key, one in sides[0].iterrows():
        two = sides[1].loc[key]
        ends = [row["steps"] if row["status"] == "converged" else 10**9 for row in (one, two)]
        seed = key[-1]
        converged = [int(row["status"] == "converged") for row in (one, two)]
        balance[seed] = balance.get(seed, 0) + converged[0] - converged[1]
        pace[seed] = pace.get(seed, 0) + (ends[0] < ends[1]) - (ends[0] > ends[1])
        faster, slower = faster + (ends[0] < ends[1]), slower + (ends[0] > ends[1])
    rates = [(side["status"] == "converged").mean() for side in sides]
    p_values = [flip_by_definition(list(each.values())) for each in (balance, pace)]
    n = len(sides[0])
    return {
        "n_pairs": n, "n_seeds": 20, "first_rate": rates[0], "second_rate": rates[1],
        "difference": rates[0] - rates[1], "p_value": p_values[0],
        "first_faster": faster / n, "second_faster": slower / n, "p_steps": p_values[1],
    }  # fmt: skip


@pytest.mark.parametrize("by", [None, [], ["hidden"], ["learning_rate", "hidden"]])
@pytest.mark.parametrize("vary", list(SWEPT))
def test_comparison_by_its_definition(result: Result, vary: str, by: list[str] | None) -> None:
    """Each two values, for each combination of the parameters asked for, from the rows."""
    by = [name for name in by or [] if name != vary] if by is not None else None
    compared = result.compare(vary, by)
    shown = [name for name in SWEPT if name != vary] if by is None else by
    n_values = len(SWEPT[vary])
    assert len(compared) == n_values * (n_values - 1) // 2 * np.prod([len(SWEPT[name]) for name in shown])
    runs = result.runs()
    for row in compared.to_dict("records"):
        expected = pairs_by_definition(runs, vary, row["first"], row["second"], {name: row[name] for name in shown})
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, abs=1e-12), name
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    np.testing.assert_array_equal(compared["p_value_holm"], holm(compared["p_value"].to_numpy()))


@pytest.mark.parametrize(
    ("vary", "by", "words"),
    [
        ("hiden", None, "unknown parameter 'hiden'; did you mean 'hidden'"),
        ("hidden", ["hidden"], "'hidden' given twice"),
        ("hidden", ["scale"], "unknown parameter 'scale'"),
    ],
)
def test_what_cannot_be_compared(result: Result, vary: str, by: list[str] | None, words: str) -> None:
    """Unknown parameters are told."""
    with pytest.raises(SweepError, match=words):
        result.compare(vary, by)


def test_comparisons_take_two_values_and_rows() -> None:
    """One value has nothing beside it, and counts are not paired."""
    single = sweep.run(make_study(count=2, hidden=[2], learning_rate=[0.1, 0.2]))
    with pytest.raises(SweepError, match="hidden has 1 value; 2 to 20 can be compared"):
        single.compare("hidden")
    counts = sweep.run(make_study(count=2, hidden=[2, 3]), keep="cells")
    with pytest.raises(StoreError, match="keep='runs'"):
        counts.compare("hidden")
    assert counts.best()["p_value"].isna().all()
    assert counts.best()["alike"].isna().all()


@pytest.mark.parametrize("by", ["convergence_rate", "steps_q50", "expected_steps"])
def test_best_cells(result: Result, by: str) -> None:
    """Cells stand in order, and each is compared with the first on common seeds."""
    best, cells = result.best(by), result.cells
    values = best[by].astype(float)
    known = values.dropna()
    assert list(known) == sorted(known, reverse=by == "convergence_rate")
    assert values.iloc[len(known) :].isna().all()
    assert list(best["rank"]) == list(range(1, 13))
    assert sorted(best["cell"]) == list(cells["cell"])
    assert np.isnan(best["p_value"].iloc[0])
    assert best["alike"].iloc[0]
    runs = result.runs()
    first = runs[runs["cell"] == best["cell"].iloc[0]].reset_index()
    for row in best.iloc[1:].to_dict("records"):
        other = runs[runs["cell"] == row["cell"]].reset_index()
        if by == "expected_steps":
            assert row["alike"] == (row["p_value_holm"] > 0.05)
            continue
        ends = [
            np.where(r["status"] == "converged", r["steps"] if by == "steps_q50" else 1, 10**9) for r in (first, other)
        ]
        wins, losses = int((ends[0] < ends[1]).sum()), int((ends[0] > ends[1]).sum())
        expected = stats.binomtest(wins, wins + losses, 0.5).pvalue if wins + losses else 1.0
        assert row["p_value"] == pytest.approx(expected, abs=1e-12)
        assert row["alike"] == (row["p_value_holm"] > 0.05)


def invented(random: np.random.Generator, rates: list[float], n_seeds: int) -> Outcomes:
    """Return cells that converge with these rates; steps are up to 100, those of runs that do not 100."""
    draws = random.random((len(rates), n_seeds))
    converged = draws < np.array(rates)[:, None]
    steps = np.where(converged, random.integers(1, 101, draws.shape), 100).astype(np.int32)
    return Outcomes(steps, converged)


def cells_of(outcomes: Outcomes) -> pd.DataFrame:
    """Return the statistics by which cells are ranked."""
    n, converged = outcomes.steps.shape[1], outcomes.converged
    with np.errstate(divide="ignore"):
        expected = outcomes.steps.sum(axis=1) / converged.sum(axis=1)
    median = np.sort(outcomes.steps_to_converge(), axis=1)[:, (n - 1) // 2]
    return pd.DataFrame(
        {
            "cell": range(len(expected)),
            "convergence_rate": converged.mean(axis=1),
            "expected_steps": expected,
            "steps_q50": pd.array(median, "Int64"),
        }
    )


def test_costs_are_compared_by_the_delta_method() -> None:
    """Its p-values are those of the bootstrap of the ratio, about; equal cells are never told apart."""
    random = np.random.default_rng(1)
    outcomes = invented(random, [0.8, 0.7, 0.65, 0.0], 400)
    best = best_cells(cells_of(outcomes), make_study(), outcomes, "expected_steps")
    assert list(best["cell"])[-1] == 3
    assert best["p_value"].iloc[-1] < 1e-50  # an infinite cost is compared by the rate
    first = outcomes.at(best["cell"].to_numpy()[:1])
    for row in best.iloc[1:3].to_dict("records"):
        other = outcomes.at(np.array([row["cell"]]))
        picks = random.integers(0, 400, (4000, 400))
        costs = [o.steps[0][picks].sum(axis=1) / o.converged[0][picks].sum(axis=1) for o in (first, other)]
        ratio = np.log(costs[1] / costs[0])
        distance = np.log(row["expected_steps"] / best["expected_steps"].iloc[0]) / ratio.std()
        assert stats.t.isf(row["p_value"] / 2, 399) == pytest.approx(distance, rel=0.05)
    twins = Outcomes(np.repeat(outcomes.steps[:1], 2, axis=0), np.repeat(outcomes.converged[:1], 2, axis=0))
    assert best_cells(cells_of(twins), make_study(), twins, "expected_steps")["p_value"].iloc[1] == 1.0
    certain = Outcomes(np.array([[10, 10], [20, 20]], np.int32), np.ones((2, 2), np.bool_))
    assert (
        best_cells(cells_of(certain), make_study(), certain, "expected_steps")["p_value"].iloc[1] == 0.5
    )  # of two seeds


def test_unknown_ranking(result: Result) -> None:
    """What cells are ranked by is listed."""
    with pytest.raises(SweepError, match=r"unknown statistic 'speed'.*rate, expected_steps, median_steps"):
        result.best("speed")
