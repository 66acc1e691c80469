"""Answers by recorded measures of networks: quartiles of cells, best cells, comparisons, figures."""

from __future__ import annotations

from math import ceil, inf
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

import sweep
from sweep import Result, Study, SweepError, figures
from sweep.analysis.cells import columns_of_measure, quartile_columns
from sweep.measures import RECORDED
from sweep.results.comparison import Pairing
from sweep.statistics.intervals import quantile_ranks
from sweep.statistics.outcomes import Measured
from sweep.statistics.ranking import best_cells
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_same_table, make_study

# Measures of networks with quartiles; sharpness needs another kernel.
NAMES = [
    name
    for name, each in RECORDED.items()
    if each.kind != "name" and not each.needs and not each.has_mean and name != "sharpness"
]
OPTIONS: dict[str, Any] = {"activation": "tanh", "hidden": [2, 3], "learning_rate": [0.01, 0.1, 1e3], "max_steps": 12}


def measured(names: list[str] = NAMES, **options: Any) -> Study:
    """Return a study of six cells; with 2 hidden units, no, some and all runs diverge."""
    tables = make_study(**{**OPTIONS, "divergence_threshold": 40.0, "count": 11, **options}).canonical()
    return Study(**tables | {"record": {"measures": names}})


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Return such a result on disk."""
    return sweep.run(measured(), out=tmp_path_factory.mktemp("results") / "measured")


def of_cell(result: Result, measure: str, cell: int) -> list[float]:
    """Return the values of all runs of a cell in ascending order."""
    runs = result.runs(["cell", measure])
    return sorted(runs.loc[runs["cell"] == cell, measure])


@pytest.mark.parametrize("measure", NAMES)
def test_quartiles_of_cells(result: Result, measure: str) -> None:
    """Quartiles and intervals are values of runs at ranks, or the least possible value and infinity."""
    for row in result.cells.to_dict("records"):
        values = of_cell(result, measure, row["cell"])
        for part in (25, 50, 75):
            name = f"{measure}_q{part}"
            assert row[name] == values[ceil(part * len(values) / 100) - 1]
            low, high = quantile_ranks(len(values), part / 100)
            bounds = [-inf if measure == "margin" else 0.0, *values, inf]
            assert (row[f"{name}_low"], row[f"{name}_high"]) == (bounds[max(low, 0)], bounds[min(high, 12)])


@pytest.mark.wide
def test_cells_are_the_same_wherever_they_are(result: Result) -> None:
    """Statistics are the same in memory and in the file of cells."""
    assert_same_table(sweep.run(measured()).cells, result.cells)
    stored = pd.read_parquet(Path(str(result.place)) / "cells.parquet")
    assert set(stored) >= {name for measure in NAMES for name in quartile_columns(measure)}
    assert "margin_q50" not in sweep.run(make_study(**OPTIONS)).cells
    assert sweep.verify(str(result.place)).intact


def test_unfinished_results_have_them(tmp_path: Path) -> None:
    """Partial results have statistics of the trained runs."""
    partial = run_in_parts(measured(), out=tmp_path / "r", part_runs=20, max_runs=1)
    assert not partial.complete
    row = partial.cells.iloc[0]
    values = of_cell(partial, "margin", int(row["cell"]))
    assert row["margin_q50"] == values[ceil(len(values) / 2) - 1]
    assert partial.summarize("learning_rate")["margin_q50"].notna().all()


def test_pooled_quartiles(result: Result) -> None:
    """Quartiles over several cells are those of all their runs."""
    for row in result.summarize("learning_rate").to_dict("records"):
        runs = result.runs(["learning_rate", "margin"])
        values = sorted(runs.loc[runs["learning_rate"] == row["learning_rate"], "margin"])
        assert row["margin_q50"] == values[10]
        assert row["margin_q50_low"] <= row["margin_q50"] <= row["margin_q50_high"]
    every = result.summarize(["hidden", "learning_rate"])
    assert list(every["margin_q50"]) == list(result.cells["margin_q50"])


def test_best_cells(result: Result) -> None:
    """Wide margins and small norms are better; a cell with only diverged runs is the worst by both."""
    for measure, worst in (("margin", -inf), ("weight_norm", inf)):
        best = result.best(measure)
        medians = best[f"{measure}_q50"].tolist()
        assert medians == sorted(medians, reverse=measure == "margin")
        assert medians[-1] == worst
        assert set(columns_of_measure(measure)) <= set(best)
    margins = result.cells["margin_q50"].to_numpy()
    each = result.best(["learning_rate", "margin"])
    assert each["margin_q50"].tolist() == sorted(np.split(margins, 2)[0].clip(np.split(margins, 2)[1]), reverse=True)
    assert (each["best_of_low"] <= each["margin_q50"]).all()


def test_tests_do_not_depend_on_the_sign() -> None:
    """Negated values, of which lower ones are better, give the same set of cells."""
    random = np.random.default_rng(1)
    values = random.normal(size=(6, 101)) + np.arange(6)[:, None] * 0.3
    values[random.random(values.shape) < 0.1] = -inf
    cells = np.arange(6)
    tables = [
        best_cells(pd.DataFrame({"cell": cells, name: np.median(of, axis=1)}), Measured(of), name)
        for name, of in (("margin_q50", values), ("sharpness_q50", -values))
    ]
    assert tables[0]["cell"].tolist() == tables[1]["cell"].tolist()
    assert np.array_equal(tables[0]["p_value"], tables[1]["p_value"], equal_nan=True)
    assert 0 < tables[0]["may_be_best"].sum() < 6


def test_comparisons(result: Result) -> None:
    """Wider margins and smaller norms are better, diverged runs are the worst, and two of them tie."""
    runs = result.runs(["seed", "cell", "margin", "weight_norm"]).set_index(["cell", "seed"])
    one, other = (runs.loc[cell] for cell in (0, 1))
    row = result.compare("learning_rate", ["hidden", "margin"]).iloc[0]
    assert row["first_median"] == sorted(one["margin"])[5]
    assert row["first_better"] == (one["margin"] > other["margin"]).mean()
    assert row["advantage"] == pytest.approx(np.sign(one["margin"] - other["margin"]).fillna(0).mean())
    row = result.compare("learning_rate", ["hidden", "weight_norm"]).iloc[0]
    assert row["first_better"] == (one["weight_norm"] < other["weight_norm"]).mean()
    alike = Pairing(result, result).compare(["margin"])
    assert (alike["advantage"] == 0).all()


def test_one_run_and_none_finite() -> None:
    """A single run has trivial intervals; if all runs diverged, quartiles are infinite."""
    one = sweep.run(measured(count=1, learning_rate=0.01, hidden=2))
    assert one.best("margin")["margin_q50_low"].tolist() == [-inf]
    assert one.cells["margin_q25"].iloc[0] == one.cells["margin_q75"].iloc[0] == one.runs()["margin"].iloc[0]
    lost = sweep.run(measured(learning_rate=[1e3, 1e4]))
    assert (lost.cells["margin_q75"] == -inf).all()
    assert lost.best("weight_norm")["may_be_best"].all()
    drawn = figures.draw(lost, "heatmap", value="margin")
    assert "nothing to draw" in str([text.get_text() for text in drawn.axes[0].texts])


def test_what_is_refused(result: Result) -> None:
    """Measures that are not recorded, and functions, which are names of outcomes and no quantities."""
    for ask in (result.best, lambda name: result.compare("learning_rate", name), result.measures.of):
        with pytest.raises(SweepError, match="the study does not record sharpness"):
            ask("sharpness")
    with pytest.raises(SweepError, match="learned_function is a column of runs"):
        result.best("learned_function")


def test_functions() -> None:
    """Shares follow from counts. One cell has Wilson's interval; over several cells it counts seeds once."""
    result = sweep.run(measured(["learned_function"], learning_rate=[0.01, 0.1], max_steps=100))
    runs = result.runs(["hidden", "learning_rate", "learned_function"])
    every = result.functions(["hidden", "learning_rate"], top=100)
    assert every["n_learned"].sum() == len(runs)
    for row in every.to_dict("records"):
        same = (runs["hidden"] == row["hidden"]) & (runs["learning_rate"] == row["learning_rate"])
        n_learned = int((runs["learned_function"][same] == row["learned_function"]).sum())
        assert (row["n_learned"], row["n_runs"]) == (n_learned, 11)
        low, high = binomtest(n_learned, 11).proportion_ci(method="wilson")
        assert (row["share_low"], row["share_high"]) == pytest.approx((low, high), abs=1e-12)
    pooled = result.functions(top=3)
    assert pooled["n_learned"].tolist() == runs["learned_function"].value_counts().head(3).tolist()
    assert ((pooled["share_low"] <= pooled["share"]) & (pooled["share"] <= pooled["share_high"])).all()
    pd.testing.assert_frame_equal(result.functions(top=None), result.functions(top=100))
    for top in (0, 2.5, True, "3"):
        with pytest.raises(SweepError, match=f"^top: must be an integer from 1, got {top!r}$"):
            result.functions(top=top)  # type: ignore[arg-type]
    with pytest.raises(SweepError, match="the study does not record learned_function"):
        sweep.run(measured(["margin"], hidden=2, learning_rate=0.1)).functions()


@pytest.mark.wide
def test_figures(result: Result) -> None:
    """Figures draw statistics of recorded measures, also negative ones."""
    for kind in ("lines", "heatmap", "slice", "contour", "parallel"):
        for value in ("margin", "mean_error", "weight_distance_q75"):
            figures.draw(result, kind, value=value)
