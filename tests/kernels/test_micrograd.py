"""The demo of micrograd, a network of two hidden layers: its data, initial weights and first losses."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from kernels.recipe import Architecture, Recipe, make_settings
from kernels.train import Trainer
from tests import oracle
from tests.kernels.compare import FUNCTIONS
from tests.kernels.support import Array, assert_equal, sized

HIDDEN = (16, 16)
RECIPE = Recipe(
    Architecture(2, 1, "relu", "identity", bias=True, deep=True),
    loss="hinge",
    reduction="pattern_mean",
    criterion="none",
)
# The demo penalizes 1e-4 times the squares of all parameters. Its learning rate is 1 in the first step.
PENALTY = 1e-4
STEPS = sized(100, 2)
PRINTED = [0.8958441028683223, 1.7235905336972017]


def moons() -> tuple[Array, Array]:
    """Return make_moons(100, noise=0.1) of scikit-learn for NumPy's global state of seed 1337, targets -1 and 1."""
    state = np.random.RandomState(1337)
    angle = np.linspace(0, np.pi, 50)
    outer = np.column_stack([np.cos(angle), np.sin(angle)])
    inner = np.column_stack([1 - np.cos(angle), 1 - np.sin(angle) - 0.5])
    points = np.concatenate([outer, inner])
    order = np.arange(100)
    state.shuffle(order)
    points = points[order] + state.normal(scale=0.1, size=points.shape)
    return points, np.where(order < 50, -1.0, 1.0)[:, np.newaxis]


def initial_weights() -> Array:
    """Return the parameters that the demo draws with seed 1337, neuron by neuron; biases are 0. (1, parameters)."""
    draw = random.Random(1337)
    sizes = [2, *HIDDEN, 1]
    layers = [
        np.array([[draw.uniform(-1, 1) for _ in range(below)] for _ in range(size)]).T
        for below, size in pairwise(sizes)
    ]
    return np.concatenate([*(layer.ravel() for layer in layers), np.zeros(sum(sizes[1:]))])[np.newaxis]


def test_micrograd_as_oracle() -> None:
    """100 steps of gradient descent give the oracle's bits, and the demo's losses until its learning rate changes."""
    inputs, targets = moons()
    start = initial_weights()
    settings = make_settings(1, learning_rate=1.0, weight_decay=2 * PENALTY, max_steps=STEPS)
    trainer = Trainer(RECIPE, inputs, targets)
    given = trainer.train(settings, start, hidden=HIDDEN, final_weights=True, losses=True)
    expected = oracle.train(
        inputs,
        targets,
        start,
        hidden=HIDDEN,
        dtype="float64",
        functions=FUNCTIONS["float64"],
        record=True,
        criterion="none",
        activation="relu",
        output="identity",
        bias=True,
        loss="hinge",
        reduction="pattern_mean",
        learning_rate=1.0,
        weight_decay=2 * PENALTY,
        max_steps=STEPS,
    )
    assert expected.losses is not None
    assert_equal(given.losses, expected.losses, "losses")
    assert_equal(given.final_weights, expected.weights, "final weights")
    settings["max_steps"] = 1
    first = trainer.train(settings, start, hidden=HIDDEN, final_weights=True).final_weights
    totals = [loss + PENALTY * np.square(row).sum() for loss, row in zip(given.losses[0], (start, first), strict=False)]
    assert totals == pytest.approx(PRINTED, rel=1e-14)
