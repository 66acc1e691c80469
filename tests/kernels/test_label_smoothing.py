"""Smoothed labels, as in the oracle and in PyTorch."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sweep import StudyError, run
from tests.kernels.compare import assert_as_oracle, assert_same_outcome, train_kernel
from tests.kernels.runs import draw_runs
from tests.kernels.specs import Spec
from tests.kernels.support import sized, some_compiled
from tests.kernels.test_class_weight import TARGETS, study_of

SMOOTHED = ("gain", "label_smoothing")
BCE = Spec("tanh", output="sigmoid", loss="bce", used=SMOOTHED)
CLASSES = Spec("tanh", output="softmax", loss="cross_entropy", task="adder", used=SMOOTHED)
SPECS = {
    "full batch": BCE,
    "classes": CLASSES,
    "minibatches": replace(CLASSES, batch=1, criterion="running_loss", reduction="mean", dtype="float32"),
    "own targets": replace(BCE, sets="targets", optimizer="adam"),
    "held-out patterns": replace(BCE, held_out=3, keeps_best=True, monitor="held_out_loss"),
    "layers": replace(BCE, below=(2,), penalty=True, used=(*SMOOTHED, "weight_decay")),
}


@pytest.mark.parametrize("name", some_compiled(SPECS, {"full batch", "minibatches"}.__contains__))
def test_as_oracle(name: str) -> None:
    """Every number is the oracle's, and without smoothing that of a kernel that knows none."""
    spec = SPECS[name]
    runs = draw_runs(spec, 3, sized(40, 16), 3, sized(24, 12) if spec.n_windows == 1 else 2 * spec.n_windows + 1)
    assert_as_oracle(spec, runs)
    without = replace(spec, used=tuple(name for name in spec.used if name != "label_smoothing"))
    plain = runs.having(label_smoothing=0.0)
    assert_same_outcome(train_kernel(spec, plain), train_kernel(without, plain), name)


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_as_in_pytorch(loss: str) -> None:
    """Training losses and updates are those of PyTorch; test losses are those without smoothing."""
    torch = pytest.importorskip("torch")
    study = study_of(loss, label_smoothing=0.2)
    result = run(study)
    named = {name: torch.tensor(each[0], requires_grad=True) for name, each in result.weights(which="initial").items()}
    inputs, targets = (torch.tensor(part, dtype=torch.float64) for part in study.data.arrays())
    optimizer = torch.optim.SGD(list(named.values()), lr=0.3)

    def loss_with(smoothing: float) -> Any:
        u = torch.tanh(inputs @ named["w"] + named["b"]) @ named["v"] + named["c"]
        if loss == "cross_entropy":
            return torch.nn.functional.cross_entropy(u, targets, label_smoothing=smoothing)
        smoothed = targets * (1 - smoothing) + smoothing / 2
        return torch.nn.functional.binary_cross_entropy_with_logits(u, smoothed)

    losses = [loss_with(0.2).item()]
    for _ in range(40):
        optimizer.zero_grad()
        loss_with(0.2).backward()
        optimizer.step()
    losses.append(loss_with(0.2).item())
    row = result.runs().iloc[0]
    np.testing.assert_allclose([row["initial_loss"], row["final_loss"]], losses, rtol=1e-12)
    np.testing.assert_allclose(result.learning_curves()["train_loss"], losses, rtol=1e-12)
    np.testing.assert_allclose(row["test_loss"], loss_with(0.0).item(), rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "smoothing", "fault"),
    [
        ("mse", 0.1, "training.label_smoothing: 0.1 has no effect in any cell; use it with loss 'bce' or 'cross_"),
        ("bce", 1.0, "training.label_smoothing: must be below 1, got 1"),
    ],
)
def test_refused(loss: str, smoothing: float, fault: str) -> None:
    """Other losses have no labels to smooth, and no label can be spread wholly."""
    with pytest.raises(StudyError, match=re.escape(fault)):
        study_of(loss, TARGETS["bce"], "sigmoid", label_smoothing=smoothing)
