"""Loss thresholds: the steps equal those of a sweep over ``threshold``, however the study is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sweep
from sweep import Study, StudyError, open_result
from sweep.schemas.run_columns import runs_columns
from sweep.study.load import load_study
from tests.kernels.support import some_compiled
from tests.sweep.expected import expected_runs, target_names
from tests.sweep.forgers import forge_run
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import (
    assert_refused,
    assert_same_table,
    command,
    copy_result,
    digest_of,
    make_study,
    refused,
    write_study,
)

THRESHOLDS = [0.1, 3.0, 1.0, 0.3, 0.01]
STUDY = make_study(count=30, loss_thresholds=THRESHOLDS)

STUDIES: dict[str, Study] = {
    "loss": STUDY,
    "none": make_study(
        loss_thresholds=THRESHOLDS, criterion="none", batch=[2, 4], order=["cyclic", "shuffled"], hidden=2
    ),
    "criteria": make_study(
        loss_thresholds=THRESHOLDS, criterion=["correct", "max_error", "loss"], threshold=0.3, hidden=[1, 2, 8]
    ),
    "float32": make_study(
        loss_thresholds=THRESHOLDS, dtype="float32", optimizer=["adam", "momentum"], batch=[3, 1], hidden=3
    ),
    "late": make_study(
        loss_thresholds=THRESHOLDS, from_step=[0, 7], divergence_threshold=[2.5, 1e3], learning_rate=0.2
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study, not to be changed."""
    place = tmp_path_factory.mktemp("thresholds") / "r"
    run_in_parts(STUDY, out=place, part_runs=9)
    return place


@pytest.mark.parametrize("name", some_compiled(STUDIES, {"loss", "none"}.__contains__))
def test_rows_as_oracle(name: str) -> None:
    """The columns of loss thresholds equal the oracle's, and come last."""
    study = STUDIES[name]
    result = sweep.run(study)
    rows = result.runs()
    assert_same_table(rows, expected_runs(study))
    assert result.facts["digest"] == digest_of(rows)
    assert list(rows.columns[-5:]) == [f"steps_to_{threshold}" for threshold in ("3", "1", "0.3", "0.1", "0.01")]
    found = rows[target_names(study)].to_numpy()
    assert found.dtype == np.int32
    assert (found == -1).any()
    assert (found > 0).any()


def test_other_columns_do_not_change() -> None:
    """The other columns do not depend on loss thresholds."""
    plain = sweep.run(make_study(count=30)).runs()
    pd.testing.assert_frame_equal(sweep.run(STUDY).runs(list(plain.columns)), plain)
    assert "record" not in make_study().canonical()


def test_same_steps_as_a_swept_threshold() -> None:
    """A column has the steps of the runs that converge in a study with this convergence threshold."""
    recorded = sweep.run(make_study(count=50, loss_thresholds=THRESHOLDS, criterion="none"))
    twin = sweep.run(make_study(count=50, threshold=sorted(THRESHOLDS, reverse=True)))
    rows, swept = recorded.runs(), twin.runs()
    for target, name in zip(sorted(THRESHOLDS, reverse=True), target_names(STUDY), strict=True):
        own = swept[swept["threshold"] == target].reset_index(drop=True)
        steps = own["steps"].where(own["status"] == "converged", -1)
        assert rows[name].tolist() == steps.tolist()
        assert (steps >= 0).any()
    last = sweep.run(make_study(count=50, loss_thresholds=[0.01])).runs()
    converged = last["status"] == "converged"
    assert (last["steps_to_0.01"][converged] == last["steps"][converged]).all()
    assert (last["steps_to_0.01"][~converged] == -1).all()


def test_trace_prints_loss_thresholds(folder: Path) -> None:
    """A trace prints the stored steps, and names a column that differs."""
    result = open_result(folder)
    rows = result.runs()
    run = int(rows.index[rows["steps_to_0.3"] > 0][0])
    traced = sweep.trace(result, run)
    assert traced.mismatches == {}
    assert traced.threshold_steps[0.3] == rows["steps_to_0.3"][run]
    first = np.flatnonzero(traced.losses < 0.3)[0]
    assert traced.evaluated_at[first] == traced.threshold_steps[0.3]
    assert f"below 0.3 at step {traced.threshold_steps[0.3]}\n" in traced.text()


def test_changed_steps_are_found(folder: Path, tmp_path: Path) -> None:
    """Steps to a threshold out of range are detected without training, other wrong ones by training again."""
    rows = open_result(folder).runs()
    run = int(rows.index[rows["steps_to_0.3"] > 1][0])
    last = int(rows["steps"][run])
    at = int(rows["steps_to_0.3"][run])
    for steps in (last + 1, -2):
        forged = forge_run(copy_result(folder, tmp_path / str(steps)), run, **{"steps_to_0.3": steps})
        (fault,) = sweep.verify(forged).faults
        assert f"steps_to_0.3 of its run {run} must be from -1 to {last}, got {steps}" in fault
    forged = forge_run(copy_result(folder, tmp_path / "later"), run, **{"steps_to_0.3": at - 1})
    assert sweep.verify(forged).faults == []
    (fault,) = sweep.verify(forged, sample=-1).faults
    assert "training gives other bits in column 'steps_to_0.3'" in fault
    traced = sweep.trace(open_result(forged), run)
    assert traced.mismatches == {"steps_to_0.3": at - 1}
    assert sweep.verify(folder, sample=-1).faults == []


