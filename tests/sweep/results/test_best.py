"""The best cells: their order, comparisons with the first, and the set that contains the best."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import sweep
from sweep import Result
from sweep.results.sentences import may_be_best
from sweep.statistics.outcomes import Measured
from sweep.statistics.paired import holm, one_sided_sign_test
from sweep.statistics.ranking import best_cells
from tests.sweep.invented import result_of
from tests.sweep.statistics.test_paired import SWEPT
from tests.sweep.support import command, make_study

BY = ["convergence_rate", "steps_q50", "expected_steps"]


@pytest.fixture(scope="module")
def result() -> Result:
    """Train three parameters."""
    return sweep.run(make_study(count=20, max_steps=200, threshold=0.4, **SWEPT))


@given(st.integers(0, 30), st.integers(0, 30))
def test_mid_p_by_its_definition(wins: int, losses: int) -> None:
    """The mid-p value is P(more wins) + P(as many wins) / 2 if both sides are equally likely."""
    of_wins = stats.binom(wins + losses, 0.5)
    expected = of_wins.sf(wins) + of_wins.pmf(wins) / 2
    assert one_sided_sign_test(np.array([wins]), np.array([losses]))[0] == pytest.approx(expected, abs=1e-12)


def marked(runs: pd.DataFrame, by: str, at: float) -> np.ndarray:
    """Return which runs converged, or converged within so many steps."""
    converged = (runs["status"] == "converged").to_numpy()
    return converged if by == "convergence_rate" else converged & (runs["steps"].to_numpy() <= at)


@pytest.mark.parametrize("by", BY)
def test_best_cells(result: Result, by: str) -> None:
    """Cells are ranked, and each is compared with the first on common seeds by the same statistic."""
    best, cells = result.best(by), result.cells
    values = best[by].astype(float)
    known = values.dropna()
    assert list(known) == sorted(known, reverse=by == "convergence_rate")
    assert values.iloc[len(known) :].isna().all()
    assert list(best["rank"]) == list(range(1, 13))
    assert sorted(best["cell"]) == list(cells["cell"])
    assert np.isnan(best["p_value"].iloc[0])
    assert best["may_be_best"].iloc[0]
    np.testing.assert_array_equal(best["p_value_holm"], holm(best["p_value"].to_numpy()))
    assert list(best["may_be_best"]) == [not p <= 0.05 for p in best["p_value_holm"]]
    runs = result.runs()
    first = runs[runs["cell"] == best["cell"].iloc[0]].reset_index()
    medians = best["steps_q50"].astype(float).fillna(np.inf)
    for place, row in enumerate(best.to_dict("records")):
        if place == 0 or by == "expected_steps":
            continue
        other = runs[runs["cell"] == row["cell"]].reset_index()
        p_values = []
        for at in (medians[0], medians[place] - 1):
            one, two = marked(first, by, at), marked(other, by, at)
            n, wins = int((one != two).sum()), int((one & ~two).sum())
            p_values.append(stats.binom(n, 0.5).sf(wins) + stats.binom(n, 0.5).pmf(wins) / 2)
        assert row["p_value"] == pytest.approx(max(p_values), abs=1e-12)


def invented(random: np.random.Generator, rates: list[float], n_seeds: int) -> Measured:
    """Return runs of cells that converge with these rates in up to 100 steps, the limit."""
    draws = random.random((len(rates), n_seeds))
    converged = draws < np.array(rates)[:, None]
    steps = np.where(converged, random.integers(1, 101, draws.shape), 100).astype(np.int32)
    return Measured.of_ends(steps, converged)


def cells_of(outcomes: Measured) -> pd.DataFrame:
    """Return the statistics by which cells are ranked."""
    n, converged = outcomes.steps.shape[1], outcomes.converged
    with np.errstate(divide="ignore"):
        expected = outcomes.steps.sum(axis=1) / converged.sum(axis=1)
    median = np.sort(outcomes.values, axis=1)[:, (n - 1) // 2]
    return pd.DataFrame(
        {
            "cell": range(len(expected)),
            "convergence_rate": converged.mean(axis=1),
            "expected_steps": expected,
            "steps_q50": pd.Series(median).replace(np.inf, np.nan).astype("Int64"),
        }
    )


def test_expected_steps_are_compared_like_a_bootstrap() -> None:
    """P-values are about those of a bootstrap of the ratio; equal cells have p = 0.5."""
    random, most = np.random.default_rng(1), np.full(4, 100)
    outcomes = invented(random, [0.8, 0.7, 0.65, 0.0], 400)
    best = best_cells(cells_of(outcomes), outcomes, "expected_steps", most)
    assert list(best["cell"])[-1] == 3
    assert best["p_value"].iloc[-1] < 1e-15  # an infinite cost is compared by its lower bound
    first = outcomes.at(best["cell"].to_numpy()[:1])
    for row in best.iloc[1:3].to_dict("records"):
        other = outcomes.at(np.array([row["cell"]]))
        picks = random.integers(0, 400, (4000, 400))
        costs = [o.steps[0][picks].sum(axis=1) / o.converged[0][picks].sum(axis=1) for o in (first, other)]
        ratio = np.log(costs[1] / costs[0])
        distance = np.log(row["expected_steps"] / best["expected_steps"].iloc[0]) / ratio.std()
        assert stats.t.isf(row["p_value"], 399) == pytest.approx(distance, rel=0.1)
    twins = Measured.of_ends(np.repeat(outcomes.steps[:1], 2, axis=0), np.repeat(outcomes.converged[:1], 2, axis=0))
    assert best_cells(cells_of(twins), twins, "expected_steps", most)["p_value"].iloc[1] == 0.5


def test_a_cell_without_failures_so_far_is_not_certain() -> None:
    """After 20 runs without a failure, a cheaper cell may still fail at full cost; after 1,000 it hardly can."""
    steps = np.array([[100] * 20, [400] * 20], np.int32)
    outcomes = Measured.of_ends(steps, np.ones((2, 20), np.bool_))
    assert best_cells(cells_of(outcomes), outcomes, "expected_steps", np.full(2, 5000))["may_be_best"].all()
    many = Measured.of_ends(np.repeat(steps, 50, axis=1), np.ones((2, 1000), np.bool_))
    assert list(best_cells(cells_of(many), many, "expected_steps", np.full(2, 5000))["may_be_best"]) == [True, False]


def test_a_cell_without_a_success_is_left_out_like_one_with_one() -> None:
    """By expected steps, a cell in which no run converged does not remain where one with a success is excluded."""
    converged = np.zeros((3, 10), np.bool_)
    converged[0], converged[2, 3] = True, True
    outcomes = Measured.of_ends(np.where(converged, 50, 100).astype(np.int32), converged)
    best = best_cells(cells_of(outcomes), outcomes, "expected_steps", np.full(3, 100)).set_index("cell")
    assert list(best["may_be_best"][[0, 1, 2]]) == [True, False, False]
    assert best["p_value"][1] < 0.001


def partial(outcomes: Measured, n_runs: list[int]) -> Result:
    """Return a partial result in which cells have some of the first seeds."""
    there = np.arange(outcomes.steps.shape[1]) < np.array(n_runs)[:, None]
    study = make_study(count=outcomes.steps.shape[1], hidden=list(range(2, 2 + len(n_runs))), learning_rate=[0.1])
    return result_of(study, Measured.of_ends(np.where(there, outcomes.steps, -1), outcomes.converged & there))


def test_cells_with_few_runs_do_not_lead_by_luck() -> None:
    """Partial results rank cells by the lower end of intervals, and compare them on common seeds."""
    outcomes = invented(np.random.default_rng(4), [0.9, 0.2, 1.0, 0.5], 50)
    result = partial(outcomes, [50, 50, 3, 0])
    best = result.best()
    assert list(best["cell"]) == [0, 2, 1]
    assert list(best["may_be_best"]) == [True, True, False]
    assert may_be_best(best, result.study) == "2 of 3 cells trained so far may be the best (95 % confidence)"
    result = partial(outcomes, [50, 50, 40, 0])
    assert result.best()["cell"].iloc[0] == 2
    only = partial(outcomes, [50, 0, 0, 0])
    assert may_be_best(only.best(), only.study) == "no other cell is trained yet"
    costs = partial(outcomes, [50, 50, 3, 0]).best("expected_steps")
    assert list(costs["expected_steps_high"]) == sorted(costs["expected_steps_high"])


@pytest.mark.parametrize("by", BY)
def test_cells_without_common_seeds_are_compared(by: str) -> None:
    """Runs of different seeds count as independent: large differences are found, equal cells are kept."""
    outcomes = invented(np.random.default_rng(5), [0.9, 0.2, 0.9], 200)
    there = np.repeat([[True, False], [False, True], [False, True]], 100, axis=1)
    study = make_study(count=200, hidden=[2, 3, 4], learning_rate=[0.1], max_steps=100)
    result = result_of(study, Measured.of_ends(np.where(there, outcomes.steps, -1), outcomes.converged & there))
    assert result.best(by).set_index("cell")["may_be_best"].to_dict() == {0: True, 1: False, 2: True}


def test_no_cell_is_better_where_no_run_converged(tmp_path: Path) -> None:
    """If no run converged no cell may be called the best, but losses can still rank cells."""
    folder = tmp_path / "r"
    sweep.run(make_study(count=20, hidden=2, learning_rate=[1e-9, 1e-3], max_steps=5), folder)
    out = command("best", folder).out
    assert "no run converged, so no cell is better than another" in out
    assert "may be the best" not in out
    assert "no run converged" not in command("best", folder, "--by", "final_loss").out
