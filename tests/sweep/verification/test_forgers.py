"""Forged results with matching checksums and digests are detected, as far as that needs no training."""

from __future__ import annotations

from contextlib import suppress
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sweep
from sweep import StoreError, StudyError, open_result
from sweep.verification.sample import Sample
from tests.sweep.forgers import commit_path, finish_forged, forge_parts, forge_record, forge_run
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_refused, command, copy_result, make_commit, make_study

STUDY = make_study(count=30, learning_rate=[0.2, 0.05], hidden=[3, 2], from_step=5, name="forged")
N_PARTS = 6
CONVERGED, EXHAUSTED = 68, 33  # the runs that the tests forge


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study, not to be changed."""
    folder = tmp_path_factory.mktemp("true") / "r"
    rows = run_in_parts(STUDY, out=folder, part_runs=20).runs()
    assert rows["status"][CONVERGED] == "converged"
    assert rows["status"][EXHAUSTED] == "exhausted"
    return folder


@pytest.fixture
def folder(true: Path, tmp_path: Path) -> Path:
    """Return a copy to forge."""
    return copy_result(true, tmp_path / "r")


EDITS: list[tuple[dict[str, Any], str]] = [
    ({"steps": -5}, "steps of its run 33 must be from 0 to 60, got -5"),
    ({"steps": 61}, "steps of its run 33 must be from 0 to 60, got 61"),
    ({"n_correct": 5}, "n_correct of its run 33 must be from 0 to 4, got 5"),
    ({"initial_loss": -1.0}, "initial_loss of its run 33 must be at least 0, got -1.0"),
    ({"final_loss": -0.1}, "final_loss of its run 33 must be at least 0, got -0.1"),
    ({"max_error": -inf}, "max_error of its run 33 must be at least 0, got -inf"),
]


@pytest.mark.parametrize(("values", "why"), EDITS)
def test_values_out_of_range(folder: Path, values: dict[str, Any], why: str) -> None:
    """A value out of range is reported without training."""
    forge_run(folder, EXHAUSTED, **values)
    checked = command("verify", folder)
    assert checked.code == 1
    (fault, _) = checked.out.splitlines()
    assert why in fault


@pytest.mark.parametrize(
    ("run", "values"),
    [
        (EXHAUSTED, {"status": "converged"}),
        (CONVERGED, {"status": "exhausted", "steps": 60}),
        (CONVERGED, {"steps": 4}),
        (EXHAUSTED, {"n_correct": 1}),
        (EXHAUSTED, {"initial_loss": inf}),
        (CONVERGED, {"max_error": -0.0}),
        (EXHAUSTED, {"final_loss": nan}),
    ],
)
def test_wrong_values_within_their_range(folder: Path, run: int, values: dict[str, Any]) -> None:
    """Training again finds every wrong value of a row whose checksum, digest and statistics fit."""
    forge_run(folder, run, **values)
    assert sweep.verify(folder).intact
    (fault,) = sweep.verify(folder, sample=-1).faults
    assert f"training gives other bits in column {min(values)!r}" in fault


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [("status", "bogus", "must hold only converged"), ("steps", None, "lacks values"), ("cell", None, "lacks")],
)
def test_invalid_values(folder: Path, column: str, value: Any, why: str) -> None:
    """Unknown statuses and missing values are damage for every reader of the rows."""
    with suppress(StoreError):  # forging counts the rows, which fails too
        forge_run(folder, EXHAUSTED, **{column: value})
    (fault,) = sweep.verify(folder).faults
    assert why in fault
    with pytest.raises(StoreError, match=why):
        open_result(folder).runs()


# The second part holds exhausted runs of one cell, and exhausted and converged ones of another.
COUNTS: list[tuple[dict[str, list[Any]], str]] = [
    ({"steps": [60, -5, 60]}, "at most those that the cell allows"),
    ({"n": [10, 0, 10]}, "each count must be at least 1"),
    ({"n": [9, 2, 9]}, "must add up to its number of runs"),
    ({"cell": [3, 2, 2]}, "does not fit its runs"),
    ({"cell": [0, 2, 0]}, "in order"),
]


@pytest.mark.parametrize(("columns", "why"), COUNTS)
def test_impossible_counts(tmp_path: Path, columns: dict[str, list[Any]], why: str) -> None:
    """Counts must be those of the part's runs, and steps in their range."""
    run_in_parts(STUDY, out=tmp_path / "r", part_runs=20, keep="cells")

    def change(table: pa.Table) -> pa.Table:
        if table["n"].to_pylist() != [10, 1, 9]:
            return table
        for name, values in columns.items():
            index, field = table.schema.get_field_index(name), table.schema.field(name)
            table = table.set_column(index, field, pa.array(values).cast(field.type))
        return table

    forge_parts(tmp_path / "r", change)
    (fault,) = sweep.verify(tmp_path / "r").faults
    assert why in fault


