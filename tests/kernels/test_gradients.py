"""The gradient that a step applies is the derivative of the loss, by finite differences.

Independent of the oracle: the loss is written here in matrix form, with NumPy's functions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.kernels.support import (
    TASKS,
    Array,
    Spec,
    covering_specs,
    draw_weights,
    is_compiled,
    name_of,
    same_settings,
    some_compiled,
    train_kernel,
)

HIDDEN = 3
STEP = 1e-4
# How far every argument of a ReLU must be from its kink, where differences would be wrong.
MARGIN = 1e-2

# Every activation, hidden and at the output, with every loss; see covering_specs.
SPECS = some_compiled((spec for spec in covering_specs() if spec.dtype == "float64"), is_compiled)

FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0.0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1.0 / (1.0 + np.exp(-z)),
}


def _layers(spec: Spec, weights: Array) -> tuple[Array, Array]:
    """Compute the arguments of the hidden and of the output activation, (R, N, H) and (R, N, O)."""
    inputs, targets = TASKS[spec.task]
    (n_inputs, n_outputs), rows = (inputs.shape[1], targets.shape[1]), len(weights)
    first, second = n_inputs * HIDDEN, (n_inputs + n_outputs) * HIDDEN
    w = weights[:, :first].reshape(rows, n_inputs, HIDDEN)
    v = weights[:, first:second].reshape(rows, HIDDEN, n_outputs)
    b, c = (weights[:, second : second + HIDDEN], weights[:, second + HIDDEN :]) if spec.bias else (0.0, 0.0)
    z = inputs @ w + np.reshape(b, (-1, 1, HIDDEN if spec.bias else 1))
    u = FUNCTIONS[spec.activation](z) @ v + np.reshape(c, (-1, 1, n_outputs if spec.bias else 1))
    return z, u


def _loss(spec: Spec, weights: Array) -> Array:
    targets = TASKS[spec.task][1]
    _, u = _layers(spec, weights)
    errors: Array = np.square(FUNCTIONS[spec.output](u) - targets).sum(axis=(1, 2))
    return errors / targets.size if spec.loss == "mse" else errors


def _numerical_gradient(spec: Spec, weights: Array) -> Array:
    """Differentiate by every parameter: central differences of fourth order."""
    gradient = np.empty_like(weights)
    for k in range(weights.shape[1]):
        shift = STEP * np.eye(weights.shape[1])[k]
        near = _loss(spec, weights + shift) - _loss(spec, weights - shift)
        far = _loss(spec, weights + 2 * shift) - _loss(spec, weights - 2 * shift)
        gradient[:, k] = (8 * near - far) / (12 * STEP)
    return gradient


def _away_from_kinks(spec: Spec, weights: Array) -> Array:
    """Tell which networks have no ReLU near its kink; a zero that no parameter moves does not matter."""
    fit = np.ones(len(weights), np.bool_)
    for name, argument in zip((spec.activation, spec.output), _layers(spec, weights), strict=True):
        if name == "relu":
            fit &= ((np.abs(argument) > MARGIN) | (argument == 0)).all(axis=(1, 2))
    return fit


@pytest.mark.parametrize("spec", SPECS, ids=name_of)
def test_step_applies_the_derivative_of_the_loss(spec: Spec) -> None:
    """With learning rate 1 a step subtracts the gradient, which agrees to 1e-6 with finite differences."""
    weights = draw_weights(spec, HIDDEN, 600, 61)
    weights = weights[_away_from_kinks(spec, weights)][:40]
    outcome = train_kernel(spec, same_settings(weights, "float64", learning_rate=1.0, below=0.0, max_steps=1))
    moved = outcome.columns.steps == 1  # the others have converged by being correct
    applied = (weights - outcome.final_weights)[moved]
    expected = _numerical_gradient(spec, weights[moved])
    scale = np.abs(expected).max(axis=1, keepdims=True)
    assert (scale > 1e-3).sum() >= 15
    assert (np.abs(applied - expected) <= 1e-6 * np.abs(expected) + 1e-9 * scale).all()


@pytest.mark.parametrize("spec", SPECS, ids=name_of)
def test_initial_loss_by_matrix_products(spec: Spec) -> None:
    """The loss itself agrees with the matrix form."""
    weights = draw_weights(spec, HIDDEN, 40, 62)
    outcome = train_kernel(spec, same_settings(weights, "float64", max_steps=0))
    np.testing.assert_allclose(outcome.columns.initial_loss, _loss(spec, weights), rtol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
def test_relu_has_no_slope_at_zero(bias: bool) -> None:
    """At the kink the derivative is 0: a unit with all weights zero never moves."""
    spec = Spec("relu", bias=bias)
    weights = np.zeros((1, spec.architecture.n_parameters(1)))
    weights[0, 2] = 1.5  # its output weight
    outcome = train_kernel(spec, same_settings(weights, "float64", learning_rate=0.5, below=0.0, max_steps=1))
    w, v, b, _ = spec.architecture.split(outcome.final_weights[0])
    assert not w.any()
    assert v[0, 0] == 1.5
    assert b is None or not b.any()
