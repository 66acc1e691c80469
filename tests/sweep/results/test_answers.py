"""Answers of cells: the best cell, orders, sums over parameters, and sentences."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import sweep
from sweep import Result, SweepError
from sweep.results import sentences
from sweep.results.pooled_cells import sum_over
from sweep.results.tables.cells_table import sorted_cells
from sweep.statistics.intervals import wilson_interval
from sweep.statistics.outcomes import Measured
from sweep.statistics.ranking import rank_cells
from tests.sweep.invented import outcomes_of, result_of
from tests.sweep.support import make_study

SCALARS: dict[str, Any] = {"hidden": [2, 3], "learning_rate": [0.05, 0.2], "distribution": ["normal", "uniform"]}


@pytest.fixture(scope="module")
def result() -> Result:
    """Train three parameters."""
    return sweep.run(make_study(count=20, **SCALARS))


def invented(rates: list[float], steps: list[float]) -> pd.DataFrame:
    """Return cells that have these rates and expected steps."""
    return pd.DataFrame({"cell": range(len(rates)), "convergence_rate": rates, "expected_steps": steps})


def test_best_is_the_highest_rate_then_the_fewest_steps() -> None:
    """Cells are ranked by rate, then by expected steps, then by number."""
    cells = invented([0.5, 0.9, 0.9, 0.9, 0.0], [1.0, 300.0, 200.0, 200.0, float("inf")])
    assert list(rank_cells(cells)["cell"]) == [2, 3, 1, 0, 4]


@pytest.mark.parametrize(
    ("name", "column", "ascending"),
    [
        ("cell", "cell", True),
        ("hidden", "hidden", True),
        ("distribution", "distribution", True),
        ("median_steps", "steps_q50", True),
        ("steps_q50", "steps_q50", True),
        ("expected_steps", "expected_steps", True),
        ("mean_steps", "restricted_mean_steps", True),
        ("converged", "n_converged", False),
        ("n_exhausted", "n_exhausted", False),
        ("convergence_rate_low", "convergence_rate_low", False),
    ],
)
def test_order_by_a_column(result: Result, name: str, column: str, ascending: bool) -> None:
    """Counts and rates are sorted from the highest, other columns from the lowest; missing values come last."""
    ordered = sorted_cells(result, result.cells, name)
    assert sorted(ordered["cell"]) == list(range(8))
    values = ordered[column].dropna()
    assert list(values) == sorted(values, reverse=not ascending)
    assert ordered[column].iloc[: len(values)].notna().all()


def test_unknown_column(result: Result) -> None:
    """The error lists the names that users write."""
    with pytest.raises(SweepError, match=r"unknown column 'median_step'; did you mean 'median_steps'.* rate, "):
        sorted_cells(result, result.cells, "median_step")


def independent_runs(runs: pd.DataFrame) -> float:
    """Return the effective number of independent runs for the rate, from the rows."""
    converged = runs["status"] == "converged"
    seeds = converged.groupby(runs["seed"]).agg(["sum", "size"])
    unanimous = int((converged.groupby(runs["cell"]).nunique() == 1).sum())
    rate, n = converged.mean(), len(seeds)
    if rate in (0, 1):
        return n
    squares = ((seeds["sum"] - rate * seeds["size"]) ** 2).sum() + unanimous / 2
    wider = stats.t.ppf(0.975, n - 1) / stats.norm.ppf(0.975)
    seen = squares / len(runs) ** 2 * n / (n - 1) * wider**2
    weight = min((seeds["sum"] > 0).sum(), (seeds["sum"] < seeds["size"]).sum()) ** 2
    return float(rate * (1 - rate) * (weight + 1) / (weight * seen + rate * (1 - rate) / n))


@pytest.mark.wide
@given(by=st.permutations(list(SCALARS)), size=st.integers(1, 3))
def test_sums_add_up(result: Result, by: list[str], size: int) -> None:
    """Sums over any parameters agree with the rows, and each names its best cell."""
    by, runs, cells = by[:size], result.runs(), result.cells
    sums = sum_over(result, by)
    assert [tuple(row) for row in sums[by].to_numpy()] == list(dict.fromkeys(map(tuple, cells[by].to_numpy())))
    assert sums["n_runs"].sum() == len(runs)
    for row in sums.to_dict("records"):
        mask = (runs[by] == pd.Series({name: row[name] for name in by})).all(axis=1)
        ended = runs[mask]["status"].value_counts()
        for status in ("converged", "diverged", "stalled", "exhausted"):
            assert row[f"n_{status}"] == ended.get(status, 0)
        assert row["n_runs"] == mask.sum() == 20 * row["n_cells"]
        assert row["convergence_rate"] == ended.get("converged", 0) / mask.sum()
        of_group = cells[(cells[by] == pd.Series({name: row[name] for name in by})).all(axis=1)]
        assert row["best_rate"] == of_group["convergence_rate"].max()
        assert row["best_cell"] in list(of_group[of_group["convergence_rate"] == row["best_rate"]]["cell"])
        n = independent_runs(runs[mask]) if row["n_cells"] > 1 else row["n_runs"]
        rate = row["convergence_rate"]
        low, high = wilson_interval(np.array([rate * n]), np.array([n]))
        assert row["convergence_rate_low"] == pytest.approx(low[0], abs=1e-12)
        assert row["convergence_rate_high"] == pytest.approx(high[0], abs=1e-12)


@pytest.mark.parametrize(
    ("scalars", "expected"),
    [
        ({"learning_rate": 1e-30}, r"0.0 % of 20 runs converged .*\nno run converged$"),
        (
            {"threshold": 10.0, "criterion": ["none", "loss"]},
            r".*\nbest cell: criterion loss.*\nwhat matters .*: criterion explains 100.0 ± 0.1 % .*\n"
            r"cells with criterion .none. count as not converged",
        ),
    ],
)
def test_other_answers(scalars: dict[str, Any], expected: str) -> None:
    """There is no best cell of one cell, and a criterion of some cells matters for convergence."""
    study = make_study(count=20, **{"hidden": 2, "learning_rate": 0.1, "max_steps": 30, **scalars})
    assert re.match(expected, "\n".join(sentences.answer(sweep.run(study))))


def test_answer_suggests_restarts_where_they_help() -> None:
    """Restarts help if runs converge early or never. They do not help if runs fail early; then there is no sentence."""
    random = np.random.default_rng(1)
    converged = random.random((1, 1000)) < 0.3
    study = make_study(count=1000, hidden=2, learning_rate=0.1, max_steps=5000)
    for lost, helps in ((5000, True), (1, False)):
        steps = np.where(converged, random.integers(90, 110, converged.shape), lost).astype(np.int32)
        sentence = sentences.restarts(result_of(study, Measured.of_ends(steps, converged)))
        assert bool(sentence) == helps
        if helps:
            assert re.fullmatch(
                r"restarting unconverged runs after 109 steps, with other seeds, would lower the expected steps from "
                r"[\d,]+ \[[\d,]+ to [\d,]+\] to [\d,]+ \[\d+ to \d+\]", sentence
            )  # fmt: skip


def test_no_importance_from_few_successes() -> None:
    """If hardly any run converges, the answer gives no shares of the variance."""
    converged = np.zeros((20, 10), np.bool_)
    converged[0, 0] = converged[7, 3] = True
    study = make_study(count=10, hidden=[2, 3, 4, 5], learning_rate=[0.1, 0.2, 0.3, 0.4, 0.5], max_steps=100)
    result = result_of(study, Measured.of_ends(np.full((20, 10), 50, np.int32), converged))
    assert sentences.what_matters(result) == "too few runs converged to estimate what matters for convergence"


def test_no_share_of_variance_exceeds_100_percent() -> None:
    """If parameters do not matter, estimates of the seed's share are as often above 100 % as below."""
    study, shares = make_study(count=200, hidden=[2, 3], learning_rate=[0.1, 0.2], max_steps=100), []
    for seed in range(8):
        result = result_of(study, outcomes_of(np.random.default_rng(seed), np.full(4, 0.5), 200, 0.0))
        shares += result.importance("rate").query("term == 'seed'")["total_share"].tolist()
        numbers = re.findall(r"([\d.]+) ± [\d.]+ %", sentences.what_matters(result))
        assert all(float(number) <= 100 for number in numbers)
    assert min(shares) < 1 < max(shares)