@pytest.mark.parametrize(("row", "loss", "why"), [(0, -0.5, "at least 0"), (-1, 0.0, "in order")])
def test_impossible_counted_losses(tmp_path: Path, row: int, loss: float, why: str) -> None:
    """Counts of final losses are checked too."""
    study = make_study(count=20, hidden=2, learning_rate=[0.1, 0.2], criterion="none", max_steps=30)
    run_in_parts(study, tmp_path / "r", keep="cells", part_runs=40)

    def change(table: pa.Table) -> pa.Table:
        losses = table["final_loss"].to_numpy().copy()
        losses[row] = loss
        place = table.column_names.index("final_loss")
        return table.set_column(place, table.schema.field("final_loss"), pa.array(losses))

    forge_parts(tmp_path / "r", change)
    (fault,) = sweep.verify(tmp_path / "r").faults
    assert why in fault


def test_zero_with_another_sign(tmp_path: Path) -> None:
    """-0.0 equals 0.0, but has another digest, so it is damage."""
    data = {"inputs": [[0.0, 0.0]] * 4, "targets": [[0.0]] * 4}
    study = make_study(data=data, bias_scale=0.0, learning_rate=[0.0, 0.1], hidden=1, criterion="none", count=2)
    before = sweep.run(study, out=tmp_path / "r").runs()
    assert (before["final_loss"] == 0.0).all()
    for column in ("final_loss", "learning_rate"):
        forged = forge_run(copy_result(tmp_path / "r", tmp_path / column), 1, **{column: -0.0})
        assert not sweep.verify(forged, sample=-1).intact
        sweep.repair(forged, sample=-1)
        assert open_result(forged).facts["digest"] == open_result(tmp_path / "r").facts["digest"]


@pytest.mark.wide
def test_nan_has_diverged(tmp_path: Path) -> None:
    """A run whose loss is NaN has not converged by its errors, and a row that says so is found by training."""
    study = make_study(
        **{"data": {"inputs": [[1.0]] * 2, "targets": [[1.0]] * 2}, "hidden": 1, "bias": False, "scale": 1e200},
        **{"loss": "bce", "output": "sigmoid", "criterion": "max_error", "threshold": 0.9, "max_steps": 5, "count": 6},
    )
    with np.errstate(all="ignore"):
        rows = sweep.run(study, out=tmp_path / "r").runs()
        assert set(rows["status"]) == {"converged", "diverged"}
        assert sweep.verify(tmp_path / "r", sample=-1).intact
        run = int(np.flatnonzero(rows["status"] == "converged")[0])
        forge_run(tmp_path / "r", run, final_loss=np.nan)
        (fault,) = sweep.verify(tmp_path / "r", sample=-1).faults
    assert "training gives other bits in column 'final_loss'" in fault


@pytest.mark.parametrize("fact", ["kernel_seconds", "net_steps", "lane_occupancy", "n_runs", "reused_steps"])
def test_totals_that_commits_contradict(folder: Path, fact: str) -> None:
    """Totals in run.json must be those of the commits; a repair corrects them."""
    right = open_result(folder).facts[fact]
    forge_record(folder / "run.json", **{fact: right + 1 if isinstance(right, int) else right / 2})
    (fault,) = sweep.verify(folder).faults
    assert f"{fact!r} must be" in fault
    sweep.repair(folder)
    assert sweep.verify(folder).intact
    assert open_result(folder).facts[fact] == right


def test_commits_that_rows_contradict(folder: Path) -> None:
    """The steps in a commit must be those of its rows."""
    forge_record(commit_path(folder, 2), net_steps=1)
    finish_forged(folder)
    (fault,) = sweep.verify(folder).faults
    assert "'net_steps' of its commit must be" in fault
    sweep.repair(folder)
    assert sweep.verify(folder).intact


