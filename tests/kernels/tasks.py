"""Patterns for the tests of the kernels."""

from __future__ import annotations

import itertools

import numpy as np

from tests.kernels.support import Array


def bits(count: int) -> Array:
    """Return all rows of some bits."""
    return np.array(list(itertools.product((0.0, 1.0), repeat=count)))


def _parity(count: int) -> tuple[Array, Array]:
    return bits(count), bits(count).sum(axis=1, keepdims=True) % 2


def _adder() -> tuple[Array, Array]:
    """Two bits and a carry to sum and carry: 3 inputs, 2 outputs."""
    inputs = bits(3)
    total = inputs.sum(axis=1)
    return inputs, np.column_stack((total % 2, total // 2))


def _numbers(count: int, seed: int) -> tuple[Array, Array]:
    """Numbers of both signs, some of them 0, 1 or -1; 2 inputs, 2 outputs."""
    random = np.random.default_rng(seed)
    inputs, targets = random.uniform(-2, 2, (2, count, 2))
    inputs[random.random(inputs.shape) < 0.3] = 0.0
    inputs[:2], targets[0] = ((1.0, -1.0), (-0.0, 0.1)), (0.0, -1.0)
    return inputs, targets


# Inputs (patterns, inputs) and targets (patterns, outputs).
TASKS: dict[str, tuple[Array, Array]] = {
    "xor": _parity(2),
    "adder": _adder(),
    "numbers": _numbers(6, seed=1),
    "parity": _parity(5),
    "many numbers": _numbers(20, seed=2),
    "one pattern": (np.array([[0.5, -1.5, 2.0]]), np.array([[1.0]])),
    # Only inputs of 0, so that only the output bias moves where the unit is dead.
    "one target": (np.zeros((1, 1)), np.array([[1.0]])),
    "same target": (np.zeros((2, 1)), np.array([[1.0], [1.0]])),
    "two targets": (np.zeros((2, 1)), np.array([[1.0], [-1.0]])),
    # Only inputs of 0, and a large error.
    "steep": (np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[-1.3e154], [0.0]])),
    # The square of the last target overflows, in float64 or in float32.
    "far": (np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.5], [1e200]])),
    "less far": (np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.5], [1.9e19]])),
    # Outputs near a target of 2 or more are large.
    "high": (bits(2), 2.5 + bits(2).sum(axis=1, keepdims=True) % 2),
    # Inputs of 0 alone.
    "blank": (np.zeros((1, 2)), np.ones((1, 1))),
    # An infinite product with a finite weight.
    "doubled": (np.array([[2.0, -2.0], [0.5, 1.0]]), np.array([[0.0], [1.0]])),
}

# Patterns per step that leave a shorter last step. Where there are many, a step takes several blocks.
UNEVEN = {"xor": 3, "adder": 3, "numbers": 4, "parity": 12, "many numbers": 9, "two targets": 1}


def fit_targets(targets: Array, loss: str) -> Array:
    """Make targets that a loss allows: within [0, 1] for bce, 1 or -1 for hinge, probabilities for cross_entropy."""
    if loss == "cross_entropy":
        sizes = np.abs(targets) + np.arange(targets.shape[1])
        total = sizes.sum(axis=1, keepdims=True)
        return np.where(total > 0, sizes / np.where(total > 0, total, 1), 1 / targets.shape[1])
    if loss == "bce":
        return np.clip(targets, 0.0, 1.0)
    if loss == "hinge":
        return np.where(targets >= (targets.min() + targets.max()) / 2, 1.0, -1.0)
    return targets
