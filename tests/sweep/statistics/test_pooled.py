"""Statistics pooled over cells that share seeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sweep import Result, figures
from sweep.analysis.cells import cells_of
from sweep.results.pooled_cells import sum_over
from sweep.statistics.of_cells import OF_CONVERGENCE
from sweep.statistics.outcomes import Measured
from sweep.terminal.printed import print_cells
from tests.sweep.invented import outcomes_of, result_of
from tests.sweep.statistics.rates import rate_intervals
from tests.sweep.support import make_study

SIZES = {"hidden": [2, 3, 4], "learning_rate": [0.1, 0.2, 0.3, 0.4], "distribution": ["normal", "uniform"]}


def some_cells(drawn: Measured, cells: Iterable[int]) -> Measured:
    """Return the runs of some cells, as if others were not trained."""
    return drawn.only(np.isin(np.arange(len(drawn.steps)), list(cells))[:, None])


N_UNEVEN = np.array([2, 3, 12])


def uneven_result() -> Result:
    """Return a partial result of cells of 2, 3 and 12 runs."""
    study = make_study(count=12, hidden=[2, 3, 4], learning_rate=[0.1])
    drawn = outcomes_of(np.random.default_rng(7), np.array([0.4, 0.9, 0.6]), 12, 0.5)
    return result_of(study, drawn.only(np.arange(12) < N_UNEVEN[:, None]))


# Ends of intervals and standard errors.
INTERVALS = [name for each in OF_CONVERGENCE.values() for name in each.columns[1:]]


@pytest.mark.slow
@settings(max_examples=10)
@given(
    st.sets(st.integers(0, 23), min_size=1),
    st.lists(st.sampled_from(list(SIZES)), min_size=1, max_size=3, unique=True),
)
def test_rows_of_partial_results_are_their_own(cells: set[int], by: list[str]) -> None:
    """Each row has the statistics of its runs, whichever cells are trained, in the order of the study."""
    study = make_study(count=12, **SIZES)
    drawn = outcomes_of(np.random.default_rng(len(cells)), np.linspace(0, 1, 24), 12, 0.5)
    result = result_of(study, some_cells(drawn, cells))
    there = result.cells
    order = [values for values in cells_of(study.grid)[by].drop_duplicates().itertuples(index=False, name=None)
             if (there[by] == list(values)).all(axis=1).any()]  # fmt: skip
    for table in (result.summarize(by), sum_over(result, by)):
        assert list(table[by].itertuples(index=False, name=None)) == order
        for row in table.to_dict("records"):
            own = there[(there[by] == [row[name] for name in by]).all(axis=1)]["cell"]
            alone = result_of(study, some_cells(drawn, own))
            alone.complete = result.complete
            (expected,) = sum_over(alone, []).to_dict("records")
            for name in ("n_runs", "convergence_rate", "convergence_rate_low", "convergence_rate_high"):
                assert row[name] == pytest.approx(expected[name], rel=1e-9, nan_ok=True), name
            low, rate, high = (row[f"convergence_rate{end}"] for end in ("_low", "", "_high"))
            assert low <= rate + 1e-9 <= high + 2e-9 or (len(own) > 1 and np.isnan(low))


def test_cells_of_partial_results_count_alike() -> None:
    """Statistics over cells of 2, 3 and 12 runs equal those of 6, 4 and 1 copies of their runs."""
    result = uneven_result()
    row, drawn, copies = summarize_all(result), result.outcomes, [6, 4, 1]
    ends = [
        (int(drawn.steps[cell, seed]), bool(drawn.converged[cell, seed]))
        for cell in range(3)
        for seed in range(N_UNEVEN[cell])
        for _ in range(copies[cell])
    ]
    needed = sorted(steps if converged else np.inf for steps, converged in ends)
    n_converged = sum(converged for _, converged in ends)
    assert row["n_runs"] == 17
    assert row["convergence_rate"] == pytest.approx(n_converged / 36)
    assert row["expected_steps"] == pytest.approx(sum(steps for steps, _ in ends) / n_converged)
    assert row["restricted_mean_steps"] == pytest.approx(
        np.minimum(needed, result.study.values_of("max_steps")[0]).mean()
    )
    for name, rank in (("steps_q25", 9), ("steps_q50", 18), ("steps_q75", 27)):
        assert (np.inf if pd.isna(row[name]) else row[name]) == needed[rank - 1]
    assert all(pd.isna(row[name]) for name in (*INTERVALS, "restart_steps", "restarted_steps"))


@pytest.mark.parametrize("first", [(0, 0, 0), (0, 100, 400)], ids=["common seeds", "no common seeds"])
@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_rates_of_uneven_cells_are_those_of_the_jackknife(shared: float, first: tuple[int, ...]) -> None:
    """The interval of the mean rate of cells with 100 to 1,000 runs agrees with a jackknife over seeds."""
    drawn = outcomes_of(np.random.default_rng(7), np.array([0.4, 0.9, 0.6]), 1000, shared)
    seeds = np.arange(1000)
    last = np.array([300, 600, 1000]) if not any(first) else np.array([*first[1:], 1000])
    there = (seeds >= np.array(first)[:, None]) & (seeds < last[:, None])
    outcomes = drawn.only(there)

    def rate(kept: Any) -> float:
        return float((outcomes.converged[:, kept].sum(axis=1) / there[:, kept].sum(axis=1)).mean())

    low, high = rate_intervals(outcomes, np.zeros(3, np.int64))
    without = [rate(np.delete(np.arange(1000), own)) for own in np.arange(1000).reshape(200, 5, order="F")]
    error = np.sqrt(199 / 200 * np.square(np.array(without) - np.mean(without)).sum())
    assert (high[0] - low[0]) / 2 / 1.96 == pytest.approx(error, rel=0.1)
    assert (low[0] + high[0]) / 2 == pytest.approx(rate(slice(None)), abs=0.1 * error)


def test_curves_of_partial_results_weigh_cells_alike() -> None:
    """A curve over cells of 2, 3 and 12 runs is the mean of their curves, without an interval."""
    result = uneven_result()
    curve, drawn = result.incidence(), result.outcomes
    of_cells = [
        [np.mean([drawn.converged[cell, seed] and drawn.steps[cell, seed] <= step for seed in range(n)])
         for cell, n in enumerate(N_UNEVEN)]
        for step in curve["steps"]
    ]  # fmt: skip
    np.testing.assert_allclose(curve["incidence"], np.mean(of_cells, axis=1), rtol=1e-12)
    assert curve["at_risk"].iloc[0] == 17
    assert curve[["low", "high", "band_low", "band_high"]].isna().all(axis=None)
    assert result.incidence("hidden")["low"].notna().all()


def pooled_by_definition(outcomes: Measured, limits: np.ndarray) -> dict[str, float]:
    """Return statistics of steps over all cells."""
    steps = np.where(outcomes.converged, outcomes.steps, limits[:, None])
    return {
        "restricted_mean_steps": float(steps.mean()),
        "log_expected_steps": float(np.log(outcomes.steps.sum() / outcomes.converged.sum())),
    }


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_errors_of_steps_are_those_of_the_jackknife(shared: float) -> None:
    """Standard errors equal those of a jackknife over seeds, also with different step limits."""
    limits = np.array([100, 100, 400, 400])
    study = make_study(count=60, max_steps=[100, 400], hidden=[2, 3], learning_rate=[0.1])
    outcomes = outcomes_of(np.random.default_rng(1), np.array([0.3, 0.9, 0.5, 0.7]), 60, shared, limit=100)
    steps = np.where(outcomes.converged, outcomes.steps, limits[:, None]).astype(np.int32)
    outcomes = Measured.of_ends(steps, outcomes.converged)
    without = [
        pooled_by_definition(
            Measured.of_ends(*(np.delete(each, k, axis=1) for each in (steps, outcomes.converged))), limits
        )
        for k in range(60)
    ]
    errors = {name: np.sqrt(59 / 60 * np.var([each[name] for each in without]) * 60) for name in without[0]}
    table = summarize_all(result_of(study, outcomes))
    truth = pooled_by_definition(outcomes, limits)
    assert table["restricted_mean_steps"] == pytest.approx(truth["restricted_mean_steps"])
    assert table["restricted_mean_steps_error"] == pytest.approx(errors["restricted_mean_steps"], rel=1e-9)
    assert table["restricted_mean_steps_low"] < table["restricted_mean_steps"] < table["restricted_mean_steps_high"]
    for end, sign in (("low", -1), ("high", 1)):
        expected = np.exp(truth["log_expected_steps"] + sign * stats.t.ppf(0.975, 59) * errors["log_expected_steps"])
        assert table[f"expected_steps_{end}"] == pytest.approx(expected, rel=0.05)


def summarize_all(result: Result) -> dict[str, Any]:
    """Return the statistics of all runs, pooled by a parameter with one value."""
    (row,) = result.summarize("learning_rate").to_dict("records")
    return row


@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_intervals_of_quantiles_are_those_of_the_bootstrap(shared: float) -> None:
    """A bootstrap of seeds has about the same ends."""
    random = np.random.default_rng(2)
    study = make_study(count=400, hidden=[2, 3, 4, 5, 6], learning_rate=[0.1], max_steps=1000)
    outcomes = outcomes_of(random, np.linspace(0.7, 1.0, 5), 400, shared, limit=1000)
    table, needed = summarize_all(result_of(study, outcomes)), outcomes.values
    drawn = [np.sort(needed[:, random.integers(0, 400, 400)], axis=None) for _ in range(2000)]
    for name, share in (("steps_q25", 0.25), ("steps_q50", 0.5)):
        of_drawn = [each[int(np.ceil(share * 2000)) - 1] for each in drawn]
        for end, part in (("low", 0.025), ("high", 0.975)):
            spread = np.quantile(of_drawn, 0.975) - np.quantile(of_drawn, 0.025)
            assert table[f"{name}_{end}"] == pytest.approx(np.quantile(of_drawn, part), abs=0.2 * spread)


def test_restart_costs_come_from_other_seeds() -> None:
    """Each half of the seeds uses the limit that is best for the other half."""
    study = make_study(count=300, hidden=[2, 3], learning_rate=[0.1], max_steps=100)
    outcomes = outcomes_of(np.random.default_rng(5), np.array([0.3, 0.5]), 300, 0.5)
    names = np.where(outcomes.converged, "converged", "exhausted")
    halves = [
        list(zip(names[:, own].ravel(), outcomes.steps[:, own].ravel().tolist(), strict=True))
        for own in (slice(0, None, 2), slice(1, None, 2))
    ]
    spent, succeeded = 0, 0
    for own, other in (halves, halves[::-1]):
        costs = {}
        for limit in range(1, 101):
            n = sum(status == "converged" and steps <= limit for status, steps in other)
            costs[limit] = sum(min(steps, limit) for _, steps in other) / n if n else np.inf
        best = min(costs, key=lambda limit: (costs[limit], limit))
        spent += sum(min(steps, best) for _, steps in own)
        succeeded += sum(status == "converged" and steps <= best for status, steps in own)
    table = summarize_all(result_of(study, outcomes))
    assert table["restarted_steps"] == pytest.approx(spent / succeeded)
    assert table["restarted_steps_low"] < table["restarted_steps"] < table["restarted_steps_high"]


def test_alike_runs_of_few_cells_make_no_jump() -> None:
    """If five cells always converge and five never, one run of 1,000 that differs hardly moves the interval."""
    converged = np.repeat(np.arange(10) < 5, 100).reshape(10, 100)
    flipped = converged.copy()
    flipped[0, 0] = False
    widths = []
    for each in (converged, flipped):
        low, high = rate_intervals(Measured.of_ends(np.ones((10, 100), np.int32), each), np.zeros(10, np.int64))
        widths.append(float(high[0] - low[0]))
    assert widths[1] == pytest.approx(widths[0], rel=0.2)
    assert 0.002 < widths[0] < 0.03


@pytest.mark.slow
@pytest.mark.parametrize("keep", ["runs", "cells"])
def test_no_interval_where_seeds_are_not_known(
    keep: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without rows, or with too many, statistics over several cells have no intervals; single cells have them."""
    study = make_study(count=12, **SIZES)
    outcomes = outcomes_of(np.random.default_rng(3), np.linspace(0, 1, 24), 12, 0.5)
    result, whole = result_of(study, outcomes, keep), result_of(study, outcomes)
    expected = whole.summarize("hidden")
    monkeypatch.setattr("sweep.results.estimate.MOST_PAIRED", 100)
    table = result.summarize("hidden")
    assert table[INTERVALS].isna().all(axis=None)
    same = [name for name in table if name not in INTERVALS and name != "restarted_steps"]
    pd.testing.assert_frame_equal(table[same], expected[same])
    assert sum_over(result, [])["convergence_rate_low"].isna().all()
    single = result.summarize(list(SIZES))
    np.testing.assert_array_equal(single["convergence_rate_low"], result.cells["convergence_rate_low"])
    print_cells(result, ["hidden"])
    out = capsys.readouterr().out
    assert "no intervals: since cells share seeds" in out
    assert "[" not in out.partition("cells")[2].partition("\n\n")[2]
    assert "intervals" not in figures.line_plot(result, x="hidden", color="learning_rate").get_title()