@pytest.mark.wide
def test_samples_cannot_be_foreseen(tmp_path: Path) -> None:
    """Each check draws other runs and prints its seed, with which the same runs can be drawn again."""
    folder, options = tmp_path / "r", ("--sample", 2, "--sample-seed")
    row = sweep.run(make_study(count=4, max_steps=5, hidden=2), out=folder).runs().loc[3]
    forge_run(folder, 3, max_error=float(np.nextafter(row["max_error"], 2)))
    assert sweep.verify(folder).intact  # every value is in its range
    outputs = [command("verify", folder, *options[:2]).out for _ in range(8)]
    assert len({line for text in outputs for line in text.splitlines() if line.startswith("sample: ")}) == 8
    checks = [command("verify", folder, *options, seed) for seed in range(12)]
    assert {check.code for check in checks} == {0, 1}
    for seed, check in enumerate(checks[:4]):
        assert ("training gives other bits" in check.out) == (check.code == 1)
        assert f"--sample-seed {seed}" in check.out
        assert command("verify", folder, *options, seed).out == check.out
    assert command("verify", folder, "--all").code == 1


def test_samples_are_drawn_from_present_runs() -> None:
    """All runs are drawn with equal probability and none twice; a sample larger than the result is all of it."""
    commits = [make_commit(part, 10 * part, 10 * part + 5) for part in (0, 2, 3)]
    drawn = np.zeros((3, 5), int)
    for seed in range(2000):
        sample = Sample(4, seed)
        sample.draw(commits)
        rows = [sample.rows_of(commit) for commit in commits]
        assert sum(map(len, rows)) == 4
        for part, each in enumerate(rows):
            drawn[part, each] += 1
    assert abs(drawn - 2000 * 4 / 15).max() < 120  # five deviations
    sample = Sample(99)
    sample.draw(commits)
    assert [sample.rows_of(commit).tolist() for commit in commits] == [[0, 1, 2, 3, 4]] * 3


def test_samples_of_counts_are_whole_parts(tmp_path: Path) -> None:
    """If only counts are kept, whole parts are trained again until they have as many runs."""
    commits = [make_commit(part, 10 * part, 10 * part + 5) for part in range(6)]
    n_drawn = dict.fromkeys(range(6), 0)
    for seed in range(600):
        sample = Sample(7, seed)
        sample.draw(commits, whole=True)
        parts = [commit.part for commit in commits if len(sample.rows_of(commit))]
        assert len(parts) == 2
        n_drawn |= {part: n_drawn[part] + 1 for part in parts}
    assert all(abs(n - 200) < 60 for n in n_drawn.values())  # five deviations
    run_in_parts(make_study(count=4, max_steps=5), out=tmp_path / "r", keep="cells", part_runs=4)
    for n_runs, n_again in ((1, 4), (4, 4), (5, 8), (99, 16)):
        printed = command("verify", tmp_path / "r", "--sample", n_runs).out
        assert f": {n_again} runs of whole parts" in printed
        assert f"intact: 16 runs in 4 parts; {n_again} trained again, with the same bits" in printed


def test_seeds_of_samples(folder: Path) -> None:
    """A seed needs a sample, and has 32 bits."""
    assert_refused(command("verify", folder, "--sample-seed", 3), ("--sample N",))
    assert_refused(command("verify", folder, "--all", "--sample-seed", 3), ("--sample N",))
    for seed in (-1, 2**32, 1.5, "x"):
        with pytest.raises(StudyError, match=f"sample_seed: must be an integer from 0 to 4294967295, got {seed!r}"):
            sweep.verify(folder, sample=3, sample_seed=seed)  # type: ignore[arg-type]
    for sample in ("x", 1.5, -2):
        with pytest.raises(StudyError, match=r"sample: must be an integer of at least 0, or -1"):
            sweep.verify(folder, sample=sample)  # type: ignore[arg-type]


def test_limits_of_a_check_are_printed(folder: Path) -> None:
    """A check or repair without training says that wrong rows may be left."""
    row = open_result(folder).runs().loc[EXHAUSTED]
    forge_run(folder, EXHAUSTED, max_error=float(np.nextafter(row["max_error"], 2)))
    for option in ([], ["--repair"]):
        printed = command("verify", folder, *option).out
        assert "not checked: whether training gives these rows" in printed
    assert "repaired: " in command("verify", folder, "--repair", "--all").out
    assert "not checked" not in command("verify", folder, "--all").out
