"""Stored runs are traced from their rows, and every changed bit is detected."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

import sweep
from sweep import Study, open_result, trace
from tests.sweep.expected import OUTCOME
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import command, forge, make_study, replace_value

STUDY = make_study(count=10, learning_rate=[0.2, 30.0, 1e-30], hidden=[3, 2], bias=[True, False])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study, not to be changed."""
    path = tmp_path_factory.mktemp("replay") / "r"
    run_in_parts(STUDY, out=path, part_runs=25)
    return path


def test_every_run_is_traced_from_its_row(folder: Path) -> None:
    """A run trained again alone equals its row."""
    result = open_result(folder)
    statuses = set()
    for run in range(0, STUDY.n_runs, 7):
        traced = trace(result, run)
        assert traced.mismatches == {}
        row = result.row(run)
        assert (traced.cell, traced.seed) == (row["cell"], row["seed"])
        assert {name: getattr(traced, name) for name in OUTCOME} == {name: row[name] for name in OUTCOME}
        statuses.add(traced.status)
    assert len(statuses) >= 3


def test_command_traces_a_stored_run(folder: Path) -> None:
    """`sweep trace DIR --run ID` prints the trace and ends with code 0 if the row is equal."""
    finished = command("trace", folder, "--run", "31")
    assert (finished.code, finished.err) == (0, "run 31 is equal to its stored row\n")
    assert finished.out == trace(open_result(folder), 31).text()


CHANGES: dict[str, Any] = {
    "status": "exhausted",
    "steps": 17,
    "initial_loss": 0.75,
    "final_loss": 1e-9,
    "n_correct": 1,
    "max_error": 0.125,
}


@pytest.mark.parametrize("column", CHANGES)
def test_changed_row_is_a_mismatch(folder: Path, tmp_path: Path, column: str) -> None:
    """A forged row ends with code 3 and the name of the column; other rows are equal."""
    row = open_result(folder).row(50)
    assert row[column] != CHANGES[column]
    forged = forge(folder, tmp_path / "r", lambda table: replace_value(table, 50, column, CHANGES[column]))
    finished = command("trace", forged, "--run", "50")
    assert finished.code == 3
    (line,) = finished.err.splitlines()
    assert line.startswith("mismatch")
    assert re.search(rf"\b{column}\b", line)
    assert repr(CHANGES[column]) in line
    assert repr(row[column]) in line
    assert finished.out == command("trace", folder, "--run", "50").out
    assert trace(open_result(forged), 50).mismatches == {column: CHANGES[column]}
    assert command("trace", forged, "--run", "51").code == 0


@pytest.mark.parametrize(
    ("column", "value"), [("seed", 3), ("cell", 2), ("learning_rate", 0.25), ("hidden", 8), ("bias", True)]
)
def test_changed_setting_is_a_mismatch(folder: Path, tmp_path: Path, column: str, value: Any) -> None:
    """A row whose seed, cell or parameter does not fit its number is a mismatch."""
    assert open_result(folder).row(50)[column] != value
    forged = forge(folder, tmp_path / "r", lambda table: replace_value(table, 50, column, value))
    finished = command("trace", forged, "--run", "50")
    assert finished.code == 3
    assert re.search(rf"\b{column}\b", finished.err)


def test_last_bit_counts(folder: Path, tmp_path: Path) -> None:
    """The smallest possible difference is a mismatch."""
    wrong = math.nextafter(open_result(folder).row(0)["initial_loss"], 0)
    forged = forge(folder, tmp_path / "r", lambda table: replace_value(table, 0, "initial_loss", wrong))
    assert command("trace", forged, "--run", "0").code == 3


@pytest.mark.wide
@pytest.mark.parametrize("stored", [-0.0, math.nan])
def test_sign_of_zero_counts(tmp_path: Path, stored: float) -> None:
    """A stored -0.0 or NaN instead of 0.0 is a mismatch, as in the digest."""
    study = Study(  # outputs so small that their squares are 0
        data={"inputs": [[0.0, 0.0]] * 22, "targets": [[0.0]] * 22},
        network={"hidden": 2},
        initial_weights={"scale": 1e-200},
        training={"learning_rate": 0.1, "max_steps": 3},
        seeds={"count": 2},
    )
    sweep.run(study, out=tmp_path / "r")
    assert math.copysign(1, open_result(tmp_path / "r").row(1)["final_loss"]) == 1
    assert open_result(tmp_path / "r").row(1)["final_loss"] == 0
    forged = forge(tmp_path / "r", tmp_path / "f", lambda table: replace_value(table, 1, "final_loss", stored))
    finished = command("trace", forged, "--run", "1")
    assert finished.code == 3
    assert f"mismatch: final_loss is 0.0, stored as {stored!r}" in finished.err
    assert command("trace", forged, "--run", "0").code == 0


@pytest.mark.parametrize("run", [-1, 120])
def test_run_out_of_range(folder: Path, run: int) -> None:
    """For a number out of range, the error names the valid runs."""
    finished = command("trace", folder, "--run", str(run))
    assert (finished.code, finished.out) == (2, "")
    assert f"got {run}" in finished.err
    assert "0 to 119" in finished.err


def test_options_of_a_study_are_refused_with_a_run(folder: Path) -> None:
    """A stored run is traced without changes."""
    for option in (("--seed", "1"), ("--set", "hidden=2")):
        finished = command("trace", folder, "--run", "0", *option)
        assert (finished.code, finished.out) == (2, "")
        assert "--run" in finished.err
