"""Weights of classes, as in the oracle, in scikit-learn and in PyTorch."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sweep import Study, StudyError, run
from tests.kernels.compare import assert_as_oracle, assert_same_outcome, train_kernel
from tests.kernels.runs import draw_runs
from tests.kernels.specs import Spec
from tests.kernels.support import sized, some_compiled

BALANCED = Spec("tanh", task="parity", class_weight="balanced")
CLASSES = Spec("tanh", output="softmax", loss="cross_entropy", task="adder", used=("label_smoothing",))
SPECS = {
    "full batch": Spec("tanh", class_weight=(0.1, 3.0)),
    "balanced classes": replace(CLASSES, class_weight="balanced", dtype="float32"),
    "own targets": Spec(output="sigmoid", loss="bce", task="adder", sets="targets", class_weight="balanced"),
    "own patterns": Spec("tanh", task="xor", sets="patterns", class_weight="balanced", batch=1, order="shuffled"),
    "minibatches": replace(
        CLASSES, class_weight=(0.0, 2.5), batch="uneven", criterion="running_loss", reduction="mean"
    ),
    "held-out patterns": replace(BALANCED, held_out=3, keeps_best=True, monitor="held_out_loss"),
    "layers": replace(BALANCED, below=(2,), penalty=True, used=("clip_norm", "weight_decay")),
}


@pytest.mark.parametrize("name", some_compiled(SPECS, {"full batch", "own patterns"}.__contains__))
def test_as_oracle(name: str) -> None:
    """Every number is the oracle's; with weights of 1 it is that of a kernel without weights."""
    spec = SPECS[name]
    runs = draw_runs(spec, 3, sized(40, 16), 3, sized(24, 12) if spec.n_windows == 1 else 2 * spec.n_windows + 1)
    assert_as_oracle(spec, runs)
    equal, without = replace(spec, class_weight=(1.0, 1.0)), replace(spec, class_weight="")
    assert_same_outcome(train_kernel(equal, runs), train_kernel(without, runs), name)


# Four patterns of two classes or three, by loss, and their classes.
TARGETS = {"bce": [[0.0], [1.0], [1.0], [1.0]], "cross_entropy": np.eye(3)[[0, 1, 1, 2]].tolist()}


def study_of(loss: str, targets: Any = None, output: str = "", **options: Any) -> Study:
    """Return a study of one run, with test patterns that are those to train on."""
    patterns = {"inputs": [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], "targets": targets or TARGETS[loss]}
    return Study(
        data={**patterns, "test": patterns},
        network={"hidden": 3, "activation": "tanh", "output": output or {"bce": "sigmoid"}.get(loss, "softmax")},
        training={"learning_rate": 0.3, "loss": loss, "reduction": "mean", "max_steps": 40, **options},
        convergence={"criterion": "none"},
        seeds={"count": 1},
        record={"weights": "both", "curves": {"seeds": 1, "steps": [0, 40]}},
    )


def weights_by_formula(classes: Any) -> Any:
    """Return balanced weights by the formula of scikit-learn."""
    counts = np.bincount(classes)
    return len(classes) / (len(counts) * counts)


def test_formula_of_scikit_learn() -> None:
    """Balanced weights are those of scikit-learn."""
    utilities = pytest.importorskip("sklearn.utils.class_weight", reason="the extra oracles is not installed")
    classes = np.array([0, 1, 1, 1, 2])
    found = utilities.compute_class_weight("balanced", classes=np.unique(classes), y=classes)
    np.testing.assert_array_equal(weights_by_formula(classes), found)


@pytest.mark.parametrize(("loss", "weights"), [("bce", "balanced"), ("cross_entropy", "balanced"), ("bce", [0.5, 4])])
def test_as_in_pytorch(loss: str, weights: Any) -> None:
    """Training losses and updates are those of PyTorch; test losses have no weights."""
    torch = pytest.importorskip("torch")
    study = study_of(loss, class_weight=weights)
    result = run(study)
    named = {name: torch.tensor(each[0], requires_grad=True) for name, each in result.weights(which="initial").items()}
    inputs, targets = (torch.tensor(part, dtype=torch.float64) for part in study.data.arrays())
    classes = targets.argmax(dim=1) if loss == "cross_entropy" else targets[:, 0].long()
    of_classes = torch.tensor(weights_by_formula(classes.numpy()) if weights == "balanced" else weights)
    optimizer = torch.optim.SGD(list(named.values()), lr=0.3)

    def loss_with(of_classes: Any) -> Any:
        u = torch.tanh(inputs @ named["w"] + named["b"]) @ named["v"] + named["c"]
        if loss == "cross_entropy":
            return torch.nn.functional.cross_entropy(u, classes, weight=of_classes, reduction="sum") / len(inputs)
        functional = torch.nn.functional.binary_cross_entropy_with_logits
        return functional(u, targets, weight=of_classes[classes, None])

    losses = [loss_with(of_classes).item()]
    for _ in range(40):
        optimizer.zero_grad()
        loss_with(of_classes).backward()
        optimizer.step()
    losses.append(loss_with(of_classes).item())
    row = result.runs().iloc[0]
    np.testing.assert_allclose([row["initial_loss"], row["final_loss"]], losses, rtol=1e-12)
    np.testing.assert_allclose(result.learning_curves()["train_loss"], losses, rtol=1e-12)
    np.testing.assert_allclose(row["test_loss"], loss_with(torch.ones_like(of_classes)).item(), rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"class_weight": "1 2"}, "training.class_weight: must have one number for each of the 3 classes, got '1 2'"),
        ({"class_weight": "often"}, "training.class_weight: must be 'none', 'balanced', or a list of a number from 0"),
        ({"class_weight": "0 0 0"}, "training.class_weight: must be 'none', 'balanced', or a list of a number from 0"),
        (
            {"class_weight": "balanced", "loss": "mse", "output": "identity", "targets": [[0.0, 0.0], [1.0, 1.0]] * 2},
            "training.class_weight: 'balanced' needs output 'softmax', one target, or one-hot targets, got network",
        ),
    ],
)
def test_refused(options: dict[str, Any], fault: str) -> None:
    """Weights that do not fit the classes, and targets of no classes."""
    with pytest.raises(StudyError, match=re.escape(fault)):
        study_of(**{"loss": "cross_entropy", **options})
