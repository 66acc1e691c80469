"""Answers over recorded targets: those of a study that sweeps ``below``, whatever ended the runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import sweep
from sweep import StoreError, SweepError, open_result
from tests.sweep.in_shards import run_in_shards
from tests.sweep.support import assert_same_table, make_study

TARGETS = [0.1, 3.0, 1.0, 0.3, 0.01]
STUDY = make_study(count=30, targets=TARGETS)


def test_targets_as_runs() -> None:
    """The answers over targets are those of the study that sweeps ``below``."""
    result, twin = sweep.run(STUDY), sweep.run(make_study(count=30, below=sorted(TARGETS, reverse=True)))

    def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
        pd.testing.assert_frame_equal(one.rename(columns={"target": "below"}), other)

    same(result.run_lengths("target"), twin.run_lengths("below"))
    same(result.run_lengths(), twin.run_lengths())
    same(result.targets.incidence(["hidden", "target"]), twin.incidence(["hidden", "below"]))
    same(result.targets.summarize("target"), twin.summarize("below"))
    same(result.performance_profile("hidden"), twin.performance_profile("hidden"))
    counts = ["hidden", "learning_rate", "target", "n_runs", "n_converged", "convergence_rate", "expected_steps"]
    cells = result.targets.cells[counts].rename(columns={"target": "below"})
    assert_same_table(cells, twin.cells[list(cells.columns)])
    for found, expected in (
        (result.targets.best(["target"]), twin.best(["below"])),
        (result.targets.compare("target", by=[]), twin.compare("below", by=[])),
        (result.targets.parallel_runs([1, 4], by="target"), twin.parallel_runs([1, 4], by="below")),
    ):
        same(found[[name for name in found if name in {*expected, "target"}]], expected)
    assert result.targets.study.n_runs == 5 * result.study.n_runs


@pytest.mark.wide
def test_run_that_ends_first_meets_no_target() -> None:
    """A run that converges by another criterion before a target has not met it, also where nothing is judged."""
    study = make_study(count=40, targets=[1.0, 1e-9], criterion="correct")
    result = sweep.run(study)
    cells = result.targets.cells
    assert (result.cells["n_converged"] > 0).any()
    assert (cells["n_converged"][cells["target"] == 1e-9] == 0).all()
    assert (cells["n_runs"] == 40).all()
    unjudged = sweep.run(make_study(count=40, targets=[1.0], criterion="none"))
    assert unjudged.run_lengths()["incidence"].iloc[-1] > 0
    assert unjudged.targets.best(top=1)["convergence_rate"].iloc[0] > 0


def test_partial_results_have_targets(tmp_path: Path) -> None:
    """What is trained so far can be asked about targets."""
    run_in_shards(STUDY, out=tmp_path / "r", max_runs=40, shard_runs=9)
    result = open_result(tmp_path / "r", partial=True)
    assert result.targets.cells["n_runs"].sum() == 5 * len(result.runs())
    assert result.run_lengths("target")["target"].nunique() == 5


def test_what_targets_do_not_answer() -> None:
    """Each is refused in a sentence: without targets, for measures of the end of runs, and for rows."""
    with pytest.raises(SweepError, match="records no targets"):
        _ = sweep.run(make_study(count=2)).targets
    targets = sweep.run(make_study(count=2, targets=[1.0, 0.1])).targets
    assert repr(targets) == "<Targets 1, 0.1 of 'small'>"
    for ask in (lambda: targets.best("final_loss"), lambda: targets.measured("final_loss")):
        with pytest.raises(SweepError, match="final_loss does not depend on a target"):
            ask()
    for ask in (targets.runs, targets.parts, lambda: targets.row(0), lambda: next(targets.batches())):
        with pytest.raises(StoreError, match="rows and files are those of the result itself"):
            ask()
    assert targets.facts["n_runs"] == 16
    assert "<td>0.1</td>" in targets._repr_html_()
    with pytest.raises(SweepError, match="unknown parameter 'below'"):
        targets.incidence("below")
