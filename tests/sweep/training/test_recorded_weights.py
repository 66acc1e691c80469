"""Recorded weights equal the oracle's; they are read by cell, traced, verified and used to predict."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sweep
from sweep import StoreError, Study, StudyError, SweepError
from tests.sweep.expected import naive_rows, train_with_oracle
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import command, forge, make_study, replace_value, tree

OPTIONS: dict[str, Any] = {"activation": "tanh", "hidden": [2, 3], "learning_rate": [0.3, 1e3], "max_steps": 12}


def recorded(which: str = "both", **options: Any) -> Study:
    """Return a small study, some of whose runs diverge, that records weights."""
    tables = make_study(**{**OPTIONS, "count": 4, **options}).canonical()
    return Study(**tables | {"record": {**tables.get("record", {}), "weights": which}})


@pytest.mark.parametrize(
    "options",
    [{}, {"dtype": "float32", "hidden": ["2", "3-2"], "skip": True}, {"dtype": ["float64", "float32"]}],
    ids=["", "deep", "dtypes"],
)
def test_weights_of_the_oracle(options: dict[str, Any]) -> None:
    """Weights of each cell equal the oracle's, and the digest does not depend on parts."""
    study = recorded(**options)
    whole, parts = sweep.run(study), run_in_parts(study, part_runs=3)
    assert whole.facts["digest"] == parts.facts["digest"]
    rows = naive_rows(study)
    for cell in range(study.n_cells):
        expected = train_with_oracle(study, [row for row in rows if row["cell"] == cell])
        for result in (whole, parts):
            final = result.weights(cell)
            found = np.concatenate([array.reshape(len(array), -1) for array in final.values()], axis=1)
            assert found.dtype == study.widest_dtype
            assert np.array_equal(found, expected.weights, equal_nan=True)
    start = whole.weights(0, "initial")
    assert list(start) == list(whole.weights(0))
    assert np.array_equal(start["v"], sweep.run(recorded(**options, max_steps=0)).weights(0)["v"])


def test_weights_at_the_best_validation(tmp_path: Path) -> None:
    """They are recorded afterward too, and predict what rows say of the best validation."""
    data = {"task": "spiral", "n": 10, "test_count": 6, "validation_count": 4}
    options: dict[str, Any] = {"data": data, "learning_rate": [0.3, 1e3], "output": "softmax", "loss": "cross_entropy"}
    sweep.run(make_study(**OPTIONS | options, criterion="none", count=4), out=tmp_path / "first")
    result = sweep.record_weights(tmp_path / "first", which="best")
    test, runs = result.study.data.only.test, result.runs()
    assert test is not None
    assert (runs["steps_at_best"] < runs["steps"]).any()
    for cell, rows in runs.groupby("cell"):
        right = sweep.predict(result, test.inputs, cell, "best").argmax(2) == np.argmax(test.targets, 1)
        np.testing.assert_array_equal(right.mean(axis=1), rows["test_accuracy_at_best"])


_SPLIT = {"n": 10, "test_count": 6, "validation_count": 4}


