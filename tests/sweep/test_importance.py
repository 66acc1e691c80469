"""What matters: shares of the variance between runs, against brute force from the rows."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Result, SweepError
from sweep.plan import Plan
from sweep.statistics.importance import importance
from sweep.statistics.outcomes import Outcomes
from tests.sweep.support import make_study

STUDIES: dict[str, dict[str, Any]] = {
    "three": {"hidden": [2, 3], "learning_rate": [0.05, 0.2, 0.8], "distribution": ["normal", "uniform"]},
    "two": {"hidden": [2, 3], "learning_rate": [0.05, 0.2, 0.8]},
    "one": {"hidden": [2, 3, 4], "learning_rate": 0.2},
    "one value": {"hidden": [3], "learning_rate": [0.05, 0.2]},
    "none": {"hidden": 3, "learning_rate": 0.2},
    "limits": {"hidden": 3, "learning_rate": [0.1, 0.3], "max_steps": [50, 400]},
}


def run(name: str, count: int = 21, **options: Any) -> Result:
    """Train one of the studies."""
    return sweep.run(make_study(**{"count": count, "max_steps": 200, "below": 0.4, **STUDIES[name]}), **options)


def varied_of(result: Result, statistic: str) -> pd.DataFrame:
    """Return the rows with what varies between runs."""
    runs = result.runs()
    converged = runs["status"] == "converged"
    most = runs.get("max_steps", result.study.training.max_steps)
    runs["varied"] = (
        converged.astype(float) if statistic == "convergence_rate" else runs["steps"].where(converged, most)
    )
    return runs


def brute_force(runs: pd.DataFrame, parameters: list[str]) -> dict[str, float]:
    """Divide the variance of rows by averaging over them, one term at a time."""
    average = runs["varied"].mean()
    effects: dict[tuple[str, ...], float] = {(): 0.0}
    for size in range(1, len(parameters) + 1):
        for term in combinations(parameters, size):
            means = runs.groupby(list(term))["varied"].transform("mean") - average
            whole = float((means**2).mean())
            effects[term] = whole - sum(value for part, value in effects.items() if set(part) < set(term))
    varied = [name for name in parameters if runs[name].nunique() > 1]
    few = [term for term in effects if 1 <= len(term) <= 2 and set(term) <= set(varied)]
    found = {" x ".join(term): effects[term] for term in few}
    if len(varied) > 2:
        found["three or more together"] = sum(value for term, value in effects.items() if len(term) > 2)
    cells = runs.groupby(list(parameters))["varied"].transform("mean") if parameters else average
    found["seed"] = float(((runs["varied"] - cells) ** 2).mean())
    return found


@pytest.mark.parametrize("statistic", ["convergence_rate", "restricted_mean_steps"])
@pytest.mark.parametrize("name", STUDIES)
def test_shares_of_variance_from_the_rows(name: str, statistic: str) -> None:
    """Each part is what brute force finds, and the parts add up to the variance between all runs."""
    result = run(name)
    table = result.importance(statistic)
    runs = varied_of(result, statistic)
    total = float(runs["varied"].var(ddof=0))
    expected = brute_force(runs, list(result.study.parameters))
    assert list(table["term"]) == list(expected)
    np.testing.assert_allclose(table["variance"], list(expected.values()), rtol=0, atol=1e-12 * max(total, 1))
    assert table["variance"].sum() == pytest.approx(total, rel=1e-12, abs=1e-12)
    assert table["share"].sum() == pytest.approx(1.0 if total else 0.0, abs=1e-12)


@pytest.mark.parametrize("statistic", ["convergence_rate", "restricted_mean_steps"])
def test_error_is_that_of_the_jackknife(statistic: str) -> None:
    """Shares without each part of the seeds in turn, from the rows."""
    result = run("two", count=23)
    runs = varied_of(result, statistic)
    part = np.searchsorted(np.arange(20) * 23 // 20, runs["seed"] - runs["seed"].min(), side="right") - 1
    shares = []
    for k in range(20):
        parts = brute_force(runs[part != k].copy(), list(result.study.parameters))
        shares.append(np.array(list(parts.values())) / sum(parts.values()))
    expected = np.sqrt(19 / 20 * ((np.array(shares) - np.mean(shares, axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(result.importance(statistic)["share_error"], expected, atol=1e-9)


def test_errors_take_rows_and_seeds() -> None:
    """Where only counts are kept, or there is one seed, shares are there and errors are missing."""
    counts, rows = run("two", keep="cells"), run("two")
    assert run("two", count=9).importance()["share_error"].isna().all()
    pd.testing.assert_series_equal(counts.importance()["share"], rows.importance()["share"])
    assert counts.importance()["share_error"].isna().all()
    single = run("two", count=1).importance()
    assert single["share_error"].isna().all()
    assert single["share"].iloc[-1] == 0.0


def test_shares_by_chance() -> None:
    """Where parameters do nothing, shares are on average what they are by chance."""
    plan = Plan(make_study(count=5, hidden=[2, 3], learning_rate=[0.1, 0.2, 0.3], scale=[0.5, 1.0, 2.0, 4.0]))
    random = np.random.default_rng(6)
    parts = []
    for _ in range(400):
        mean = (random.random((24, 5)) < 0.5).mean(axis=1)
        table = importance(pd.DataFrame({"convergence_rate": mean}), plan, "convergence_rate")
        parts.append(table[["share", "share_by_chance"]].to_numpy())
    average = np.mean(parts, axis=0)
    np.testing.assert_allclose(average[:-1, 0], average[:-1, 1], rtol=0.2)


@pytest.mark.soak
def test_error_covers() -> None:
    """Of simulated studies of two parameters, shares lie within two errors of the true ones in most."""
    study = make_study(count=400, hidden=[2, 3], learning_rate=[0.1, 0.2, 0.3])
    plan = Plan(study)
    rates = np.array([0.2, 0.4, 0.5, 0.3, 0.8, 0.9])
    means = rates.reshape(2, 3)
    parts = [means.mean(axis=1).var(), means.mean(axis=0).var()]
    parts += [rates.var() - sum(parts), (rates * (1 - rates)).mean()]
    truth = np.array(parts) / sum(parts)
    random = np.random.default_rng(3)
    held = np.zeros(4)
    for _ in range(1000):
        converged = random.random((6, 400)) < rates[:, None]
        cells = pd.DataFrame({"convergence_rate": converged.mean(axis=1)})
        table = importance(cells, plan, "convergence_rate", Outcomes(np.ones((6, 400), np.int32), converged))
        held += np.abs(table["share"] - truth) <= 1.96 * table["share_error"]
    assert (held / 1000 >= 0.88).all()
    assert (held / 1000 <= 0.99).all()


def test_what_is_not_divided() -> None:
    """Other statistics, and studies without a criterion, are refused."""
    with pytest.raises(SweepError, match="unknown statistic 'steps_q50'"):
        run("two").importance("steps_q50")
    with pytest.raises(SweepError, match="criterion 'none'"):
        sweep.run(make_study(count=2, hidden=3, criterion="none")).importance()
