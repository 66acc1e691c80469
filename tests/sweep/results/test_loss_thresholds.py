"""Answers over recorded loss thresholds: those of a study that sweeps ``threshold``, whatever ended the runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import sweep
from sweep import SweepError, open_result
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_same_table, make_study

THRESHOLDS = [0.1, 3.0, 1.0, 0.3, 0.01]
STUDY = make_study(count=30, loss_thresholds=THRESHOLDS)


def test_thresholds_are_a_parameter() -> None:
    """Every answer equals that of the study that sweeps ``threshold``."""
    result, twin = sweep.run(STUDY), sweep.run(make_study(count=30, threshold=sorted(THRESHOLDS, reverse=True)))

    def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
        pd.testing.assert_frame_equal(one.rename(columns={"loss_threshold": "threshold"}), other)

    same(result.run_lengths("loss_threshold"), twin.run_lengths("threshold"))
    same(result.run_lengths(), twin.run_lengths())
    same(result.by_threshold.incidence(["hidden", "loss_threshold"]), twin.incidence(["hidden", "threshold"]))
    same(result.by_threshold.summarize("loss_threshold"), twin.summarize("threshold"))
    same(result.performance_profile("hidden"), twin.performance_profile("hidden"))
    counts = [
        "hidden",
        "learning_rate",
        "loss_threshold",
        "n_runs",
        "n_converged",
        "convergence_rate",
        "expected_steps",
    ]
    cells = result.by_threshold.cells[counts].rename(columns={"loss_threshold": "threshold"})
    assert_same_table(cells, twin.cells[list(cells.columns)])
    for found, expected in (
        (result.by_threshold.best(["loss_threshold"]), twin.best(["threshold"]).drop(columns="cell")),
        (result.by_threshold.compare("loss_threshold", by=[]), twin.compare("threshold", by=[])),
        (result.by_threshold.parallel_runs([1, 4], by="loss_threshold"), twin.parallel_runs([1, 4], by="threshold")),
    ):
        same(found[[name for name in found if name in {*expected, "loss_threshold"}]], expected)
    assert result.by_threshold.study.n_runs == 5 * result.study.n_runs


@pytest.mark.wide
def test_run_that_ends_first_does_not_reach_a_threshold() -> None:
    """A run that converges by another criterion before a threshold does not reach it; nor do runs without one."""
    study = make_study(count=40, loss_thresholds=[1.0, 1e-9], criterion="correct")
    result = sweep.run(study)
    cells = result.by_threshold.cells
    assert (result.cells["n_converged"] > 0).any()
    assert (cells["n_converged"][cells["loss_threshold"] == 1e-9] == 0).all()
    assert (cells["n_runs"] == 40).all()
    unevaluated = sweep.run(make_study(count=40, loss_thresholds=[1.0], criterion="none"))
    assert unevaluated.run_lengths()["incidence"].iloc[-1] > 0
    assert unevaluated.by_threshold.best(top=1)["convergence_rate"].iloc[0] > 0


def test_partial_results(tmp_path: Path) -> None:
    """Partial results answer for the runs trained so far."""
    run_in_parts(STUDY, out=tmp_path / "r", max_runs=40, part_runs=9)
    result = open_result(tmp_path / "r", partial=True)
    assert result.by_threshold.cells["n_runs"].sum() == 5 * len(result.runs())
    assert result.run_lengths("loss_threshold")["loss_threshold"].nunique() == 5


def test_what_thresholds_do_not_answer() -> None:
    """A study without loss thresholds and measures of the end of runs are refused; rows are those of the result."""
    with pytest.raises(SweepError, match="records no loss thresholds"):
        _ = sweep.run(make_study(count=2)).by_threshold
    runs = sweep.run(make_study(count=2, loss_thresholds=[1.0, 0.1])).by_threshold
    for query in (lambda: runs.best("final_loss"), lambda: runs.compare("hidden", "final_loss")):
        with pytest.raises(SweepError, match="final_loss does not depend on a loss threshold"):
            query()
    assert not {"runs", "batches", "row", "parts", "weights", "measured", "run_lengths"} & set(dir(runs))
    assert runs.facts["n_runs"] == 16
    assert "<td>0.1</td>" in runs._repr_html_()
    with pytest.raises(SweepError, match="'threshold' is not swept"):
        runs.incidence("threshold")
