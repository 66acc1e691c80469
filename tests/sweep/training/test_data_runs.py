"""Studies with different patterns in each cell, and test patterns: digests, reuse, traces, checks and statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import StudyError, SweepError
from tests.sweep.expected import expected_runs, held_out_names
from tests.sweep.forgers import forge_run
from tests.sweep.in_parts import run_in_parts
from tests.sweep.support import assert_refused, assert_same_table, command, copy_result

# Functions of three inputs, with six training patterns in a different order for each network.
TABLES: dict[str, Any] = {
    "name": "functions",
    "data": {"task": "boolean", "bits": 3, "train_count": 6, "label_noise": 0.2},
    "network": {"activation": "tanh", "output": "sigmoid"},
    "training": {"batch": 4, "order": "shuffled", "max_steps": 30},
    "convergence": {"criterion": "correct", "divergence_threshold": 3.0},
    "parameters": {"function": [22, 255, 0], "hidden": [2, 3], "split_seed": [0, 4], "learning_rate": [0.5, 20.0]},
    "seeds": {"count": 4},
}
STUDY = sweep.Study(**TABLES)


def changed(**parameters: Any) -> sweep.Study:
    """Return the study with other values of some parameters."""
    return sweep.Study(**TABLES | {"parameters": TABLES["parameters"] | parameters})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the study into a folder. Do not change it."""
    folder = tmp_path_factory.mktemp("data") / "r"
    result = run_in_parts(STUDY, out=folder, part_runs=20)
    assert {"converged", "diverged", "exhausted"} <= set(result.runs()["status"])
    return folder


@pytest.mark.wide
def test_as_the_oracle(folder: Path) -> None:
    """Rows are those of each cell's patterns."""
    assert_same_table(sweep.open_result(folder).runs(), expected_runs(STUDY))


@pytest.mark.parametrize(("output", "loss"), [("sigmoid", "bce"), ("softmax", "cross_entropy"), ("tanh", "sse")])
def test_accuracies_of_classes(output: str, loss: str) -> None:
    """With targets of classes the largest output counts, and where targets are no classes all outputs do."""
    random = np.random.default_rng(4)
    inputs, classes = random.standard_normal((18, 2)).round(2).tolist(), np.eye(3)[random.integers(0, 3, 18)]
    targets = classes if output != "tanh" else random.choice([-1.0, 1.0], (18, 3))
    own, more, rest = ({"inputs": inputs[k : k + 6], "targets": targets[k : k + 6].tolist()} for k in range(0, 18, 6))
    tables: dict[str, Any] = {"data": own | {"validation": more, "test": rest}, "seeds": {"count": 3}}
    tables |= {"network": {"activation": "tanh", "output": output}, "training": {"loss": loss, "max_steps": 9}}
    tables |= {"parameters": {"hidden": [2], "learning_rate": [0.1, 30.0]}, "convergence": {"criterion": "none"}}
    runs = sweep.run(sweep.Study(**tables)).runs()
    assert_same_table(runs, expected_runs(sweep.Study(**tables)))
    del tables["data"]["validation"], tables["data"]["test"]
    recorded = sweep.run(sweep.Study(**tables, record={"measures": ["train_accuracy"]}))
    assert recorded.runs()["train_accuracy"].equals(runs["train_accuracy"])
    means = runs.groupby("cell")["train_accuracy"].mean()
    np.testing.assert_allclose(recorded.cells["train_accuracy_mean"], means, rtol=1e-15)


@pytest.mark.wide
def test_reused(folder: Path) -> None:
    """Rows of the same function, split, noise and options are reused, whatever the other values."""
    for parameters, n_taken in (
        ({"function": [5, 0, 22], "split_seed": [4, 9]}, 2 * 2 * 1 * 2 * 4),
        ({"hidden": [3]}, 48),
        ({"split_seed": [1, 2]}, 0),
    ):
        study = changed(**parameters)
        result = sweep.run(study, reuse=[folder])
        assert result.facts["digest"] == sweep.run(study).facts["digest"]
        seen = sweep.open_result(folder).runs(["function", "split_seed", "hidden", "steps"])
        for name, values in study.parameters.items():
            seen = seen[seen[name].isin(values)] if name in seen else seen
        assert len(seen) == n_taken
        assert result.facts["reused_steps"] == seen["steps"].sum()
    noisier = sweep.Study(**TABLES | {"data": TABLES["data"] | {"label_noise": 0.5}})
    assert sweep.run(noisier, reuse=[folder]).facts["reused_steps"] == 0


