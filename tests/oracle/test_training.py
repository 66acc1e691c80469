"""When and how runs end, and what is recorded of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.oracle.support import XOR, draw_networks, train

# A dead ReLU and no inputs: only the output bias c moves, by the learning rate times 2 * (c - target) per pattern.
STILL: dict[str, Any] = {"hidden": 1, "activation": "relu"}
ONE = np.zeros((1, 1)), np.array([[1.0]])
TWO = np.zeros((2, 1)), np.array([[1.0], [-1.0]])


def bias_at(*values: float) -> Any:
    """Make networks whose output is c."""
    return np.array([[0.0, 0.0, 0.0, value] for value in values])


def test_statuses_in_order() -> None:
    """A run that has converged is never diverged, and one that has diverged is never exhausted."""
    options = {"criterion": "loss", "max_steps": 0}
    result = train(
        bias_at(0.0, 0.0, 0.0, 0.0),
        ONE,
        threshold=[2.0, 1.0, 1.0, 1.0],
        divergence_threshold=[0.5, 0.5, 1.0, 2.0],
        **STILL,
        **options,
    )
    assert result.status.tolist() == ["converged", "diverged", "exhausted", "exhausted"]  # the loss is 1
    assert result.initial_loss.tolist() == [1.0] * 4
    assert result.final_loss.tolist() == result.max_error.tolist() == [1.0, np.inf, 1.0, 1.0]


def test_thresholds_are_reached_at_the_first_evaluation_below() -> None:
    """Steps to thresholds follow from the recorded losses; a loss that equals a threshold is not below it."""
    weights = draw_networks(20, 13, seed=8)
    targets = [3.0, 1.0, 0.5, 1e-9]
    for batch, n_windows in ((None, 1), (3, 2)):
        components = {"hidden": 3, "activation": "relu", "criterion": "none", "batch": batch, "order": "shuffled"}
        options = {"learning_rate": 0.1, "max_steps": 31, "seed": np.arange(20), "record": True, **components}
        result = train(weights, XOR, loss_thresholds=targets, **options)
        evaluated_at = np.minimum(np.arange(result.losses.shape[1]) * n_windows, 31)
        for losses, found in zip(result.losses, result.threshold_steps, strict=True):
            below = [evaluated_at[losses < target] for target in targets]
            assert found.tolist() == [steps[0] if len(steps) else -1 for steps in below]
        assert (result.threshold_steps > 0).any()
    equal = train(
        bias_at(0.0, 0.0), ONE, loss_thresholds=[np.nextafter(1.0, 2.0), 1.0], max_steps=0, threshold=0, **STILL
    )
    assert equal.threshold_steps.tolist() == [[0, -1]] * 2


def test_evaluated_at_ends_of_epochs_and_at_the_last_step() -> None:
    """Between ends of epochs only a run's own last step is evaluated; that epoch is not completed."""
    options: dict[str, Any] = {"batch": 1, "learning_rate": 0.5, "criterion": "loss", "threshold": 2.5}
    # With this rate c is the target last seen: 1, -1, 1, .. and the loss 4 everywhere but at the start, where it is 2.
    result = train(bias_at(0.0, 0.0, 0.0), TWO, from_step=1, max_steps=[1, 2, 5], record=True, **STILL, **options)
    assert (result.steps.tolist(), result.epochs.tolist()) == ([1, 2, 5], [0, 1, 2])
    assert result.weights[:, 3].tolist() == [1.0, -1.0, 1.0]
    nan = np.nan
    np.testing.assert_array_equal(result.losses, [[2, 4, nan, nan], [2, 4, nan, nan], [2, 4, 4, 4]])
    by_epochs = train(bias_at(0.0, 0.0), TWO, max_epochs=[2, 3], max_steps=[9, 5], from_step=1, **STILL, **options)
    assert by_epochs.steps.tolist() == [4, 5]


def test_outcome_is_that_of_the_parameters() -> None:
    """The final loss and error are those of the final weights, at whatever step each run ends."""
    weights = draw_networks(20, 9, seed=14)
    options = {"criterion": "max_error", "threshold": 0.45, "max_steps": np.arange(20) * 7}
    result = train(weights, XOR, **options, record=True)
    assert set(result.status) == {"converged", "exhausted"}
    again = train(result.weights, XOR, criterion="none", max_steps=0)
    for name in ("final_loss", "n_correct", "max_error"):
        np.testing.assert_array_equal(getattr(result, name), getattr(again, name))
    np.testing.assert_array_equal(result.losses[np.arange(20), result.steps], result.final_loss)
    np.testing.assert_array_equal(result.losses[:, 0], result.initial_loss)
    assert (np.isfinite(result.losses).sum(axis=1) == result.steps + 1).all()
