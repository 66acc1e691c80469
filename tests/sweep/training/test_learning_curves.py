"""Recorded learning curves equal those of the oracle, and end like the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import sweep
from sweep import StoreError, Study, StudyError, SweepError
from sweep.figures import draw
from sweep.schemas.run_columns import curves_columns
from sweep.training.networks import curve_recorder
from tests.kernels.support import some_compiled
from tests.sweep.expected import expected_runs
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_same_table, command, make_study, write_study
from tests.sweep.training.test_network_measures import CLASSES

TESTED = {"task": "parity", "bits": 3, "train_count": 5}


def recording(seeds: int = 2, steps: Any = None, measures: tuple[str, ...] = (), **options: Any) -> Study:
    """Return a small study that records the curves of some seeds."""
    curves = {"seeds": seeds} | ({} if steps is None else {"steps": steps})
    return Study(
        **make_study(**{"count": 5, **options}).canonical() | {"record": {"curves": curves, "measures": measures}}
    )


STUDIES = {
    "ends of every kind": recording(
        3, count=4, learning_rate=[0.05, 0.2, 30.0], hidden=[1, 4], max_steps=[20, 100], threshold=0.1
    ),
    "batches": recording(2, [0, 3, 7, 20], batch=[1, 3, 4], order="shuffled", hidden=2, max_steps=50, criterion="none"),
    "test patterns": recording(2, data=TESTED, batch=[2, 5], activation="tanh", max_steps=30),
    "tested batches": recording(
        2, [0, 3, 7, 20], data=TESTED, batch=[2, 5], order="shuffled", hidden=2, max_steps=50, criterion="none"
    ),
    "classes": recording(
        2, {"range": [0, 40, 8]}, learning_rate=[0.1, 1.0], optimizer="adam", dtype="float32", threshold=0.3, **CLASSES
    ),
    "patience": recording(3, learning_rate=[0.05, 3.0], patience=4, min_delta=0.01, hidden=2),
    "infinite losses": recording(2, criterion="max_error", threshold=1e200, scale=1e80, hidden=2),  # though converged
    "running loss": recording(
        3, [0, 3, 7, 20], ("running_loss",), criterion="running_loss", batch=[1, 3, 4], learning_rate=[0.1, 1.0]
    ),
    "only ends": recording(2, [38], batch=1, max_steps=38, hidden=2),  # 38 is within an epoch, which ends too late
    "nothing to do": recording(1, max_steps=0, hidden=2),
}


def test_curves_of_last_attempts() -> None:
    """If runs restart, a curve has the losses of the last attempt, as in its trace."""
    study = recording(3, [0, 1, 4, 9, 30], learning_rate=[0.1, 3.0], hidden=2, threshold=0.9)
    study = Study(**study.canonical() | {"restarts": {"max_restarts": 3, "after_steps": 15}})
    result = sweep.run(study)
    rows, curves = result.runs(), result.learning_curves()
    assert rows["restarts"].nunique() > 1
    for run, points in curves.groupby("run"):
        steps, losses = points["steps"].tolist(), sweep.trace(result, run).losses
        last = rows["steps"][run]
        assert steps == [*(step for step in (0, 1, 4, 9, 30) if step < last), last]
        assert points["train_loss"][:-1].tolist() == losses[steps[:-1]].tolist()
        assert points["train_loss"].iloc[-1] == rows["final_loss"][run]


def test_finished_without_its_curves(tmp_path: Path) -> None:
    """A finished folder that has lost its curves is not complete."""
    study = recording(1, hidden=2)
    sweep.run(study, tmp_path / "place")
    (tmp_path / "place" / "curves.parquet").unlink()
    with pytest.raises(StoreError, match=r"curves\.parquet.*missing"):
        sweep.run(study, tmp_path / "place")


def expected_curves(study: Study, chosen: list[int] | None = None) -> pd.DataFrame:
    """Return the curves by the oracle: at each step, the rows of a study whose runs end there at the latest."""
    tables = study.canonical() | {"record": {"measures": study.record.measures}}
    whole = expected_runs(Study(**tables))
    found = whole[whole["seed"] < study.seeds.base + study.record.curves.seeds].to_dict("records")
    runs = [(row, -(-study.data.n_patterns // row.get("batch", study.in_tables["batch"]))) for row in found]
    steps = [0, 1, 2, 5, 10, 20, 50, 100, 200] if chosen is None else chosen
    moved = {n_windows: {-(-step // n_windows) * n_windows for step in steps} for _, n_windows in runs}
    for step in sorted(set().union(*moved.values())):
        ends = _by_options(expected_runs(_limited(tables, step)), whole)
        for row, n_windows in runs:
            if step in moved[n_windows] and step < row["steps"]:
                end = ends[tuple(row[name] for name in _options(whole))]
                found.append({**row, **{name: end[name] for name in end if name not in ("run", "cell", "status")}})
    frame = pd.DataFrame(found).rename(columns={"final_loss": "train_loss"}).sort_values(["run", "steps"])
    return frame[[column.name for column in curves_columns(study)]].reset_index(drop=True)


def _limited(tables: dict[str, Any], step: int) -> Study:
    """Return the study with this limit of steps in all cells."""
    parameters = {name: values for name, values in tables["parameters"].items() if name != "max_steps"}
    training = {**tables["training"], "max_steps": step}
    return Study(**{**tables, "parameters": parameters, "training": training})


def _options(whole: pd.DataFrame) -> list[str]:
    """Return the columns that identify a run, without the limit of its steps."""
    columns = list(whole.columns)
    return [name for name in columns[2 : columns.index("status")] if name != "max_steps"]


def _by_options(ends: pd.DataFrame, whole: pd.DataFrame) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return rows by seed and swept options."""
    return {tuple(row[name] for name in _options(whole)): row for row in ends.to_dict("records")}