@pytest.mark.parametrize(
    "options",
    [
        {"data": {"task": "spiral", **_SPLIT}, "output": "softmax", "loss": "cross_entropy"},
        {
            "data": {"task": "spiral", **_SPLIT},
            "output": "relu",
            "dtype": ["float32", "float64"],
        },  # outputs often equal 0
        {"data": {"task": "moons", **_SPLIT, "decision_threshold": 0.0}, "output": "relu", "split_seed": [0, 1]},
    ],
    ids=["softmax", "one-hot", "one output"],
)
def test_confusion_counts(options: dict[str, Any]) -> None:
    """Diagonals are accuracies, rows sum to the patterns of classes, columns to the networks' classes without ties."""
    study = recorded("all", **options, criterion="none")
    result = sweep.run(study)
    n_ties = 0
    for (cell, rows), of in product(result.runs().groupby("cell"), ("train", "validation", "test")):
        data = study.patterns_of(cell)
        patterns = data if of == "train" else data.held_out[of]
        targets = np.array(patterns.targets)
        true = targets.argmax(1) if targets.shape[1] > 1 else (targets[:, 0] > 0.5).astype(int)
        for which, end in (("final", ""), ("best", "_at_best")):
            counts = sweep.confusion(result, cell, which, of)
            right = counts.diagonal(axis1=1, axis2=2).sum(1) / len(targets)
            np.testing.assert_array_equal(right, rows[f"{of}_accuracy{end}"])
            lost = rows["status"] == "diverged" if which == "final" else rows["steps_at_best"] < 0
            outputs = sweep.predict(result, patterns.inputs, cell, which)
            for run, is_lost in enumerate(lost):
                assert np.array_equal(counts[run].sum(1), np.bincount(true, minlength=len(counts[run])) * (not is_lost))
                y = outputs[run]
                tied = (y == 0.0).any() if y.shape[1] == 1 else (np.sort(y, 1)[:, -1] == np.sort(y, 1)[:, -2]).any()
                n_ties += bool(tied)
                if not (is_lost or tied):
                    named = y.argmax(1) if y.shape[1] > 1 else (y[:, 0] > 0.0).astype(int)
                    assert np.array_equal(counts[run].sum(0), np.bincount(named, minlength=len(counts[run])))
    assert n_ties > 0 or options["output"] == "softmax"


def test_confusion_needs_classes() -> None:
    """Patterns that a study lacks, cells that it lacks, and targets without classes are refused."""
    result = sweep.run(recorded(hidden=2, learning_rate=0.1))
    assert sweep.confusion(result, of="train").sum() == 16
    for arguments in ({"of": "test"}, {"of": "train", "cell": 1}, {"of": "train", "cell": True}):
        with pytest.raises(SweepError, match=r"(of|cell): must be "):
            sweep.confusion(result, **arguments)
    with pytest.raises(TypeError, match="result: must be a Result"):
        sweep.confusion("results")  # type: ignore[arg-type]
    several = {"inputs": [[0.0], [1.0]], "targets": [[1.0, 1.0], [0.0, 1.0]]}
    with pytest.raises(SweepError, match="needs classes"):
        sweep.confusion(sweep.run(recorded(hidden=2, learning_rate=0.1, data=several)), of="train")


@pytest.mark.wide
def test_a_row_is_replayed_with_its_weights(tmp_path: Path) -> None:
    """A trace compares recorded weights, and verify detects a changed one."""
    study = recorded()
    result = sweep.run(study, out=tmp_path / "result")
    trace = sweep.trace(result, 5)
    assert not trace.mismatches
    assert np.array_equal(trace.weights["w"], result.weights(1)["w"][1], equal_nan=True)
    good = sweep.trace(result, 2)
    assert np.array_equal(sweep.predict(result, good.inputs, 0)[2], good.predictions)
    assert sweep.verify(tmp_path / "result", sample=-1).intact

    def change(table: pa.Table) -> pa.Table:
        weights = table["final_weights"][0].as_py()
        weights[1] = float(np.nextafter(weights[1], 9.0))
        return replace_value(table, 0, "final_weights", weights)

    forge(tmp_path / "result", tmp_path / "forged", change)
    (fault,) = sweep.verify(tmp_path / "forged", sample=-1).faults
    assert "training gives other bits in column 'final_weights'" in fault
    assert sweep.trace(sweep.open_result(tmp_path / "forged"), 0).mismatches.keys() == {"final_weights"}