def test_reuse_needs_all_thresholds(folder: Path, tmp_path: Path) -> None:
    """Rows are reused for fewer loss thresholds or none, but not for one that they lack."""
    for thresholds in (THRESHOLDS[:2], [], [1.0]):
        study = make_study(count=40, loss_thresholds=thresholds)
        result = sweep.run(study, reuse=[folder])
        assert result.facts["digest"] == sweep.run(study).facts["digest"]
        assert result.facts["reused_steps"] > 0
    study = make_study(count=30, loss_thresholds=[1.0, 0.5])
    result = sweep.run(study, reuse=[folder])
    assert result.facts["digest"] == sweep.run(study).facts["digest"]
    assert result.facts["reused_steps"] == 0
    finished = command("run", write_study(tmp_path / "s.toml", study), "--out", tmp_path / "r", "--reuse", folder)
    assert "no run has all record.loss_thresholds in" in finished.err
    plain = tmp_path / "plain"
    sweep.run(make_study(count=30), out=plain)
    assert sweep.run(STUDY, reuse=[plain, folder]).facts["lane_occupancy"] == 1


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"loss_thresholds": ["a"]}, ("record.loss_thresholds", "'a'", "finite number above 0")),
        ({"loss_thresholds": [True]}, ("record.loss_thresholds", "True")),
        ({"loss_thresholds": [0.5, 0.0]}, ("record.loss_thresholds", "0.0", "above 0")),
        ({"loss_thresholds": [float("inf")]}, ("record.loss_thresholds", "inf", "finite")),
        ({"loss_thresholds": [float("nan")]}, ("record.loss_thresholds", "nan", "finite")),
        ({"loss_thresholds": [0.5, 1.0, 0.5]}, ("record.loss_thresholds", "0.5", "twice")),
        ({"loss_thresholds": [1.0 * k for k in range(1, 18)]}, ("record.loss_thresholds", "17", "16")),
        ({"loss_thresholds": []}, ("record.loss_thresholds", "empty list")),
        ({"loss_thresholds": [[1.0]]}, ("record.loss_thresholds", "[1.0]")),
        ({"losses": True}, ("record", "'losses'", "loss_thresholds")),
        (3, ("record", "table")),
    ],
)
def test_invalid_thresholds(record: Any, words: tuple[str, ...]) -> None:
    """Each fault is reported in one sentence."""
    with refused(*words):
        Study(data={"task": "xor"}, network={"hidden": 2}, training={"learning_rate": 0.1}, record=record)


def test_thresholds_of_commands(tmp_path: Path) -> None:
    """Loss thresholds are changed by --set, and need rows."""
    planned = command("plan", "xor", "--set", "record.loss_thresholds=0.1,1", "--set", "seeds.count=3")
    assert "record.loss_thresholds  1, 0.1" in planned.out
    run = ("run", "xor", "--out", tmp_path / "r", "--set", "record.loss_thresholds=[0.1]")
    assert_refused(command(*run, "--keep", "cells"), ("keep: must be 'runs'", "record.loss_thresholds"))
    assert_refused(command(*run, "--set", "record.loss_thresholds=-1"), ("record.loss_thresholds", "-1"))
    assert_refused(command(*run, "--set", "record.target=1"), ("record.target",))
    small = {"dtype": "float32", "record.loss_thresholds": [1e-50]}
    with pytest.raises(StudyError, match=r"record.loss_thresholds: .* rounding to float32, got 1e-50"):
        load_study("xor", small)


def test_forms_and_order_of_thresholds() -> None:
    """Loss thresholds are a list in any order, a number, or spaced numbers; the canonical form is descending."""
    one = make_study(loss_thresholds=[0.01, 1.0, 0.1])
    for values in ([1, 0.1, 0.01], np.array([0.1, 0.01, 1.0]), {"geomspace": [1.0, 0.01, 3]}):
        other: Any = values
        assert make_study().identity != load_study_with(other).identity == one.identity
    assert one.canonical()["record"] == {"loss_thresholds": [1.0, 0.1, 0.01]}
    assert load_study_with(0.1).record.loss_thresholds == (0.1,)
    names = [column.name for column in runs_columns(load_study_with([1e-5, 2.5, 1e22]))][-3:]
    assert names == ["steps_to_1e+22", "steps_to_2.5", "steps_to_1e-05"]


def load_study_with(thresholds: Any) -> Study:
    """Return the small study with these loss thresholds."""
    tables = make_study().canonical()
    return Study(**{**tables, "record": {"loss_thresholds": thresholds}})
