"""Answers, tables, figures and reports of studies without a criterion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text
from scipy import stats

import sweep
from sweep import Result, StoreError, SweepError, figures
from sweep.analysis.cells import columns_of_measure, measured_statistics
from sweep.report.page import report_page
from sweep.results import sentences
from sweep.results.pooled_cells import pool_cells
from sweep.statistics.of_cells import OF_CONVERGENCE, of_measure
from sweep.statistics.runs import Correct
from tests.sweep.in_parts import run_in_parts
from tests.sweep.invented import measured_result
from tests.sweep.support import command, make_study

BUDGET: dict[str, Any] = {"criterion": "none", "max_steps": 30, "hidden": [2, 3]}


def study_of(n_seeds: int, n_cells: int) -> sweep.Study:
    """Return a study of two axes; the first has one value."""
    rates = [round(0.1 + k / 100, 2) for k in range(n_cells)]
    return make_study(count=n_seeds, hidden=2, scale=[1.0], learning_rate=rates, criterion="none")


def pooled(measure: str, values: np.ndarray) -> dict[str, float]:
    """Return the statistics of all cells together."""
    result = measured_result(study_of(values.shape[1], len(values)), measure, values)
    if measure == "final_loss":
        (row,) = result.summarize("scale").to_dict("records")
        return row
    (row,) = pool_cells(result, ["scale"], result.cells, {measure: of_measure(measure)}).to_dict("records")
    return row


@pytest.mark.parametrize("measure", ["final_loss", "max_error", "n_correct"])
def test_several_cells_together(measure: str) -> None:
    """Pooled statistics are those of all runs; if seeds do not matter, so nearly are the intervals."""
    random = np.random.default_rng(1)
    values = random.lognormal(0, 1, (3, 400)) if measure != "n_correct" else random.integers(0, 5, (3, 400)) * 1.0
    row = pooled(measure, values)
    alone = measured_statistics(measure, np.zeros(1200), values.ravel(), correct=Correct(4, 2)).iloc[0]
    for name in columns_of_measure(measure):
        assert row[name] == pytest.approx(alone[name], rel=1e-12 if not name.endswith(("low", "high")) else 0.04), name


def test_seeds_that_decide_count_once() -> None:
    """If all runs of a seed have the same loss, intervals are those of the seeds."""
    values = np.random.default_rng(1).lognormal(0, 1, 400)
    row, alone = pooled("final_loss", np.tile(values, (3, 1))), measured_statistics("final_loss", np.zeros(400), values)
    ends = (tuple(each[f"final_loss_q50_{end}"] for end in ("low", "high")) for each in (row, alone.iloc[0]))
    width, expected = (np.log(high / low) for low, high in ends)
    assert width == pytest.approx(expected, rel=0.1)
    one_seed = pooled("final_loss", np.array([[1.0], [2.0]]))
    assert one_seed["final_loss_q50"] == 1.0
    assert np.isnan([one_seed["final_loss_q50_low"], one_seed["final_loss_q50_high"]]).all()


def test_cells_of_partial_results_have_equal_weights() -> None:
    """Cells count equally whatever their numbers of runs; intervals are missing."""
    values = np.array([[1.0] * 9, [5.0] + [np.nan] * 8, [7.0, 8.0] + [np.nan] * 7])
    row = pooled("final_loss", values)
    assert row["final_loss_q50"] == 5.0
    assert np.isnan(row["final_loss_q50_low"])


@pytest.mark.soak
@pytest.mark.parametrize("shared", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("n_seeds", [20, 100])
def test_intervals_cover(n_seeds: int, shared: float) -> None:
    """However much runs of a seed share, intervals over five cells cover at least 92 %, with 20 seeds 90 %."""
    random, times = np.random.default_rng(1), 300
    held: dict[str, list[bool]] = {}
    centers = np.linspace(-1, 1, 5)[:, None]
    spread = np.array([-1.0, 1.0]) * 30
    grid = np.linspace(*spread, 200_001)
    median = np.exp(grid[np.searchsorted(stats.norm.cdf(grid[None] - centers).mean(axis=0), 0.5)])
    for _ in range(times):
        luck = np.sqrt(shared) * random.normal(size=n_seeds) + np.sqrt(1 - shared) * random.normal(size=(5, n_seeds))
        row = pooled("final_loss", np.exp(centers + luck))
        held.setdefault("median", []).append(bool(row["final_loss_q50_low"] <= median <= row["final_loss_q50_high"]))
        right = pooled("n_correct", np.clip(np.floor(2 + luck), 0, 4))
        levels = stats.norm.sf(np.arange(1, 5) - 2).sum()
        held.setdefault("n_correct_mean", []).append(
            bool(right["n_correct_mean_low"] <= levels <= right["n_correct_mean_high"])
        )
    for name, each in held.items():
        assert np.mean(each) >= (0.9 if n_seeds == 20 else 0.92), (name, np.mean(each))


@pytest.fixture(scope="module")
def result() -> Result:
    """Train a fixed budget of two parameters."""
    return sweep.run(make_study(count=20, learning_rate=[0.05, 0.2, 50.0], **BUDGET))


def test_no_statistics_of_convergence(result: Result) -> None:
    """No run can converge, so no table has a rate or steps to converge; the file of cells keeps its columns."""
    columns = {name for each in OF_CONVERGENCE.values() for name in each.columns}
    assert columns.isdisjoint(result.cells)
    assert columns <= set(result.stored.read_cells().column_names)


@pytest.mark.wide
@pytest.mark.parametrize("keep", ["runs", pytest.param("cells", marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"learning_rate": 0.1, "hidden": 2}, "the median final training loss of 20 runs is "),
        ({"learning_rate": [0.1, 0.2], "count": 1}, "the median final training loss of 4 runs is "),
        ({"learning_rate": [1e200, 1e201], "hidden": 2}, "no cell has a finite median final training loss"),
        (
            {"learning_rate": [0.0, 0.1], "hidden": 1, "bias": False,
             "data": {"inputs": [[0.0], [0.0]], "targets": [[0.0], [0.0]]}},
            "is 0",
        ),
    ],
    ids=["one cell", "one seed", "all diverged", "loss 0"],
)  # fmt: skip
def test_special_studies(tmp_path: Path, options: dict[str, Any], expected: str, keep: str) -> None:
    """Sentences, tables and pages of one cell, one seed, only diverged runs, and losses of exactly 0."""
    out = str(tmp_path / "r")
    with np.errstate(all="ignore"):
        trained = sweep.run(make_study(**{**BUDGET, "count": 20, **options}), out, keep=keep)
    answer = "\n".join(sentences.answer(trained))
    assert expected in answer
    assert "nan" not in answer
    third = ["lines", "--value", "final_loss_q75"]
    for what in (["show"], ["best"], ["report"], ["figure", "lines"], ["figure", "slice"], ["figure", *third]):
        finished = command(what[0], out, *what[1:])
        assert finished.code == 0 or "nothing is swept" in finished.err, finished.err
        assert "nan" not in finished.out
    page = re.sub(r"<svg.*?</svg>|<script.*?</script>", "", report_page(trained), flags=re.DOTALL)
    assert not re.search(r"\bnan\b|None", page)


def test_tables(result: Result, tmp_path: Path) -> None:
    """`sweep show` prints final losses by the values of a parameter, and those of a partial result."""
    sweep.run(result.study, tmp_path / "r")
    out = command("show", tmp_path / "r", "--by", "hidden").out
    assert "medians pool all runs; intervals count each seed once" in out
    study = make_study(count=50, learning_rate=[0.05, 0.2], **BUDGET)
    run_in_parts(study, tmp_path / "p", max_runs=1, part_runs=60)
    assert "with equal weights, is" in command("show", tmp_path / "p").out


@pytest.mark.parametrize("kind", ["lines", "heatmap", "slice", "contour", "parallel"])
@pytest.mark.parametrize("value", [None, "final_loss", "max_error", "n_correct"])
def test_figures(result: Result, kind: str, value: str | None) -> None:
    """Measures are drawn like any statistic, final losses by default."""
    drawn = figures.draw(result, kind, **({"value": value} if value else {}))
    texts = [str(text.get_text()) for text in drawn.findobj(Text)]
    labels = {"max_error": "median largest error", "n_correct": "correct outputs"}
    label = labels.get(value or "", "median final training loss")
    assert any(label in " ".join(text.split()) for text in texts)


@pytest.mark.parametrize("measure", ["final_loss", "max_error", "n_correct"])
def test_comparisons(result: Result, measure: str) -> None:
    """Comparisons on common seeds agree with NumPy and scipy; with one pair per seed the test is the sign test."""
    runs = result.runs().pivot(index="seed", columns="cell", values=measure).to_numpy()
    table = result.compare("hidden", ["learning_rate", measure])
    assert len(table) == 3
    for k, row in enumerate(table.to_dict("records")):
        one, other = runs[:, 2 * k], runs[:, 2 * k + 1]
        assert row["n_seeds"] == row["n_pairs"] == 20
        wins, losses = int((one < other).sum()), int((one > other).sum())
        if measure == "n_correct":
            wins, losses = losses, wins
            assert (row["first_mean"], row["second_mean"]) == pytest.approx((one.mean(), other.mean()))
            assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        else:
            assert (row["first_median"], row["second_median"]) == (np.sort(one)[9], np.sort(other)[9])
        assert (row["first_better"], row["second_better"]) == (wins / 20, losses / 20)
        assert row["advantage"] == pytest.approx((wins - losses) / 20)
        spread = 1.96 * np.sqrt((wins + losses + 2) / 22 - ((wins - losses) / 22) ** 2) / np.sqrt(22)
        assert row["advantage_low"] == pytest.approx(max((wins - losses) / 22 - spread, -1), abs=1e-4)
        expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
        assert row["p_value"] == pytest.approx(expected)
    over_all = result.compare("hidden", measure)
    assert list(over_all["n_pairs"]) == [60]
    assert len(result.compare("hidden")) == 3


def test_errors(result: Result, tmp_path: Path) -> None:
    """Rates need a criterion, and measures rows."""
    for ask in (lambda: result.compare("hidden", "rate"), lambda: figures.draw(result, value="rate")):
        with pytest.raises(SweepError, match="criterion 'none'"):
            ask()
    counted = sweep.run(result.study, tmp_path / "r", keep="cells")
    with pytest.raises(StoreError, match="keep='runs'"):
        figures.draw(counted, value="max_error")
    sweep.run(result.study, tmp_path / "w")
    out = command("compare", tmp_path / "w", "--vary", "hidden", "--by", "learning_rate,max_error").out
    assert out.startswith("largest error\n")
    assert "the lower value is better" in out


def test_too_many_rows_to_read(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """Single cells have losses from counts; statistics over several cells are left out."""
    monkeypatch.setattr("sweep.results.estimate.MOST_PAIRED", 100)
    answer = "\n".join(sentences.answer(result))
    assert "the median final training loss of" not in answer
    assert "best cell: " in answer
    assert "other cell" in answer
    with pytest.raises(SweepError, match=r"too many rows of runs .* over all values of hidden"):
        figures.line_plot(sweep.run(make_study(count=30, learning_rate=[0.05, 0.2], scale=[1.0, 2.0], **BUDGET)))
    assert "line" not in figures.slice_plot(result, x="learning_rate").get_title()
    assert "<svg" in report_page(result)


def test_mixed_studies_are_described_by_rates() -> None:
    """Cells without a criterion count as not converged; final losses are available too."""
    mixed = sweep.run(make_study(count=20, hidden=2, learning_rate=0.2, criterion=["none", "loss"], max_steps=200))
    assert "count as not converged" in "\n".join(sentences.answer(mixed))
    assert list(mixed.best("final_loss")["rank"]) == [1, 2]
    assert "first_rate" in mixed.compare("criterion").columns
    assert "first_median" in mixed.compare("criterion", "final_loss").columns
    counted = sweep.run(mixed.study, keep="cells")
    assert list(counted.best(["criterion", "final_loss"])["criterion"]) == ["none"]
    with pytest.raises(SweepError, match="no final losses of these cells"):
        counted.best("final_loss", at={"criterion": ["loss"]})
