"""Statistics that other packages compute too: statsmodels, lifelines, SALib (the extra ``oracles``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep.statistics.intervals import clopper_pearson_interval, wilson_interval
from sweep.statistics.paired import holm, sign_test

pytestmark = pytest.mark.soak

LIMIT = 300


def package(name: str) -> Any:
    """Return a module of another package; skip the test where it is not installed."""
    return pytest.importorskip(name, reason="the extra oracles is not installed")


@pytest.fixture(scope="module")
def result() -> sweep.Result:
    """Return a result whose cells have no, some and nearly only runs that converge, diverge or stall."""
    study = sweep.Study(
        data={"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": [0, 1, 1, 0]},
        training={"max_steps": LIMIT},
        parameters={"hidden": [2, 4, 8], "learning_rate": [0.005, 0.03, 0.3]},
        seeds={"count": 60},
    )
    return sweep.run(study)


COUNTS = [(x, n) for n in (1, 2, 10, 30, 100, 1000) for x in sorted({0, 1, n // 3, n // 2, n - 1, n})]


@pytest.mark.parametrize("level", [0.05, 0.001])
@pytest.mark.parametrize(("method", "interval"), [("wilson", wilson_interval), ("beta", clopper_pearson_interval)])
def test_intervals_of_rates_are_those_of_statsmodels(method: str, interval: Any, level: float) -> None:
    proportion = package("statsmodels.stats.proportion")
    x, n = np.array(COUNTS).T
    low, high = interval(x, n, level)
    expected = np.array([proportion.proportion_confint(a, b, level, method) for a, b in COUNTS])
    np.testing.assert_allclose(np.column_stack([low, high]), expected, rtol=1e-9, atol=1e-12)


def test_adjusted_p_values_are_those_of_statsmodels() -> None:
    multitest = package("statsmodels.stats.multitest")
    p = np.random.default_rng(1).uniform(size=40) ** 4
    np.testing.assert_allclose(holm(p), multitest.multipletests(p, method="holm")[1], rtol=1e-12)


@pytest.mark.parametrize("wins", [0, 1, 7, 20, 400])
@pytest.mark.parametrize("losses", [0, 1, 5, 20, 300])
def test_the_sign_test_is_mcnemars_of_statsmodels(wins: int, losses: int) -> None:
    tables = package("statsmodels.stats.contingency_tables")
    expected = tables.mcnemar([[3, wins], [losses, 5]], exact=True).pvalue if wins + losses else 1.0
    np.testing.assert_allclose(sign_test(np.array([wins]), np.array([losses]))[0], min(expected, 1.0), rtol=1e-9)


def survival(runs: pd.DataFrame) -> Any:
    """Fit Kaplan and Meier's estimator to the steps to converge: other runs are censored beyond the step limit."""
    converged = runs["status"] == "converged"
    steps = np.where(converged, runs["steps"], LIMIT + 1)
    return package("lifelines").KaplanMeierFitter().fit(steps, converged)


def test_curves_and_steps_are_those_of_lifelines(result: sweep.Result) -> None:
    mean = package("lifelines.utils").restricted_mean_survival_time
    curves = result.incidence(["hidden", "learning_rate"])
    for cell, runs in result.runs().groupby("cell"):
        fitted, row = survival(runs), result.cells.iloc[cell]
        same = (curves["hidden"] == row["hidden"]) & (curves["learning_rate"] == row["learning_rate"])
        expected = 1 - fitted.survival_function_at_times(curves["steps"][same]).to_numpy()
        np.testing.assert_allclose(curves["incidence"][same], expected, atol=1e-12)
        np.testing.assert_allclose(row["restricted_mean_steps"], mean(fitted, LIMIT), rtol=1e-12)
        median = fitted.median_survival_time_
        assert (pd.isna(row["steps_q50"]) and np.isinf(median)) or row["steps_q50"] == median


def converged_by_run(result: sweep.Result) -> pd.DataFrame:
    """Return whether each run converged, with its cell's options and seed."""
    runs = result.runs()
    return runs.assign(converged=(runs["status"] == "converged").astype(float))


def test_shares_of_variance_are_the_anova_of_statsmodels(result: sweep.Result) -> None:
    ols, anova = package("statsmodels.formula.api").ols, package("statsmodels.stats.anova").anova_lm
    runs = converged_by_run(result)
    fit = ols("converged ~ C(hidden) * C(learning_rate) + C(seed)", runs).fit()
    squares = anova(fit)["sum_sq"]
    table = result.importance().set_index("term")
    before_chance = table["share"] + table["share_by_chance"]
    names = {"hidden": "C(hidden)", "learning_rate": "C(learning_rate)"}
    names["hidden x learning_rate"] = "C(hidden):C(learning_rate)"
    # Relative to each other: our whole is the variance with all seeds that could be.
    ours, theirs = before_chance[list(names)].to_numpy(), squares[list(names.values())].to_numpy()
    np.testing.assert_allclose(ours / ours.sum(), theirs / theirs.sum(), rtol=1e-9)


def test_total_effects_are_those_of_salib(result: sweep.Result) -> None:
    sobol_sample, sobol = package("SALib.sample.sobol"), package("SALib.analyze.sobol")
    runs = converged_by_run(result)
    factors = [result.study.parameters["hidden"], result.study.parameters["learning_rate"], range(60)]
    converged = runs.sort_values(["hidden", "learning_rate", "seed"])["converged"].to_numpy()
    converged = converged.reshape([len(values) for values in factors])
    problem = {"num_vars": 3, "names": ["hidden", "learning_rate", "seed"], "bounds": [[0, len(v)] for v in factors]}
    sample = sobol_sample.sample(problem, 2**14, calc_second_order=False, seed=1)
    found = sobol.analyze(problem, converged[tuple(sample.astype(int).T)], calc_second_order=False, seed=1)
    table = result.importance().set_index("term")
    # Ours are for all seeds that could be, SALib's for these 60 and from a sample.
    for term, effect in zip(problem["names"], found["ST"], strict=True):
        assert abs(table["total_share"][term] - effect) < 0.03, term