@pytest.mark.parametrize(
    "name", some_compiled(STUDIES, {"ends of every kind", "tested batches", "patience"}.__contains__)
)
def test_curves_of_the_oracle(name: str, tmp_path: Path) -> None:
    """Loss, correct outputs and test measures equal the oracle's at each point, in memory and in a folder."""
    study = STUDIES[name]
    steps = None if study.record.curves.steps is None else list(study.record.curves.steps)
    result = sweep.run(study)
    assert_same_table(result.learning_curves(), expected_curves(study, steps))
    assert_same_table(result.runs(), expected_runs(study))
    with mock.patch.object(curve_recorder, "_BLOCK_NUMBERS", 1):
        again = run_in_parts(study, out=tmp_path / "r", part_runs=4)
    pd.testing.assert_frame_equal(again.learning_curves(), result.learning_curves())
    pd.testing.assert_frame_equal(again.runs(), result.runs())
    assert sweep.verify(tmp_path / "r", sample=-1).intact


def test_rows_are_as_without_curves() -> None:
    """Curves change neither rows nor digest."""
    study = STUDIES["ends of every kind"]
    tables = study.canonical()
    del tables["record"]
    plain, result = sweep.run(Study(**tables)), sweep.run(study)
    assert plain.facts["digest"] == result.facts["digest"]
    assert set(result.learning_curves()["status"]) >= {"converged", "diverged", "exhausted"}


@pytest.mark.wide
def test_values_without_a_cell() -> None:
    """Values that no cell combines are refused, and so are values that contradict a cell number."""
    options: dict[str, Any] = {"data": {"task": "xor"}, "seeds": {"count": 2}, "record": {"curves": {"seeds": 2}}}
    options |= {"zip": [{"hidden": [2, 3], "learning_rate": [0.1, 0.2]}], "parameters": {"optimizer": ["gd", "adam"]}}
    result = sweep.run(Study(**options))
    apart = {"hidden": 2, "learning_rate": 0.2}
    for ask in (result.learning_curves, result.best, lambda at: draw(result, "lines", at=at)):
        with pytest.raises(SweepError, match=r"no cell of the study has hidden 2 and learning_rate 0\.2 together"):
            ask(at=apart)
    with pytest.raises(SweepError, match=r"cell 0 does not have the values at \{'hidden': 3\}"):
        result.learning_curves(0, at={"hidden": 3})
    assert set(result.learning_curves(0, at={"hidden": 2})["cell"]) == {0}


@pytest.mark.wide
def test_choice_of_curves() -> None:
    """Curves are chosen by cell or by values of parameters; anything else is refused in one sentence."""
    result = sweep.run(STUDIES["tested batches"])
    every = result.learning_curves()
    assert list(every["cell"].unique()) == list(range(4))
    assert set(result.learning_curves(2)["cell"]) == {2}
    some = result.learning_curves(at={"batch": [5]})
    pd.testing.assert_frame_equal(some, every[every["batch"] == 5].reset_index(drop=True))
    for call, options in (
        (lambda: result.learning_curves(4), "cell: must be an integer from 0 to 3, got 4"),
        (lambda: result.learning_curves(at={"hiden": [2]}), "'hiden' is not swept"),
        (lambda: sweep.run(make_study(count=1)).learning_curves(), "learning curves were not recorded; run the study"),
        (
            lambda: run_in_parts(recording(1), part_runs=2, max_runs=2).learning_curves(),
            "recorded once all runs are trained",
        ),
        (lambda: sweep.run(recording(1), keep="cells"), "keep: must be 'runs' with record.curves"),
    ):
        with pytest.raises((StoreError, StudyError, SweepError), match=options):
            call()