@pytest.mark.parametrize("run", [0, 37, 90])
def test_replayed(folder: Path, run: int) -> None:
    """A trace has the patterns of its cell, equals its row, and prints test_loss."""
    result = sweep.open_result(folder)
    trace, row = sweep.trace(result, run), result.runs().iloc[run]
    assert trace.mismatches == {}
    assert trace.measures == {name: row[name] for name in held_out_names(STUDY)}
    patterns = STUDY.patterns_of(int(row["cell"]))
    np.testing.assert_array_equal(trace.targets, patterns.targets)
    np.testing.assert_array_equal(trace.inputs, patterns.inputs)
    assert f"test_loss {float(row['test_loss'])!r}\n" in trace.text()


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"n_test_correct": 3}, "n_test_correct of its run 5 must be from 0 to 2, got 3"),
        ({"n_test_correct": -1}, "n_test_correct of its run 5 must be from 0 to 2, got -1"),
        ({"test_accuracy": 1.5}, "test_accuracy of its run 5 must be from 0 to 1.0, got 1.5"),
        ({"test_loss": -0.5}, "test_loss of its run 5 must be at least 0, got -0.5"),
    ],
)
def test_forged(folder: Path, tmp_path: Path, values: dict[str, Any], rule: str) -> None:
    """Measures of test patterns out of range are detected without training."""
    forged = forge_run(copy_result(folder, tmp_path / "r"), 5, **values)
    findings = sweep.verify(forged)
    assert any(rule in str(fault) for fault in findings.faults), findings.faults


def test_answers_by_measures_of_tests(folder: Path) -> None:
    """Statistics are those of the rows of both splits."""
    result = sweep.open_result(folder)
    rows = result.runs()
    options = ["function", "hidden", "learning_rate"]
    best = result.best("n_test_correct")
    means = rows.groupby(options)["n_test_correct"].mean()
    assert best["n_test_correct_mean"].tolist() == sorted(means, reverse=True)
    losses = result.best("test_loss").set_index(options)["test_loss_q50"]
    assert losses.is_monotonic_increasing
    for values, part in rows.groupby(options)["test_loss"]:
        assert losses[values] == sorted(part)[3]  # of eight
    compared = result.compare("hidden", by=["function", "n_test_correct"])
    sides = rows.groupby(["function", "hidden"])["n_test_correct"].mean()
    for row in compared.to_dict("records"):
        assert row["first_mean"] == pytest.approx(sides[row["function"], row["first"]])
        assert row["difference"] == pytest.approx(row["first_mean"] - row["second_mean"])


@pytest.mark.wide
def test_without_test_patterns(tmp_path: Path) -> None:
    """Measures with test patterns are refused without test patterns, and with keep='cells'."""
    plain = sweep.Study(**TABLES | {"data": {"task": "boolean", "bits": 3}, "parameters": {
        name: values for name, values in TABLES["parameters"].items() if name != "split_seed"}})  # fmt: skip
    result = sweep.run(plain, out=tmp_path / "r")
    with pytest.raises(SweepError, match="the study has no test patterns, so its runs have no test_loss"):
        result.best("test_loss")
    assert_refused(command("best", tmp_path / "r", "--by", "n_test_correct"), ("no test patterns",))
    assert_refused(command("figure", tmp_path / "r", "slice", "--value", "test_loss"), ("no test patterns",))
    assert_refused(command("compare", tmp_path / "r", "--vary", "hidden", "--by", "test_loss"), ("no test patterns",))
    assert "test_loss" not in result.runs()
    with pytest.raises(StudyError, match="keep: must be 'runs' with test patterns"):
        sweep.run(STUDY, keep="cells")
