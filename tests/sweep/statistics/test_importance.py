"""Importance: shares of the variance between runs, against brute force from the rows."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Result, SweepError
from sweep.analysis.importance import explained_measure, importance, importance_of
from sweep.measures import MEASURES
from sweep.statistics.outcomes import Measured
from tests.sweep.invented import invented, measured_result, outcomes_of, result_of
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
    return sweep.run(make_study(**{"count": count, "max_steps": 200, "threshold": 0.4, **STUDIES[name]}), **options)


def varied_of(result: Result, statistic: str) -> pd.DataFrame:
    """Return the rows with the quantity whose variance is divided."""
    runs = result.runs()
    converged = runs["status"] == "converged"
    most = runs.get("max_steps", result.study.in_tables["max_steps"])
    runs["varied"] = (
        converged.astype(float) if statistic == "convergence_rate" else runs["steps"].where(converged, most)
    )
    return runs


def plain_parts(runs: pd.DataFrame, factors: list[str]) -> dict[frozenset[str], float]:
    """Divide the variance of rows term by term, from averages; the seed is one of the factors."""
    average = runs["varied"].mean()
    parts: dict[frozenset[str], float] = {frozenset(): 0.0}
    for size in range(1, len(factors) + 1):
        for term in combinations(factors, size):
            means = runs.groupby(list(term))["varied"].transform("mean") - average
            whole = float((means**2).mean())
            parts[frozenset(term)] = whole - sum(value for part, value in parts.items() if part < set(term))
    return parts


def brute_force(runs: pd.DataFrame, parameters: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the parts of all terms, and the total effects of single factors.

    In a table of n seeds, parts with the seed are on average (n - 1) / n of those for all seeds, and the part of a term
    contains 1 / (n - 1) of its interaction with the seed.
    """
    n = runs["seed"].nunique()
    plain = plain_parts(runs, [*parameters, "seed"])
    parts = {
        term: value * n / (n - 1) if "seed" in term else value - plain[term | {"seed"}] / (n - 1)
        for term, value in plain.items()
    }
    varied = [name for name in parameters if runs[name].nunique() > 1]
    few = [(name,) for name in varied] + list(combinations(varied, 2))
    found = {" x ".join(term): parts[frozenset(term)] for term in few}
    if len(varied) > 2:
        found["three or more options together"] = sum(
            value for term, value in parts.items() if len(term) > 2 and "seed" not in term
        )
    found["seed"] = parts[frozenset({"seed"})]
    found["seed x parameters"] = sum(value for term, value in parts.items() if len(term) > 1 and "seed" in term)
    # Terms with a single value are zero, so they do not count whatever they are part of.
    totals = {name: sum(value for term, value in parts.items() if name in term) for name in (*varied, "seed")}
    return found, totals


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("statistic", ["convergence_rate", "restricted_mean_steps"])
@pytest.mark.parametrize("name", STUDIES)
def test_shares_of_variance_from_the_rows(name: str, statistic: str) -> None:
    """Each part and each total effect is what brute force finds, and the parts add up."""
    result = run(name)
    table = result.importance(statistic)
    expected, totals = brute_force(varied_of(result, statistic), list(result.study.parameters))
    whole = sum(expected.values())
    assert list(table["term"]) == list(expected)
    np.testing.assert_allclose(table["variance"], list(expected.values()), rtol=0, atol=1e-12 * max(whole, 1))
    np.testing.assert_allclose(table["share"] * whole, list(expected.values()), rtol=0, atol=1e-12 * max(whole, 1))
    assert table["share"].sum() == pytest.approx(1.0 if whole else 0.0, abs=1e-12)
    single = table.set_index("term")["total_share"].dropna()
    assert set(single.index) == set(totals)
    for factor, share in single.items():
        assert share * whole == pytest.approx(totals[factor], abs=1e-9 * max(whole, 1))


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("statistic", ["convergence_rate", "restricted_mean_steps"])
def test_error_is_that_of_the_jackknife(statistic: str) -> None:
    """Shares without each part of the seeds in turn, from the rows."""
    result = run("two", count=23)
    runs = varied_of(result, statistic)
    part = (runs["seed"] - runs["seed"].min()) * 20 // 23
    shares = []
    for k in range(20):
        parts, totals = brute_force(runs[part != k].copy(), list(result.study.parameters))
        shares.append(np.array([*parts.values(), *totals.values()]) / sum(parts.values()))
    expected = np.sqrt(19 / 20 * ((np.array(shares) - np.mean(shares, axis=0)) ** 2).sum(axis=0))
    table = result.importance(statistic)
    found = [*table["share_error"], *table["total_share_error"].dropna()]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_one_seed_that_all_cells_have() -> None:
    """If all cells have only one seed in common, the table equals that from counts."""
    study = make_study(count=4, hidden=[2, 3], learning_rate=0.1, until={"width": 0.9, "first": 1})
    converged = np.array([[True] * 4, [False] * 4])
    for n_seeds in (1, 3):
        some = Measured.of_ends(np.where(np.arange(4) < np.array([[1], [n_seeds]]), 7, -1), converged)
        cells = result_of(study, some).cells
        counted = importance(cells, study.grid, "convergence_rate")
        pd.testing.assert_frame_equal(importance(cells, study.grid, "convergence_rate", some), counted)
        assert counted["share"].iloc[0] == 1