def test_predictions_for_any_inputs(tmp_path: Path) -> None:
    """Predictions equal formulas written out, for each run, with final and with initial weights."""
    result = sweep.run(recorded(hidden=3, learning_rate=0.1), out=tmp_path / "result")
    inputs = np.array([[0.5, -1.0], [3.0, 2.0], [0.0, 0.0]])
    for which in ("final", "initial"):
        w = result.weights(0, which)
        for run in range(4):
            hidden = np.tanh(inputs @ w["w"][run] + w["b"][run])
            expected = hidden @ w["v"][run] + w["c"][run]
            np.testing.assert_allclose(sweep.predict(result, inputs, 0, which)[run], expected, rtol=1e-13)


TABLE = np.random.default_rng(4).normal([5.0, -200.0], [3.0, 70.0], (12, 2))
TABLE_DATA = {"inputs": TABLE.tolist(), "targets": (TABLE[:, 0] > 5).astype(float).tolist()}
MOONS = {"task": "moons", "n": 12, "noise": 0.3, "data_seed": "seed"}


@pytest.mark.parametrize(
    ("data", "swept"),
    [
        ({**TABLE_DATA, "folds": 3}, {}),
        ({**TABLE_DATA, "test_count": 4}, {"split_seed": [3, 5]}),
        ({**TABLE_DATA, "folds": 3, "test": TABLE_DATA}, {"validation_seed": [0, 1]}),
        ({**TABLE_DATA, "train": [0, 3, 4, 7]}, {}),
        ({**MOONS, "test_count": 4}, {}),
        ({**MOONS, "test": TABLE_DATA}, {}),
    ],
    ids=["folds", "splits", "both", "one set", "drawn", "drawn and shared"],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_predictions_for_rows_as_the_study_got_them(data: dict[str, Any], swept: dict[str, Any], dtype: str) -> None:
    """Rows are standardized by the mean and the deviation of the patterns on which each network was trained."""
    options = {**swept, "hidden": 3, "learning_rate": 0.1, "criterion": "none", "dtype": dtype}
    raw = recorded(data=data, **options)
    result = sweep.run(recorded(data={**data, "standardize": True}, **options))
    rows, exact = TABLE * 1.5 + 1, 1e-12 if dtype == "float64" else 1e-4
    for cell in range(raw.n_cells):
        w, found = result.weights(cell), sweep.predict(result, rows, cell)
        for run, row in enumerate(result.runs().query(f"cell == {cell}").to_dict("records")):
            trained = np.array(raw.patterns_of(cell, row["seed"]).inputs)
            hidden = np.tanh((rows - trained.mean(axis=0)) / trained.std(axis=0) @ w["w"][run] + w["b"][run])
            np.testing.assert_allclose(found[run], hidden @ w["v"][run] + w["c"][run], rtol=exact, atol=exact)
            own = sweep.predict(result, trained, cell)[run]
            np.testing.assert_array_equal(own, sweep.trace(result, row["run"]).predictions)
    if "test" in data:
        right = np.trace(sweep.confusion(result), axis1=1, axis2=2)
        assert right.tolist() == result.runs().query("cell == 0")["n_test_correct"].tolist()


def test_second_pass(tmp_path: Path) -> None:
    """A finished result is trained again into another folder, with the same rows."""
    study = make_study(**OPTIONS, count=4, loss_thresholds=(1.0, 0.5))
    first = sweep.run(study, out=tmp_path / "first")
    before = tree(tmp_path / "first")
    second = sweep.record_weights(tmp_path / "first")
    assert tree(tmp_path / "first") == before
    assert second.place == str(tmp_path / "first-weights")
    assert first.runs().equals(second.runs(list(first.runs().columns)))
    assert np.array_equal(second.weights(1)["b"], sweep.run(recorded("final")).weights(1)["b"], equal_nan=True)
    finished = command("weights", tmp_path / "first", "--out", tmp_path / "other", "--which", "initial")
    assert finished.code == 0
    assert finished.out.startswith("initial weights of 16 runs in ")
    forged = forge(tmp_path / "first", tmp_path / "forged", lambda table: replace_value(table, 0, "max_error", 7.0))
    with pytest.raises(StoreError, match="must have the digest"):
        sweep.record_weights(forged, tmp_path / "again")


@pytest.mark.parametrize(
    ("call", "error", "options"),
    [
        (lambda result: result.weights(9), SweepError, "cell: must be an integer from 0 to 3, got 9"),
        (lambda result: result.weights(True), SweepError, r"cell: must be .* got True"),
        (lambda result: result.weights(0, "last"), SweepError, "which: must be 'final', 'initial' or 'best', got"),
        (lambda result: result.weights(0, "initial"), StoreError, "initial weights were not recorded; 'sweep weights"),
        (
            lambda result: sweep.predict(result, [1, 2]),
            SweepError,
            r"inputs: must be rows of 2 numbers .*, got \[1, 2\]",
        ),
        (lambda result: sweep.predict(result, [["0", "1"]]), SweepError, "must be rows of 2 numbers"),
        (lambda result: sweep.predict(result, [[np.nan, 1]]), SweepError, "must be rows of 2 numbers that are finite"),
        (lambda result: sweep.predict(result, [[10**400, 1]]), SweepError, "must be rows of 2 numbers"),
        (lambda result: sweep.predict("folder", [[0, 1]]), TypeError, "result: must be a Result, .*, got str"),
        (lambda result: sweep.run(result.study, keep="cells"), StudyError, "keep: must be 'runs' with record.weights"),
    ],
)
def test_refusals(call: Any, error: type[Exception], options: str) -> None:
    """Invalid arguments are refused in one sentence."""
    result = sweep.run(recorded("final", max_steps=1))
    with pytest.raises(error, match=options):
        call(result)


def test_results_without_weights_say_how_to_get_them(tmp_path: Path) -> None:
    """Results without weights or rows are refused with a remedy."""
    result = sweep.run(make_study(**OPTIONS), out=tmp_path / "cells", keep="cells")
    with pytest.raises(StoreError, match="keeps cells only"):
        result.weights()
    with pytest.raises(StoreError, match="has no rows; weights can be recorded only"):
        sweep.record_weights(tmp_path / "cells")
    with pytest.raises(SweepError, match="must be 'final', 'initial', 'both', 'best' or 'all'"):
        sweep.record_weights(tmp_path / "cells", which="first")


def test_existing_weights(tmp_path: Path) -> None:
    """A result with initial weights is trained again for both; one with both is neither trained nor overwritten."""
    first = sweep.run(recorded("initial"), out=tmp_path / "first")
    again = sweep.record_weights(tmp_path / "first")
    assert np.array_equal(again.weights(0, "initial")["w"], first.weights(0, "initial")["w"])
    assert again.weights(0)["w"].shape == (4, 2, 2)
    before = tree(tmp_path / "first")
    with pytest.raises(SweepError, match="already has its initial weights"):
        sweep.record_weights(tmp_path / "first", which="initial")
    with pytest.raises(SweepError, match="out: must be another folder"):
        sweep.record_weights(tmp_path / "first", f"{tmp_path / 'first'}/", overwrite=True)
    assert tree(tmp_path / "first") == before


def test_rows_are_not_reused_where_weights_are_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All runs are trained, and a line says why."""
    sweep.run(make_study(**OPTIONS, count=4), out=tmp_path / "first")
    again = sweep.run(recorded("final"), out=tmp_path / "again", reuse=[tmp_path / "first"], progress=True)
    assert again.facts["reused_steps"] == 0
    assert "measures and weights of networks need new training" in capsys.readouterr().err
    assert again.weights(0)["w"].shape == (4, 2, 2)


def test_weights_belong_to_the_study() -> None:
    """A study without recorded weights keeps its identity."""
    study = make_study(**OPTIONS)
    assert Study(**study.canonical() | {"record": {"weights": "none"}}) == study
    assert recorded("final") != study
    with pytest.raises(StudyError, match=r"record.weights: must be one of 'none', .*'best' or 'all', got 'first'"):
        recorded("first")
