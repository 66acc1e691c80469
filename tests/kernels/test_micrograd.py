"""The demo of micrograd, two hidden layers with a falling learning rate: its data, weights and losses."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import numpy as np
import pytest

import sweep
from kernels.recipe import Architecture, Recipe
from kernels.settings import make_settings
from kernels.shapes import parameter_shapes
from kernels.train import Trainer
from sweep import Study
from tests.kernels.support import Array, assert_equal, in_soak_if_compiled, sized

HIDDEN = (16, 16)
RECIPE = Recipe(
    Architecture(2, 1, "relu", "identity", bias=True, deep=True),
    loss="hinge",
    reduction="pattern_mean",
    criterion="none",
    schedule="linear",
    penalty=True,
    used=("weight_decay",),
)
# The demo penalizes 1e-4 times the squares of all parameters. Its learning rate falls from 1 to 0.1 in 100 steps.
PENALTY, END, ALL = 1e-4, 0.1, 100
STEPS = sized(100, 2)
RATES = {"learning_rate": 1.0, "end_factor": END, "schedule_steps": ALL, "weight_decay": 2 * PENALTY}
# Losses before some updates, as published.
PRINTED = {0: 0.8958441028683223, 1: 1.7235905336972017, 2: 0.742900631385113, 40: 0.060160098952344684}


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


def demo_losses() -> Array:
    """Return the loss before each of 100 updates, from the demo's formulas in matrices, with all digits."""
    x, y = (array.astype(np.longdouble) for array in moons())
    p, losses = initial_weights()[0].astype(np.longdouble), []
    for k in range(ALL):
        w1, w2, v = p[:32].reshape(2, 16), p[32:288].reshape(16, 16), p[288:304].reshape(16, 1)
        z1 = x @ w1 + p[304:320]
        z2 = np.maximum(z1, 0) @ w2 + p[320:336]
        margins = 1 - y * (np.maximum(z2, 0) @ v + p[336:])
        losses.append(np.maximum(margins, 0).mean() + np.longdouble(PENALTY) * np.square(p).sum())
        g = np.where(margins > 0, -y, 0) / len(y)
        d2 = (g @ v.T) * (z2 > 0)
        d1 = (d2 @ w2.T) * (z1 > 0)
        weights = [x.T @ d1, np.maximum(z1, 0).T @ d2, np.maximum(z2, 0).T @ g]
        gradient = np.concatenate([*(each.ravel() for each in weights), d1.sum(0), d2.sum(0), g.sum(0)])
        p = p - (1 - (1 - np.longdouble(END)) * k / ALL) * (gradient + 2 * np.longdouble(PENALTY) * p)
    return np.array(losses, np.float64)


@pytest.mark.wide
@in_soak_if_compiled
def test_losses_of_the_demo() -> None:
    """The losses are those that the demo prints, its penalty included."""
    settings = make_settings(1, **RATES, max_steps=STEPS)
    losses = Trainer(RECIPE, *moons()).train(settings, initial_weights(), hidden=HIDDEN, losses=True).losses[0]
    assert losses[:STEPS] == pytest.approx(demo_losses()[:STEPS], rel=1e-12)
    for k, printed in PRINTED.items():
        if k <= STEPS:
            assert losses[k] == pytest.approx(printed, rel=1e-14)


@pytest.mark.wide
@in_soak_if_compiled
def test_micrograd_as_a_study() -> None:
    """A study file can express the demo: layers, loss, decay, schedule and weights; its trace has the same losses."""
    inputs, targets = moons()
    names = parameter_shapes((2, *HIDDEN, 1), bias=True, skip=False, deep=True)
    row, values = initial_weights()[0], {}
    for name, shape in names.items():
        values[name], row = row[: math.prod(shape)].reshape(shape), row[math.prod(shape) :]
    study = Study(
        data={"inputs": inputs, "targets": targets},
        network={"hidden": "16-16"},
        initial_weights={"values": values},
        training={
            **{"loss": "hinge", "reduction": "pattern_mean", "weight_decay": 2 * PENALTY, "learning_rate": 1.0},
            **{"penalty": True, "schedule": "linear", "end_factor": END, "max_steps": STEPS},
        },
        convergence={"criterion": "none"},
        seeds={"count": 1},
    )
    settings = make_settings(1, **(RATES | {"schedule_steps": STEPS}), max_steps=STEPS)
    expected = Trainer(RECIPE, inputs, targets).train(settings, initial_weights(), hidden=HIDDEN, losses=True)
    assert_equal(sweep.trace(study).losses[np.newaxis], expected.losses, "losses")