def test_adaptive_seeds_count_where_all_cells_have_them() -> None:
    """With adaptive seeds, parts and errors use the seeds that all cells have."""
    random = np.random.default_rng(2)
    study = make_study(count=400, hidden=[2, 3], learning_rate=[0.1, 0.2, 0.3])
    with_rounds = sweep.Study(**study.canonical() | {"seeds": {"count": 400, "until": {"width": 0.1, "first": 100}}})
    whole = outcomes_of(random, np.array([0.2, 0.4, 0.5, 0.3, 0.8, 0.9]), 400, 0.5)
    trained = np.arange(400) < np.array([[100], [400], [200], [400], [200], [100]])
    some = whole.only(trained)
    cells = result_of(study, some).cells
    few = whole.at(np.arange(6), slice(100))
    for statistic in ("convergence_rate", "restricted_mean_steps"):
        adaptive = importance(cells, with_rounds.grid, statistic, some)
        same = importance(cells, make_study(count=100, **STUDIES["two"]).grid, statistic, few)
        pd.testing.assert_frame_equal(adaptive, same)
        counted = importance(cells, with_rounds.grid, statistic)
        seed = counted["term"] == "seed"
        assert counted.loc[seed, "total_share"].iloc[0] == pytest.approx(
            adaptive.loc[seed, "total_share"].iloc[0], abs=0.1
        )
    rates, n = cells["convergence_rate"], cells["n_runs"]
    chance = 2 * (rates * (1 - rates) / (n - 1)).mean() / 6
    within = (rates * (1 - rates) * n / (n - 1)).mean()
    counted = importance(cells, study.grid, "convergence_rate")
    assert counted["share_by_chance"][1] == pytest.approx(chance / (counted["variance"].sum() + within))


@pytest.mark.slow
@pytest.mark.compiled
def test_errors_take_rows_and_seeds() -> None:
    """Counts suffice for shares of parameters. With one seed, effects of the seed and of chance are missing."""
    counts, rows = run("two", keep="cells").importance(), run("two").importance()
    assert run("two", count=9).importance()[["share_error", "total_share_error"]].isna().all(axis=None)
    np.testing.assert_allclose(counts["share"][:3], rows["share"][:3], atol=0.03)
    assert counts.loc[counts["term"] == "seed", "total_share"].iloc[0] == pytest.approx(
        rows["total_share"][3], abs=0.03
    )
    assert counts[["share_error", "total_share_error"]].isna().all(axis=None)
    drawn = outcomes_of(np.random.default_rng(0), np.array([0.0, 0.0, 1.0, 1.0, 0.0, 1.0]), 1, 0.0)
    single = result_of(make_study(count=1, **STUDIES["two"]), drawn).importance()
    assert single["share"][:3].sum() == pytest.approx(1.0)
    assert single.loc[3:, ["variance", "share", "share_by_chance", "total_share"]].isna().all(axis=None)
    assert single[["share_error", "share_by_chance"]].isna().all(axis=None)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("shared", [pytest.param(0.0, marks=pytest.mark.soak), 1.0])