def test_an_interrupted_study_is_finished_with_curves(tmp_path: Path) -> None:
    """After a kill before or during the recording of curves, the same command records them."""
    study = recording(2, hidden=2)
    expected = sweep.run(study).learning_curves()
    assert not run_in_parts(study, out=tmp_path / "r", part_runs=2, max_runs=4).complete
    with (
        mock.patch.object(curve_recorder.CurveRecorder, "record", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        run_in_parts(study, out=tmp_path / "r", part_runs=2)
    assert not (tmp_path / "r" / "curves.parquet").exists()
    with pytest.raises(StoreError, match="not complete"):
        sweep.open_result(tmp_path / "r")
    result = run_in_parts(study, out=tmp_path / "r", part_runs=2)
    pd.testing.assert_frame_equal(result.learning_curves(), expected)
    pd.testing.assert_frame_equal(sweep.open_result(tmp_path / "r").learning_curves(), expected)


def test_the_last_shard_records_the_curves(tmp_path: Path) -> None:
    """Curves are recorded for shards in one folder, merged shards, adaptive seeds and reused rows."""
    study = recording(2, hidden=[2, 3])
    expected = sweep.run(study).learning_curves()
    for part in (1, 2):
        assert not (tmp_path / "shared" / "curves.parquet").exists()
        shared = run_in_parts(study, out=tmp_path / "shared", part_runs=3, shard=(part, 2))
    with (
        mock.patch.object(curve_recorder.CurveRecorder, "record", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        sweep.run(study, out=tmp_path / "rows")
    merged = sweep.merge([tmp_path / "rows"], tmp_path / "merged")
    tables = study.canonical()
    del tables["record"]
    sweep.run(Study(**tables), out=tmp_path / "plain")
    reused = sweep.run(study, out=tmp_path / "reused", reuse=tmp_path / "plain")
    assert reused.facts["reused_steps"] == reused.facts["net_steps"]
    for result in (shared, merged, reused):
        pd.testing.assert_frame_equal(result.learning_curves(), expected)
    seeds = {"count": 60, "until": {"width": 0.3, "first": 4}}
    adaptive = sweep.run(Study(**tables | {"seeds": seeds, "record": {"curves": {"seeds": 30}}}))
    rows = adaptive.runs()
    assert 4 * 4 < len(rows) < 60 * 4
    assert set(adaptive.learning_curves()["run"]) == set(rows.loc[rows["seed"] < 30, "run"])


def test_a_curve_must_end_like_its_row(tmp_path: Path) -> None:
    """If a row does not fit its curve, the study does not become complete."""
    study = recording(2, hidden=2)
    trained = curve_recorder.column_values

    def changed(table: Any, column: Any) -> Any:
        return trained(table, column) + (column.name == "final_loss")

    with (
        mock.patch.object(curve_recorder, "column_values", changed),
        pytest.raises(StoreError, match=r"the learning curve of run 0 does not end like its row: final_loss .* in the"),
    ):
        sweep.run(study, out=tmp_path / "r")
    assert sweep.run(study, out=tmp_path / "r").complete


@pytest.mark.wide
def test_the_file_explains_itself(tmp_path: Path) -> None:
    """Each column of curves.parquet has unit and meaning."""
    path = write_study(tmp_path / "s.toml", make_study(batch=[1, 4], hidden=2, count=3))
    assert "record.curves" not in command("plan", path).out
    planned = command("plan", path, "--set", "record.curves={seeds=2}").out
    assert "2 of 3 seeds per cell; their runs are trained twice" in planned
    options = ("run", path, "--set", "record.curves={seeds=2,steps=[4]}", "--out", tmp_path / "r")
    assert command(*options).code == 0
    schema = pq.read_schema(tmp_path / "r" / "curves.parquet")
    columns = ["run", "cell", "seed", "batch", "learning_rate", "status", "steps", "epochs", "train_loss", "n_correct"]
    assert sorted(schema.names) == sorted(columns)
    assert all(field.metadata[b"description"] for field in schema)
    assert schema.field("train_loss").metadata[b"unit"] == b"loss"
    assert schema.metadata[b"identity"].decode() == sweep.open_result(tmp_path / "r").facts["identity"]
    assert np.array_equal(sweep.open_result(tmp_path / "r").learning_curves(0)["steps"].unique()[:1], [4])
    assert command("run", path, "--overwrite", "--out", tmp_path / "r").code == 0
    assert not (tmp_path / "r" / "curves.parquet").exists()


def test_curves_of_runs_that_converge_although_their_loss_overflows() -> None:
    """The last point has the correct outputs and the accuracy of the row, although a test of the network has none."""
    options = {"hidden": 2, "learning_rate": 0.1, "output": "sigmoid", "criterion": "max_error", "threshold": 2.0}
    overflows = {"weight_decay": 0.5, "penalty": True, "bias_scale": 1e160}
    tables = make_study(2, **options, **overflows, curves={"seeds": 2}).canonical()
    result = sweep.run(Study(**tables | {"record": tables["record"] | {"measures": ["train_accuracy"]}}), threads=1)
    rows = result.runs()
    assert set(rows["status"]) == {"converged"}
    assert np.isinf(rows["final_loss"]).all()
    assert (rows["train_accuracy"] == rows["n_correct"] / 4).all()
    assert rows["train_accuracy"].any()
