"""The notebook that this project started from, to the last digit of its output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kernels.loop.run_arrays import Outcome
from kernels.numba import jit
from kernels.recipe import Architecture, Recipe, make_settings
from kernels.start.initialize import Start, initial_weights
from kernels.train import Trainer
from tests import oracle
from tests.kernels.compare import statuses, train_bare
from tests.kernels.runs import make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import Array, of_width, sized

INPUTS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]])
TARGETS = np.array([[0.0], [1], [1], [0]])
RECIPE = Recipe(Architecture(3, 1, "relu", "identity", bias=False), criterion="none")
STEPS = 500

PRINTED_W = [[-0.20401151, 1.01377406], [-0.10186284, 1.01392285], [1.07856887, 0.01873049]]
PRINTED_V = [[0.49346731], [0.98634069]]
PRINTED_PREDICTIONS = [[0.0], [0.99992661], [1.00007337], [0.0]]


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    """Train the notebook's network for its 500 steps."""
    seeds = np.array([83832])
    start = initial_weights(Start(), seeds, RECIPE.architecture, 2, "float64")
    settings = make_settings(1, learning_rate=0.01, max_steps=STEPS)
    trainer = Trainer(RECIPE, INPUTS.copy(), TARGETS.copy(), tuning=of_width(sized(None, 1), RECIPE.dtype))
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
    parts = RECIPE.architecture.split(outcome.final_weights[0])
    assert _printed(parts.w) == PRINTED_W
    assert _printed(parts.v) == PRINTED_V
    assert (parts.b, parts.c, parts.k) == (None, None, None)


def test_predictions(outcome: Outcome) -> None:
    """The predictions, by the notebook's own formula, print as they did."""
    parts = RECIPE.architecture.split(outcome.final_weights[0])
    assert _printed(np.maximum(INPUTS @ parts.w, 0) @ parts.v) == PRINTED_PREDICTIONS


@pytest.mark.slow
def test_published_xor() -> None:
    """A published study is reproduced: 25 of 30 networks converge, at the published steps.

    cybertronai/hinton-problems, XOR without restarts: a step is counted after its update, from 1.
    """
    shapes, scales = oracle.parameter_shapes(2, 2, 1, bias=True), dict.fromkeys(("w", "v", "biases"), 0.5)
    weights = oracle.initial_parameters(range(30), shapes, "uniform", scales, "pcg64", "float64", order="w.T b v c")
    spec = Spec("sigmoid", "sigmoid", "half_squared", "mean", "momentum", criterion="max_error")
    runs = make_runs(weights, learning_rate=0.5, momentum=0.9, threshold=0.5, from_step=1, max_steps=sized(5000, 600))
    columns = train_bare(spec, runs)
    converged = statuses(columns) == "converged"
    if jit.ENABLED:
        steps = columns.steps[converged]
        assert np.flatnonzero(~converged).tolist() == [2, 4, 11, 24, 27]
        assert (len(steps), np.median(steps), steps.min(), steps.max()) == (25, 730, 474, 2489)
        assert columns.steps[[0, 3]].tolist() == [1393, 531]
    assert columns.steps.min() == 474