def test_chance_is_subtracted(shared: float) -> None:
    """Parameters without effect have shares of 0 on average, whether runs of a seed are alike or not."""
    study = make_study(count=5, hidden=[2, 3], learning_rate=[0.1, 0.2, 0.3], scale=[0.5, 1.0, 2.0, 4.0])
    random = np.random.default_rng(6)
    parts = []
    for _ in range(100):
        drawn = outcomes_of(random, np.full(24, 0.5), 5, 0.5 * shared)
        table = importance(result_of(study, drawn).cells, study.grid, "convergence_rate", drawn)
        parts.append(table[["variance", "share", "share_by_chance"]].to_numpy())
    average, error = np.mean(parts, axis=0), np.std(parts, axis=0) / 10
    assert (np.abs(average[:-2, 0]) <= 4 * error[:-2, 0]).all()
    assert average[:, 0].sum() == pytest.approx(0.25, rel=0.04)
    assert average[-2, 0] == pytest.approx(0.25 / 24 + 0.5 * shared * 0.25 * 23 / 24, abs=0.02)


@pytest.mark.slow
@pytest.mark.compiled
def test_shares_by_chance_of_counts() -> None:
    """Without rows, runs count as independent; if they are, shares are 0 on average too."""
    study = make_study(count=5, hidden=[2, 3], learning_rate=[0.1, 0.2, 0.3], scale=[0.5, 1.0, 2.0, 4.0])
    random = np.random.default_rng(6)
    parts = []
    for _ in range(400):
        mean = (random.random((24, 5)) < 0.5).mean(axis=1)
        cells = pd.DataFrame({"convergence_rate": mean, "n_runs": 5})
        parts.append(importance(cells, study.grid, "convergence_rate")[["share", "share_by_chance"]].to_numpy())
    average = np.mean(parts, axis=0)[:-2]
    np.testing.assert_allclose(average[:, 0], 0.0, atol=0.15 * average[:, 1].max())


@pytest.mark.soak
def test_error_covers() -> None:
    """Shares lie within 1.96 errors of the true ones in 88 to 99 % of simulated studies."""
    study = make_study(count=400, hidden=[2, 3], learning_rate=[0.1, 0.2, 0.3])
    rates = np.array([0.2, 0.4, 0.5, 0.3, 0.8, 0.9])
    means = rates.reshape(2, 3)
    parts = [means.mean(axis=1).var(), means.mean(axis=0).var()]
    within = (rates * (1 - rates)).mean()  # of which a seed has a sixth in the mean over cells that share nothing
    parts += [rates.var() - sum(parts), within / 6, within * 5 / 6]
    truth = np.array(parts) / sum(parts)
    random = np.random.default_rng(3)
    held = np.zeros(5)
    for _ in range(1000):
        converged = random.random((6, 400)) < rates[:, None]
        cells = pd.DataFrame({"convergence_rate": converged.mean(axis=1), "n_runs": 400})
        table = importance(
            cells, study.grid, "convergence_rate", Measured.of_ends(np.ones((6, 400), np.int32), converged)
        )
        held += np.abs(table["share"] - truth) <= 1.96 * table["share_error"]
    assert (held / 1000 >= 0.88).all()
    assert (held / 1000 <= 0.99).all()


def test_variance_of_a_measure_from_its_values() -> None:
    """Parts of a measure are those of an analysis of variance of its rows, or of their logarithms."""
    study = make_study(count=15, criterion="none", **STUDIES["three"])
    random = np.random.default_rng(8)
    effect = np.add.outer(np.add.outer([0.0, 1.0], [0.0, 2.0, -1.0]), [0.0, 0.5]).reshape(12, 1)
    normal = effect + random.normal(size=(12, 15)) + random.normal(size=15)
    for log, values in ((False, np.exp(0.3 * normal)), (True, np.exp(3 * normal))):
        result = measured_result(study, "final_loss", values)
        rows = result.cells.loc[result.cells.index.repeat(15), list(study.parameters)].reset_index(drop=True)
        rows = rows.assign(seed=np.tile(np.arange(15), 12), varied=(np.log10(values) if log else values).ravel())
        expected, totals = brute_force(rows, list(study.parameters))
        table = result.importance()
        assert table.attrs == {
            "explained": "log10 of final training loss" if log else "final training loss",
            "note": "",
        }
        np.testing.assert_allclose(table["variance"], list(expected.values()), atol=1e-12 * rows["varied"].var())
        single = table.set_index("term")["total_share"].dropna()
        np.testing.assert_allclose(single * sum(expected.values()), [totals[name] for name in single.index])
        assert (table["share_error"] > 0).all()
        other = result.importance("final_loss", log=not log)
        assert (other["share"] != table["share"]).any()


