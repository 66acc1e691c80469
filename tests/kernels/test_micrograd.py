"""The demo of micrograd, a network of two hidden layers whose learning rate falls: its data, weights and losses."""

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
    schedule="linear",
)
# The demo penalizes 1e-4 times the squares of all parameters. Its learning rate falls from 1 to 0.1 in 100 steps.
PENALTY, END, ALL = 1e-4, 0.1, 100
STEPS = sized(100, 2)
# Losses before some updates, as published.
PRINTED = {
    0: 0.8958441028683223,
    1: 1.7235905336972017,
    2: 0.742900631385113,
    10: 0.24507023846536,
    40: 0.060160098952344684,
}


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
    """100 steps of gradient descent give the oracle's bits, and the demo's losses."""
    inputs, targets = moons()
    start = initial_weights()
    rates = {"learning_rate": 1.0, "end_factor": END, "schedule_steps": ALL, "weight_decay": 2 * PENALTY}
    settings = make_settings(1, **rates, max_steps=STEPS)
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
        schedule="linear",
        **rates,
        max_steps=STEPS,
    )
    assert expected.losses is not None
    assert_equal(given.losses, expected.losses, "losses")
    assert_equal(given.final_weights, expected.weights, "final weights")
    for k, printed in PRINTED.items():
        if k <= STEPS:
            settings["max_steps"] = k
            weights = trainer.train(settings, start, hidden=HIDDEN, final_weights=True).final_weights
            assert given.losses[0, k] + PENALTY * np.square(weights).sum() == pytest.approx(printed, rel=1e-12)
