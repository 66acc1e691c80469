"""The best cells by a measure, and the best cell for each value of parameters."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sweep
from sweep import Result, StoreError, SweepError
from sweep.analysis.cells import measured_statistics
from sweep.results.best import best_of_each
from sweep.results.sentences import may_be_best
from sweep.results.tables.ranked_table import best_table
from sweep.statistics.outcomes import Measured
from sweep.statistics.ranking import best_cells
from sweep.statistics.runs import Correct
from tests.sweep.in_parts import run_in_parts
from tests.sweep.invented import measured_result
from tests.sweep.support import command, make_study

COMMON: dict[str, Any] = {"count": 30, "max_steps": 40, "hidden": [2, 3], "learning_rate": [0.05, 0.2, 50.0]}
MEASURES = {"final_loss": "final_loss_q50", "max_error": "max_error_q50", "n_correct": "n_correct_mean"}


@pytest.fixture(scope="module")
def result() -> Result:
    """Train a fixed budget."""
    return sweep.run(make_study(**COMMON, criterion="none"))


def cells_of(values: np.ndarray, measure: str) -> pd.DataFrame:
    """Return the statistics of cells with these values."""
    cell = np.repeat(np.arange(len(values)), values.shape[1])
    return measured_statistics(measure, cell, values.ravel()).rename_axis("cell").reset_index()


@pytest.mark.parametrize("measure", MEASURES)
def test_cells_are_ranked_by_measures(result: Result, measure: str) -> None:
    """The first cell has the best value, and is compared with all others."""
    best = result.best(measure)
    values = best[MEASURES[measure]].to_numpy()
    assert (np.diff(values[np.isfinite(values)]) * (-1 if measure == "n_correct" else 1) >= 0).all()
    assert best["p_value"].isna().tolist() == [True] + [False] * 5
    if measure == "final_loss":
        pd.testing.assert_frame_equal(result.best(), best)


def test_cells_of_runs_that_are_not_finite() -> None:
    """If most runs diverged, more finite runs are better; equal cells have p = 0.5."""
    random = np.random.default_rng(1)
    values = np.where(random.random((3, 200)) < np.array([[0.4], [0.4], [0.05]]), 1.0, np.inf)
    values[1] = values[0]
    best = best_cells(cells_of(values, "final_loss"), Measured(values), "final_loss_q50")
    assert list(best["p_value"].iloc[1:]) == [0.5, pytest.approx(0, abs=1e-9)]


@pytest.mark.parametrize(("n", "left_out"), [(20, False), (1000, True)])
def test_means_allow_for_failures_that_were_not_seen(n: int, left_out: bool) -> None:
    """A mean of 430 of 432 is significantly better than 425 only with enough runs to exclude failures."""
    values = np.repeat([[430.0], [425.0]], n, axis=1)
    cells = pd.DataFrame({"cell": [0, 1], "n_test_correct_mean": [430.0, 425.0]})
    best = best_cells(cells, Measured(values), "n_test_correct_mean", Correct(432, 216))
    assert list(best["may_be_best"]) == [True, not left_out]


@pytest.mark.parametrize("by", ["final_loss", "max_error", "n_correct", "rate", "median_steps", "expected_steps"])
def test_best_of_each_value(by: str) -> None:
    """The best cell for each value is the first of the ranking, with a wider interval."""
    result = sweep.run(make_study(**{**COMMON, "threshold": 0.5, "max_steps": 200}))
    each, ranked = result.best(["hidden", by]), result.best(by)
    assert set(each["hidden"]) == {2, 3}
    assert list(each["best_of"]) == [3, 3]
    for row in each.to_dict("records"):
        own = ranked[ranked["hidden"] == row["hidden"]].iloc[0]
        assert row["cell"] == own["cell"]
        column = next(name for name in each.columns if name in (*MEASURES.values(), "convergence_rate", "steps_q50",
                                                                "expected_steps"))  # fmt: skip
        value, low, high, least, most = (np.inf if pd.isna(each) else each for each in (
            row[column], *(own[f"{column}{end}"] for end in ("_low", "_high")), row["best_of_low"], row["best_of_high"]
        ))  # fmt: skip
        assert value == (np.inf if pd.isna(own[column]) else own[column])
        assert least <= low <= value <= high <= most
    alone = result.best(["hidden", "learning_rate", by])
    for row in alone.to_dict("records"):
        own = ranked[ranked["cell"] == row["cell"]].iloc[0]
        for end, is_within in (("low", operator.le), ("high", operator.ge)):
            theirs = np.nan if pd.isna(own[f"{column}_{end}"]) else own[f"{column}_{end}"]
            if by == "expected_steps":  # its rate has an exact interval too, which is wider
                assert is_within(row[f"best_of_{end}"], theirs)
                continue
            if by == "rate":  # exact, in place of Wilson's
                theirs = getattr(stats.binomtest(own["n_converged"], own["n_runs"]).proportion_ci(0.95), end)
            assert row[f"best_of_{end}"] == pytest.approx(theirs, nan_ok=True)


def test_some_cells(result: Result, tmp_path: Path) -> None:
    """The ranking of selected cells covers only these. Counts without rows rank by final losses only."""
    some = result.best("max_error", at={"hidden": [3], "learning_rate": ["0.2", 0.05]})
    assert set(some["cell"]) == {3, 4}
    assert list(some["rank"]) == [1, 2]
    assert len(result.best("hidden", at={"hidden": [3]})) == 1
    for one in (3, "3", np.int64(3), np.array([3])):
        pd.testing.assert_frame_equal(result.best(at={"hidden": one}), result.best(at={"hidden": [3]}))
    for none in ({}, [], ()):
        pd.testing.assert_frame_equal(result.best(at=none), result.best())  # type: ignore[arg-type]
    with pytest.raises(SweepError, match=r"hidden.*2, 3"):
        result.best(at={"hidden": []})
    counted = sweep.run(result.study, tmp_path / "r", keep="cells")
    near, exact = counted.best("hidden"), result.best("hidden")
    assert list(near["cell"]) == list(exact["cell"])
    np.testing.assert_allclose(near["best_of_high"], exact["best_of_high"], rtol=2.0**-8)
    with pytest.raises(StoreError, match="keep='runs'"):
        counted.best("n_correct")


@pytest.mark.parametrize(
    ("by", "at", "why"),
    [
        ("rate", {}, r"criterion 'none'.* final_loss, n_correct and max_error"),
        ("bogus", {}, "unknown statistic 'bogus'"),
        (["final_loss", "max_error"], {}, "at most one statistic, got final_loss and max_error"),
        ("activation", {}, "'activation' is not swept"),
        ("final_loss", "hidden=2", "at: must be a dict such as"),
        ("final_loss", "", "at: must be a dict such as"),
        (["hidden", "hidden"], {}, "occurs twice"),
        ("final_loss", {"hidden": [7]}, "hidden.*2, 3"),
    ],
)
def test_refusals(result: Result, by: Any, at: dict[str, Any], why: str) -> None:
    """Statistics without values, unknown names and unknown values are errors."""
    with pytest.raises(SweepError, match=why):
        result.best(by, at=at)


def test_commands(result: Result, tmp_path: Path) -> None:
    """The command takes the same names and explains its intervals."""
    sweep.run(result.study, tmp_path / "r")
    options = ("--by", "hidden,max_error", "--at", "learning_rate=0.05,0.2", "--top", "1")
    finished = command("best", tmp_path / "r", *options)
    assert finished.out.splitlines()[-2].split()[:2] == ["2", "2"]  # hidden, and the number of its cells
    assert "the best cell for each of 1 of 2 values of hidden, best first by max_error" in finished.out
    assert "best of k cells" in finished.out
    assert command("best", tmp_path / "r", "--at", "hidden").code == 2


def test_a_partial_result_ranks_all_cells() -> None:
    """The best cell of each value is one with runs."""
    part = run_in_parts(make_study(**{**COMMON, "count": 50}, criterion="none"), max_runs=1, part_runs=120)
    assert list(part.cells["n_runs"]) == [50, 50, 20]
    assert list(part.best("hidden")["best_of"]) == [3]
    with pytest.raises(SweepError, match="is trained yet"):
        part.best("hidden", at={"hidden": [3]})


@pytest.mark.soak
@pytest.mark.parametrize("statistic", ["final_loss_q50", "n_correct_mean"])
@pytest.mark.parametrize("n_seeds", [20, 100])
def test_intervals_of_the_best_of_many_cover(statistic: str, n_seeds: int) -> None:
    """Of ten equal cells the interval of the one that looks best holds the truth in 95 % of studies or more."""
    random = np.random.default_rng(1)
    measure = "final_loss" if statistic == "final_loss_q50" else "n_correct"
    rates = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    study = make_study(count=n_seeds, hidden=2, learning_rate=rates, scale=[1.0], criterion="none")
    held = 0
    for _ in range(400):
        loss = measure == "final_loss"
        values = random.lognormal(0, 2, (10, n_seeds)) if loss else random.binomial(4, 0.6, (10, n_seeds)).astype(float)
        (row,) = best_of_each(measured_result(study, measure, values), ["scale"], statistic).to_dict("records")
        assert row["best_of"] == 10
        held += row["best_of_low"] <= (1.0 if loss else 2.4) <= row["best_of_high"]
    assert held >= 0.93 * 400


def test_equal_cells_are_called_equal() -> None:
    """Cells that equal the first cell in every run are flagged; other ties are not."""
    values = np.random.default_rng(2).exponential(size=(6, 30))
    values[3] = values[1] = values[2]
    values[[0, 4, 5]] += 0.1
    study = make_study(**COMMON | {"count": 30}, criterion="none")
    best = measured_result(study, "final_loss", values).best()
    assert list(best["cell"][:3]) == [1, 2, 3]
    assert list(best["equals_first"]) == [False, True, True, False, False, False]
    n = int(best["may_be_best"].sum())
    assert may_be_best(best, study).endswith(
        f"{n} of 6 cells may be the best (95 % confidence); 2 of them have the value of the first in every run"
    )
    values[[0, 4, 5]] += 9
    result = measured_result(study, "final_loss", values)
    ranked = result.best()
    sentence = may_be_best(ranked, study)
    assert sentence == "2 cells have the value of the first in every run; every other cell is worse (95 % confidence)"
    assert best_table(result, ranked).texts[1][-1] == "equals the first"


def test_means_of_shares_are_compared_by_students_test() -> None:
    """Accuracies are compared by the paired test of Student, with a p-value not below that of signs."""
    values = np.round(np.random.default_rng(4).uniform(0.6, 0.9, (5, 12)) + np.arange(5)[:, None] / 50, 2)
    values[0] = values[4] - 0.01
    cells = pd.DataFrame({"cell": range(5), "n_runs": 12, "test_accuracy_mean": values.mean(axis=1)})
    best = best_cells(cells, Measured(values), "test_accuracy_mean", Correct(1, 0.5))
    first = best["cell"].iloc[0]
    for row in best.iloc[1:].to_dict("records"):
        differences = values[first] - values[row["cell"]]
        expected = stats.ttest_1samp(differences, 0, alternative="greater").pvalue if row["cell"] else 0.5**12
        assert row["p_value"] == pytest.approx(max(expected, 0.5**12), rel=1e-4)


@pytest.mark.soak
@pytest.mark.parametrize("n_seeds", [10, 20, 50, 100])
@pytest.mark.parametrize(
    "failures", [[0.0] * 6, [0.02] * 6, [0.1] * 6, [0.05, 0, 0.05, 0, 0.05, 0], [0.03, 0.02, 0.01, 0, 0, 0]]
)
@pytest.mark.parametrize("step", [0.02, 0.1])
def test_cells_that_may_be_best_by_accuracy_hold_the_best(n_seeds: int, failures: list[float], step: float) -> None:
    """The true best cell is among those that may be the best in 93 % of studies or more, rare failures included."""
    random = np.random.default_rng(7)

    def accuracies(n: int) -> np.ndarray:
        shift = np.array([0, 1, 2, 3, 3, 5]) * step
        spread = random.normal(size=(6, n)) / 2 + 0.3 * random.normal(size=n) + shift[:, None]
        right = np.rint(100 - 4 * np.exp(spread)) / 100
        return np.where(random.random(right.shape) < np.array(failures)[:, None], 0.5, right)

    truth, kept = int(accuracies(200_000).mean(axis=1).argmax()), 0
    for _ in range(200):
        values = accuracies(n_seeds)
        cells = pd.DataFrame({"cell": range(6), "n_runs": n_seeds, "test_accuracy_mean": values.mean(axis=1)})
        best = best_cells(cells, Measured(values), "test_accuracy_mean", Correct(1, 0.5))
        kept += bool(best.set_index("cell").loc[truth, "may_be_best"])
    assert kept >= 0.93 * 200
