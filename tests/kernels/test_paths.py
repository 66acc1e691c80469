"""Parameters kept during training equal those of runs that end there, and keeping them changes nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from kernels.loop.run_arrays import Outcome
from tests.kernels.compare import (
    assert_same_columns,
    hidden_of,
    pick,
    predict,
    seeds_of,
    train_bare,
    train_kernel,
    train_oracle,
)
from tests.kernels.runs import Kinds, Runs, draw_runs, draw_weights, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import assert_equal, sized, some_compiled

EPOCHS = (0, 1, 2, 5, 9, 30)
SPECS = [
    Spec("relu"),
    Spec("tanh", optimizer="adam", criterion="none", batch=3, order="shuffled", skip=True, dtype="float32"),
    Spec("sigmoid", "sigmoid", "bce", "mean", "momentum", criterion="correct", tuning="three packets"),
    Spec("tanh", schedule="cosine", criterion="none"),
]


def _train(spec: Spec, runs: Runs, epochs: tuple[int, ...] = EPOCHS, width: int | None = None) -> Outcome:
    asked: dict[str, Any] = {"seeds": seeds_of(spec, runs), "hidden": hidden_of(spec, runs), "path_epochs": epochs}
    trainer = spec.trainer(width or sized(None, max(len(runs) // 3, 1)))  # several runs take each lane
    return trainer.train(runs.settings, runs.weights, final_weights=True, **asked)


def _ending_at(spec: Spec, runs: Runs, epoch: int) -> Runs:
    """Return runs of at most this number of epochs, at the rates of their own schedule."""
    most = runs.settings["max_steps"]
    scheduled = np.where(runs.settings["schedule_steps"] > 0, runs.settings["schedule_steps"], most)
    return runs.having(max_steps=np.minimum(most, epoch * spec.n_windows), schedule_steps=scheduled)


@pytest.mark.parametrize(
    "spec", some_compiled(SPECS, lambda spec: SPECS.index(spec) == 1), ids=lambda spec: f"{SPECS.index(spec)}"
)
def test_paths_as_oracle(spec: Spec) -> None:
    """After each epoch that a run completes its parameters are those of the oracle, which ends the run there."""
    runs = draw_runs(spec, 2, sized(45, 24), 5, sized(80, 40), Kinds(divergence_threshold="own", from_step="own"))
    found, whole = _train(spec, runs), train_oracle(spec, runs)
    assert found.path.shape == (len(runs), len(EPOCHS), runs.weights.shape[1])
    assert len(set(whole.steps)) > 4
    for point, epoch in enumerate(EPOCHS):
        there = whole.steps >= epoch * spec.n_windows
        if not there.any():
            assert epoch == EPOCHS[-1]
            continue
        expected = train_oracle(spec, _ending_at(spec, runs[there], epoch)).weights
        assert_equal(found.path[there, point], expected, f"after {epoch} epochs")
    plain = train_kernel(spec, runs)
    assert_same_columns(found.columns, plain.columns, "columns with a path")
    assert_equal(found.final_weights, plain.final_weights, "final weights with a path")
    assert plain.path.shape == (len(runs), 0, runs.weights.shape[1])


def test_paths_do_not_depend_on_packets() -> None:
    """A run has the same path with any neighbors and any other points."""
    spec = SPECS[0]
    runs = draw_runs(spec, 2, 23, 6, 50)
    every = _train(spec, runs, tuple(range(50)))
    for chosen, width in (([3], 1), (list(range(0, 23, 2)), 8), ([22, 0, 7], 3)):
        some = _train(spec, runs[chosen], (7, 11), sized(None, width))
        assert_same_columns(some.columns, pick(every.columns, chosen), f"runs {chosen}")
        for point, epoch in enumerate((7, 11)):
            there = every.columns.steps[chosen] >= epoch
            assert_equal(some.path[there, point], every.path[chosen][there, epoch], f"runs {chosen}, epoch {epoch}")


def test_predictions_of_a_path_have_its_loss() -> None:
    """Parameters have the loss that is evaluated at the same step."""
    spec = Spec("tanh", criterion="none")
    runs = draw_runs(spec, 2, 20, 8, 12)
    path, losses = _train(spec, runs, tuple(range(13))).path, train_kernel(spec, runs).losses
    (_, targets), *_ = spec.pattern_sets
    for step in range(13):
        there = ~np.isnan(losses[:, step])
        errors = predict(spec, runs[there], path[there, step]) - np.asarray(targets).ravel()
        with np.errstate(over="ignore"):
            assert np.allclose((errors * errors).sum(axis=1), losses[there, step], rtol=1e-12)


def test_path_of_runs_that_are_trained_again() -> None:
    """Where products with zero were skipped, a run with an infinite weight has the path of its second training."""
    spec = Spec("relu", criterion="none")
    runs = make_runs(draw_weights(spec, 3, 6, 22), learning_rate=0.01, max_steps=4)
    runs.weights[2, 0] = math.inf
    path = _train(spec, runs, (0, 2)).path
    assert_equal(path[:, 0], runs.weights, "initial weights")
    sound = np.array([0, 1, 3, 4, 5])
    assert_equal(path[sound], _train(spec, runs[sound], (0, 2)).path, "neighbors")


@pytest.mark.parametrize("epochs", [(-1, 2), (2, 2), (3, 1)])
def test_epochs_ascend(epochs: tuple[int, ...]) -> None:
    """Epochs that are not ascending are refused."""
    spec = SPECS[0]
    runs = draw_runs(spec, 2, 3, 1, 5)
    with pytest.raises(ValueError, match=r"path_epochs: must be .* in ascending order"):
        _train(spec, runs, epochs)
    assert_same_columns(_train(spec, runs, ()).columns, train_bare(spec, runs), "no path")
