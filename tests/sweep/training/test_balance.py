"""Balanced accuracies: each class counts the same, whatever its patterns, beside plain NumPy and scikit-learn."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import Study, StudyError
from sweep.errors import SweepError

KINDS = ("train", "validation", "test")
NAMES = [f"{of}_balanced_accuracy{at}" for of in KINDS for at in ("", "_at_best")]


def classified(n_classes: int, record: list[str] = NAMES, **options: Any) -> Study:
    """Return a study of classes of unequal size, some of whose networks diverge; the last class is in no test."""
    random = np.random.default_rng(n_classes)
    inputs, labels = random.normal(size=(40, 2)).round(3), random.integers(0, n_classes, 40) // 2 * 2 % n_classes
    labels[:n_classes] = range(n_classes)
    inputs[labels == 0] += 1
    held_out = {"validation": (inputs[20:30], labels[20:30]), "test": (inputs[30:], np.minimum(labels[30:], 1))}
    usual = {"hidden": 3, "learning_rate": [0.05, 1e3], "max_steps": 30, "activation": "tanh", "count": 4}
    usual |= {2: {"output": "sigmoid", "loss": "bce"}, 3: {"output": "softmax", "loss": "cross_entropy"}}.get(
        n_classes, {}
    )
    tables = {"criterion": "none", "record": {"measures": record, "weights": "all"}, **usual, **options}
    return Study.from_arrays(inputs[:20], labels[:20], **held_out, **tables)


def seen(result: sweep.Result, cell: int, of: str, which: str) -> tuple[list[int], np.ndarray]:
    """Return the true classes of patterns and those that networks take them for, (runs, patterns)."""
    study = result.study
    patterns = study.patterns_of(cell) if of == "train" else study.patterns_of(cell).held_out[of]
    outputs, targets = sweep.predict(result, patterns.inputs, cell, which), np.array(patterns.targets)
    if targets.shape[1] == 1:
        return (targets[:, 0] > 0.5).astype(int).tolist(), (outputs[:, :, 0] > 0.5).astype(int)
    return targets.argmax(axis=1).tolist(), outputs.argmax(axis=2)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_mean_recall_of_the_classes_that_are_there(n_classes: int) -> None:
    """It is the mean of recalls, as scikit-learn's; 0 for networks that diverged."""
    result = sweep.run(classified(n_classes))
    runs, n_lost = result.runs(), 0
    for cell, of, (which, at) in itertools.product((0, 1), KINDS, (("final", ""), ("best", "_at_best"))):
        rows = runs[runs["cell"] == cell].sort_values("seed")
        true, predicted = seen(result, cell, of, which)
        lost = rows["status"] == "diverged" if which == "final" else rows["steps_at_best"] < 0
        n_lost += lost.sum()
        for value, own, is_lost in zip(rows[f"{of}_balanced_accuracy{at}"], predicted, lost, strict=True):
            recalls = [np.mean(own[np.array(true) == each] == each) for each in sorted(set(true))]
            assert value == pytest.approx(0 if is_lost else np.mean(recalls), abs=1e-15)
    assert n_lost or n_classes < 5  # whose losses stay finite
    assert sweep.trace(result, 1).mismatches == {}


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_as_scikit_learn(n_classes: int) -> None:
    """scikit-learn's function gives the same numbers."""
    metrics = pytest.importorskip("sklearn.metrics", reason="the extra oracles is not installed")
    result = sweep.run(classified(n_classes, learning_rate=[0.05, 0.1]))
    for of in KINDS:
        true, predicted = seen(result, 0, of, "final")
        rows = result.runs().query("cell == 0").sort_values("seed")
        expected = [metrics.balanced_accuracy_score(true, own) for own in predicted]
        np.testing.assert_allclose(rows[f"{of}_balanced_accuracy"], expected, atol=1e-15)


def test_answers() -> None:
    """Cells are ranked and compared by it; its intervals allow for a network that always names one class."""
    result = sweep.run(classified(3, learning_rate=[0.01, 0.1], count=12))
    name = "test_balanced_accuracy_at_best"
    means = result.runs().groupby("learning_rate")[name].mean()
    ranked = result.best(name).set_index("learning_rate")[f"{name}_mean"]
    assert ranked.to_dict() == pytest.approx(means.to_dict())
    assert ranked.is_monotonic_decreasing
    assert result.cells[f"{name}_mean_low"].max() < 1 / 3 < result.cells[f"{name}_mean_high"].min()
    with pytest.raises(SweepError, match="does not record test_balanced_accuracy"):
        sweep.run(classified(3, ["margin"])).best("test_balanced_accuracy")


def test_refusals() -> None:
    """It needs patterns of its kind, and classes."""
    plain: dict[str, Any] = {"network": {"hidden": 2}, "training": {"learning_rate": 0.1, "max_steps": 2}}
    record = {"record": {"measures": ["test_balanced_accuracy"]}}
    with pytest.raises(StudyError, match="'test_balanced_accuracy' needs test patterns"):
        Study(data={"task": "xor"}, **plain, **record)
    data = {"inputs": [[0], [1]], "targets": [[0, 0], [1, 1]]}
    with pytest.raises(StudyError, match="needs classes: one output, softmax, or one-hot targets"):
        Study(data=data, **plain, record={"measures": ["train_balanced_accuracy"]})


def test_outputs_that_are_not_numbers() -> None:
    """A pattern is wrong if an output is NaN, even if that of its class is infinite."""
    data = {"inputs": [[0], [1]], "targets": [[0, 1], [1, 0]], "test": {"inputs": [[1e308]], "targets": [[1, 0]]}}
    weights = {"w": [[10, 10]], "v": [[1, 1], [1, -1]], "b": [0, 0], "c": [0, 0]}
    tables: dict[str, Any] = {"data": data, "initial_weights": {"values": weights}, "seeds": {"count": 1}}
    tables |= {"network": {"hidden": 2, "activation": "relu"}, "training": {"learning_rate": 0.1, "max_steps": 0}}
    record = {"record": {"measures": ["test_balanced_accuracy"]}, "convergence": {"criterion": "none"}}
    row = sweep.run(Study(**tables, **record)).runs().iloc[0]
    assert row["status"] == "exhausted"
    assert (row["train_accuracy"], row["test_accuracy"], row["test_balanced_accuracy"]) == (0.5, 0, 0)