@pytest.mark.parametrize(("count", "is_rough"), [(1, True), (3, True), (10, False)])
def test_few_seeds_are_said_to_be_rough(count: int, is_rough: bool) -> None:
    """The note of shares from fewer than ten seeds says that they are rough, of rates and of measures."""
    note = "shares from fewer than 10 seeds are rough, and their errors unknown"
    study = make_study(count=count, criterion="none", **STUDIES["two"])
    values = np.random.default_rng(8).random((6, count))
    assert measured_result(study, "final_loss", values).importance().attrs["note"] == note * is_rough
    assert invented(make_study(count=count, **STUDIES["two"])).importance().attrs["note"] == note * is_rough


def test_runs_without_a_finite_value_count_as_the_nearest() -> None:
    """Diverged runs have the worst finite value of the study, and the logarithm of 0 the lowest."""
    study = make_study(count=12, criterion="none", **STUDIES["two"])
    values = 10.0 ** np.random.default_rng(8).uniform(-4, 0, (6, 12))
    values[0, 0], values[1, 0] = values[2:].max() * 2, values[2:].min() / 2
    clipped = measured_result(study, "final_loss", values.copy()).importance()
    values[:2, 1:] = values[:2, :1]
    values[0, 1:4], values[1, 5] = np.inf, 0.0
    table = measured_result(study, "final_loss", values).importance()
    assert table.attrs["note"] == "4 runs without a finite value count as the nearest finite value"
    assert clipped.attrs["note"] == ""
    values[0, 1:4], values[1, 5] = values[0, 0], values[1, 0]
    pd.testing.assert_frame_equal(table, measured_result(study, "final_loss", values).importance())
    with_one = measured_result(study, "final_loss", np.full((6, 12), np.inf)).importance()
    assert (with_one["variance"] == 0).all()


def test_importance_of_signed_measures_and_counts_takes_no_logarithm() -> None:
    """Numbers of outputs are divided as they are; a single seed leaves chance and errors unknown."""
    study = make_study(count=12, criterion="none", **STUDIES["two"])
    values = np.random.default_rng(8).integers(1, 5, (6, 12)).astype(float)
    table = measured_result(study, "n_correct", values).importance("n_correct")
    assert table.attrs["explained"] == "correct outputs"
    one = make_study(count=1, criterion="none", **STUDIES["two"])
    single = measured_result(one, "n_correct", values[:, :1]).importance("n_correct")
    assert single["share"][:3].sum() == pytest.approx(1.0)
    assert single["share_error"].isna().all()
    assert single.loc[3:, ["variance", "share", "total_share"]].isna().all(axis=None)


@pytest.mark.soak
def test_error_of_a_measure_covers() -> None:
    """Shares of a measure lie within 1.96 errors of the true ones in 88 to 99 % of simulated studies."""
    study = make_study(count=40, criterion="none", **STUDIES["two"])
    effect = np.array([[0.0, 0.7, 0.0], [1.0, 2.2, 0.5]])
    parts = [effect.mean(axis=1).var(), effect.mean(axis=0).var()]
    parts += [effect.var() - sum(parts), 0.25, 1.0]
    truth = np.array(parts) / sum(parts)
    truth[3:] = np.array([0.25 + 1 / 6, 5 / 6]) / sum(parts)
    random = np.random.default_rng(3)
    held = np.zeros(5)
    for _ in range(1000):
        values = effect.reshape(6, 1) + random.normal(size=(6, 40)) + 0.5 * random.normal(size=40)
        table = importance_of(explained_measure(Measured(values), MEASURES["margin"]), study.grid)
        held += np.abs(table["share"] - truth) <= 1.96 * table["share_error"]
    assert (held / 1000 >= 0.88).all()
    assert (held / 1000 <= 0.99).all()


def test_importance_needs_a_known_statistic_and_a_criterion() -> None:
    """Statistics that are none of runs, and those of convergence without a criterion, are errors."""
    result = invented(make_study(count=2, hidden=[2, 3], learning_rate=0.2))
    with pytest.raises(SweepError, match="unknown statistic 'steps_q50'"):
        result.importance("steps_q50")
    with pytest.raises(SweepError, match="log: applies to measures of runs only, got True with convergence_rate"):
        result.importance("rate", log=True)
    study = make_study(count=2, hidden=[2, 3], learning_rate=0.2, criterion="none")
    with pytest.raises(SweepError, match="criterion 'none'"):
        measured_result(study, "final_loss", np.ones((2, 2))).importance("rate")
