"""The notebook that this project started from, to the last digit that it printed."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from kernels import recipe
from kernels.architecture import Architecture
from kernels.batch import SETTINGS
from kernels.start.initialize import Start, initial_weights
from kernels.train import Outcome, Trainer
from tests.kernels.support import Array, sized

INPUTS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]])
TARGETS = np.array([[0.0], [1], [1], [0]])
ARCHITECTURE = Architecture(3, 1, "relu", "identity", bias=False)
STEPS = 500

PRINTED_W = [[-0.20401151, 1.01377406], [-0.10186284, 1.01392285], [1.07856887, 0.01873049]]
PRINTED_V = [[0.49346731], [0.98634069]]
PRINTED_PREDICTIONS = [[0.0], [0.99992661], [1.00007337], [0.0]]


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    """Train the notebook's network for its 500 steps."""
    seeds = np.array([83832])
    start = initial_weights(Start(), seeds, recipe.Architecture(*astuple(ARCHITECTURE)), 2, "float64")
    settings = np.array([(0.01, 0.0, STEPS)], SETTINGS)
    trainer = Trainer(ARCHITECTURE, INPUTS.copy(), TARGETS.copy(), criterion="none", width=sized(None, 1))
    return trainer.train(settings, start, final_weights=True, losses=True)


def _printed(array: Array) -> list[list[float]]:
    """Round as NumPy prints, to eight digits."""
    rounded: list[list[float]] = np.round(array, 8).tolist()
    return rounded


def test_all_500_losses(outcome: Outcome) -> None:
    """Every loss prints as it did in the notebook."""
    lines = Path(__file__).with_name("notebook_losses.txt").read_text().splitlines()
    assert len(lines) == STEPS
    assert [f"{t} {loss!r}" for t, loss in enumerate(outcome.losses[0, :STEPS].tolist())] == lines


def test_weights(outcome: Outcome) -> None:
    """The weights after training print as they did."""
    w, v, b, c = ARCHITECTURE.split(outcome.final_weights[0])
    assert _printed(w) == PRINTED_W
    assert _printed(v) == PRINTED_V
    assert b is None
    assert c is None


def test_predictions(outcome: Outcome) -> None:
    """The predictions, by the notebook's own formula, print as they did."""
    w, v, _, _ = ARCHITECTURE.split(outcome.final_weights[0])
    assert _printed(np.maximum(INPUTS @ w, 0) @ v) == PRINTED_PREDICTIONS
