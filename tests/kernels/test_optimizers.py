"""Training agrees with PyTorch's optimizers to 1e-9 after 100 steps.

PyTorch itself is compared where it is installed; the formulas of its documentation are transcribed here in NumPy,
over all parameters at once, with gradients by matrix products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.kernels.compare import train_kernel, train_oracle
from tests.kernels.runs import draw_weights, make_runs
from tests.kernels.specs import Spec
from tests.kernels.support import Array, some_compiled
from tests.oracle.test_optimizers import CASES, HIDDEN, STEPS, torch_weights

SPECS = {name: Spec("tanh", optimizer=name, criterion="none", skip=True) for name in CASES}
BY_OPTIMIZER = pytest.mark.parametrize("optimizer", some_compiled(CASES, lambda _: False))


def _sgd(theta: Array, gradient: Callable[[Array], Array], lr: Array, given: dict[str, float]) -> Array:
    """torch.optim.SGD, dampening 0: b = g at the first step, b = mu b + g later."""
    mu, nesterov = given.get("momentum", 0.0), given.get("nesterov", False)
    buffer = None
    for _ in range(STEPS):
        g = gradient(theta)
        buffer = g if buffer is None else mu * buffer + g
        theta = theta - lr * (g + mu * buffer if nesterov else buffer)
    return theta


def _rmsprop(theta: Array, gradient: Callable[[Array], Array], lr: Array, given: dict[str, float]) -> Array:
    """torch.optim.RMSprop, not centred and without momentum."""
    v = np.zeros_like(theta)
    for _ in range(STEPS):
        g = gradient(theta)
        v = given["alpha"] * v + (1 - given["alpha"]) * g**2
        theta = theta - lr * g / (np.sqrt(v) + given["eps"])
    return theta


def _adam(theta: Array, gradient: Callable[[Array], Array], lr: Array, given: dict[str, float]) -> Array:
    """torch.optim.Adam, without amsgrad."""
    m, v, beta1, beta2 = np.zeros_like(theta), np.zeros_like(theta), given["beta1"], given["beta2"]
    for t in range(1, STEPS + 1):
        g = gradient(theta)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        theta = theta - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + given["eps"])
    return theta


def _adamw(theta: Array, gradient: Callable[[Array], Array], lr: Array, given: dict[str, float]) -> Array:
    """torch.optim.AdamW: Adam, before each step of which parameters shrink by the rate times the decay."""
    m, v, beta1, beta2 = np.zeros_like(theta), np.zeros_like(theta), given["beta1"], 0.999
    for t in range(1, STEPS + 1):
        g = gradient(theta) - given["weight_decay"] * theta  # to which it was added for the others
        theta = theta - lr * given["weight_decay"] * theta
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        theta = theta - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + 1e-8)
    return theta


def _rprop(theta: Array, gradient: Callable[[Array], Array], lr: Array, given: dict[str, float]) -> Array:
    """torch.optim.Rprop, etas (0.5, 1.2), step sizes from 1e-6 to 50: no step back after a change of sign."""
    previous, eta = np.zeros_like(theta), lr * np.ones_like(theta)
    for _ in range(STEPS):
        g = gradient(theta)
        same, changed = g * previous > 0, g * previous < 0
        eta = np.where(same, np.minimum(eta * 1.2, 50), np.where(changed, np.maximum(eta * 0.5, 1e-6), eta))
        g = np.where(changed, 0, g)
        theta = theta - np.sign(g) * eta
        previous = g
    return theta


DOCUMENTED = {"gd": _sgd, "momentum": _sgd, "nesterov": _sgd, "rmsprop": _rmsprop, "adam": _adam, "rprop": _rprop}
DOCUMENTED |= {"adamw": _adamw}


def _gradient(theta: Array) -> Array:
    """Differentiate the sum of squared errors of one network of XOR, by matrix products."""
    inputs, targets = SPECS["gd"].patterns
    w, v, b, c, k = SPECS["gd"].recipe.architecture.split(theta).values()
    a = np.tanh(inputs @ w + b)
    g = 2 * (a @ v + inputs @ k + c - targets)
    delta = (g @ v.T) * (1 - a * a)
    return np.concatenate([x.ravel() for x in (inputs.T @ delta, a.T @ g, delta.sum(0), g.sum(0), inputs.T @ g)])


def _numbers(optimizer: str) -> dict[str, list[float]]:
    """Return three runs with different hyperparameters, and a separate learning rate of the output layer."""
    halves = [rate / 2 for rate in CASES[optimizer]["learning_rate"]]
    return CASES[optimizer] | {"output_learning_rate": halves}


def _assert_agrees(optimizer: str, reference: Callable[[Array, dict[str, float]], Array]) -> None:
    spec, numbers = SPECS[optimizer], _numbers(optimizer)
    starts = draw_weights(spec, HIDDEN, 3, 8)
    given = train_kernel(spec, make_runs(starts, max_steps=STEPS, **numbers))
    assert (given.columns.steps == STEPS).all()
    for run, start in enumerate(starts):
        expected = reference(start, {name: values[run] for name, values in numbers.items()})
        assert np.abs(expected - start).max() > 0.05
        np.testing.assert_allclose(given.final_weights[run], expected, rtol=1e-9, atol=1e-9)


@BY_OPTIMIZER
def test_formulas_that_pytorch_documents(optimizer: str) -> None:
    """Parameters agree with a plain transcription of the documentation."""
    sizes = [2 * HIDDEN, HIDDEN, HIDDEN, 1, 2]  # of w, v, b, c and k

    def reference(start: Array, numbers: dict[str, float]) -> Array:
        rates = [numbers["output_learning_rate"], numbers["learning_rate"]]
        lr = np.repeat([rates[name in "wb"] for name in "wvbck"], sizes)
        own: dict[str, Any] = numbers | ({"nesterov": True} if optimizer == "nesterov" else {})
        decay = numbers.get("weight_decay", 0.0)
        return DOCUMENTED[optimizer](start, lambda theta: _gradient(theta) + decay * theta, lr, own)

    _assert_agrees(optimizer, reference)


@BY_OPTIMIZER
def test_pytorch_itself(optimizer: str) -> None:
    """Parameters agree with those that PyTorch trains."""
    pytest.importorskip("torch")
    _assert_agrees(optimizer, lambda start, numbers: torch_weights(optimizer, start, numbers))


@pytest.mark.parametrize("optimizer", some_compiled(["rprop"], lambda _: False))
def test_signs_of_zero(optimizer: str) -> None:
    """Where gradients underflow to zeros of either sign, weights of zero keep the signs that the oracle's have."""
    spec = Spec("tanh", optimizer=optimizer, dtype="float32")
    runs = make_runs(np.float32(1.5e-45) * draw_weights(spec, 2, 200, 3), "float32", max_steps=7)
    given, expected = train_kernel(spec, runs).final_weights, train_oracle(spec, runs).weights
    assert set(np.signbit(expected[expected == 0.0])) == {False, True}
    assert given.tobytes() == np.ascontiguousarray(expected).tobytes()
