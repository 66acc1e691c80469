"""The running loss of an epoch as criterion, as what patience looks at, and as a recorded number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.kernels.compare import assert_as_oracle, statuses, train_kernel
from tests.kernels.runs import Kinds, draw_runs, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import sized, some_compiled

RUNNING: dict[str, Any] = {"criterion": "running_loss", "loss_sums": ("running_loss",)}
SPECS = {
    "full batch": Spec("tanh", **RUNNING),
    "full batch, patience": Spec("tanh", criterion="none", monitor="running_loss"),
    "online": Spec("tanh", "sigmoid", batch=1, monitor="running_loss", **RUNNING),
    "shuffled": Spec("relu", batch="uneven", order="shuffled", task="parity", dtype="float32", **RUNNING),
    "blocks": Spec("tanh", reduction="mean", batch="uneven", task="many numbers", tuning="small blocks", **RUNNING),
    "classes": Spec("relu", "softmax", "cross_entropy", "mean", "adam", 2, task="adder", skip=True, **RUNNING),
    "sets": Spec("relu", "sigmoid", "bce", batch=3, sets="patterns", below=(3,), **RUNNING),
    "held out": Spec("relu", batch=1, held_out=3, keeps_best=True, monitor="held_out_loss", **RUNNING),
    "penalty": Spec(
        "tanh", batch="uneven", penalty=True, used=("weight_decay",), task="parity", dtype="float32", **RUNNING
    ),
    "recorded": Spec("tanh", loss="half_squared", batch=1, loss_sums=("loss_sum", "tail_loss", "running_loss")),
    "patience": Spec(
        "tanh", batch=1, criterion="none", monitor="running_loss", stopping_rule="patience_best", order="shuffled"
    ),
}


@pytest.mark.parametrize("name", some_compiled(SPECS, {"full batch", "online", "blocks"}.__contains__))
def test_as_oracle(name: str) -> None:
    """Every number is the oracle's, whenever and however runs end."""
    spec = SPECS[name]
    kinds = Kinds(divergence_threshold="own", from_step="own")
    runs = draw_runs(
        spec, 3, sized(50, 24), 5, sized(60, 30 if spec.n_windows == 1 else 10) * spec.n_windows + 1, kinds
    )
    started = train_kernel(spec, runs.having(threshold=1e-30)).columns.initial_loss
    runs = runs.having(threshold=np.where(np.arange(len(runs)) % 2 == 0, started * 0.99, runs.settings["threshold"]))
    result = assert_as_oracle(spec, runs)
    if spec.criterion == "running_loss":
        converged = result.status == "converged"
        assert converged.any()
        assert (result.running_loss[converged] < runs.settings["threshold"][converged]).all()
    if spec.monitor == "running_loss" and spec.criterion == "none":
        assert "plateau" in result.status


@pytest.mark.parametrize("batch", some_compiled([None, 1], lambda _: False))
def test_network_that_does_not_move(batch: int | None) -> None:
    """Its running loss is its loss, known after one epoch; the stall is found no earlier than that."""
    spec = Spec(batch=batch, **RUNNING)
    runs = make_runs(np.zeros((3, 9)), learning_rate=0.0, max_steps=100, threshold=[2.1, 2.0, 2.1])
    columns = train_kernel(spec, runs.having(from_step=np.array([0, 0, 200]))).columns
    assert statuses(columns).tolist() == ["converged", "stalled", "stalled"]
    assert columns.steps.tolist() == [spec.n_windows] * 3
    assert columns.loss_sums.tolist() == [[2.0]] * 3


@pytest.mark.parametrize("stop", ["before", "after"])
def test_network_that_is_not_a_number_has_diverged(stop: str) -> None:
    """The last update of an epoch may spoil a network whose running loss is still below the threshold."""
    spec = Spec(batch=1, stop=stop, **RUNNING)
    weights = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0])  # x1 + x2: only the last pattern is wrong
    runs = make_runs(weights[None], learning_rate=1e308, max_steps=100, threshold=5.0)
    result = assert_as_oracle(spec, runs)
    assert (result.status.tolist(), result.steps.tolist(), result.running_loss.tolist()) == (["diverged"], [4], [4.0])


def test_running_loss_is_that_of_the_visits() -> None:
    """By hand: each pattern counts with the parameters before its update, those after the step before it."""
    spec = Spec("tanh", "sigmoid", batch=1, criterion="none", loss_sums=("running_loss",))
    runs = draw_runs(spec, 3, 1, 5, 9).having(learning_rate=0.5)
    weights = [train_kernel(spec, runs.having(max_steps=steps)).final_weights for steps in range(9)]
    inputs, targets = spec.patterns
    for epochs, last in ((1, 4), (1, 6), (2, 8)):
        total = 0.0
        for n in range(4):
            (w,) = weights[4 * (epochs - 1) + n]
            parts = spec.recipe.architecture.split(w)
            y = 1 / (1 + np.exp(-(np.tanh(inputs[n] @ parts.w + parts.b) @ parts.v + parts.c)))
            total += ((y - targets[n]) ** 2).sum()
        found = train_kernel(spec, runs.having(max_steps=last)).columns.loss_sums[0, 0]
        assert found == pytest.approx(total, rel=1e-13)


def test_points_of_paths_have_the_running_loss() -> None:
    """At each point it is that of a run that ends there; NaN before the first epoch."""
    for batch in (None, 1):
        spec = Spec("tanh", batch=batch, criterion="none", loss_sums=("running_loss",))
        runs = draw_runs(spec, 2, 5, 1, 2).having(learning_rate=0.1, max_steps=9 * spec.n_windows)
        path = spec.trainer().train(runs.settings, runs.weights, path_epochs=(0, 2, 3)).path_running
        assert np.isnan(path[:, 0]).all()
        for k, epochs in enumerate((2, 3), 1):
            ends = train_kernel(spec, runs.having(max_steps=epochs * spec.n_windows)).columns.loss_sums[:, 0]
            assert path[:, k].tolist() == ends.tolist()
