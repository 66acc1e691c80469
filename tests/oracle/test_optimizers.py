"""Optimizers, compared with the formulas that PyTorch documents, with PyTorch where it is installed, and by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.oracle.components import Array
from tests.oracle.optimizers import UPDATES
from tests.oracle.support import XOR, draw_networks, train

# Three runs with different hyperparameters.
CASES: dict[str, dict[str, list[float]]] = {
    "gd": {"learning_rate": [0.03, 0.06, 0.1]},
    "momentum": {"learning_rate": [0.05, 0.1, 0.02], "momentum": [0.9, 0.5, 0.99], "weight_decay": [0.0, 1e-3, 0.1]},
    "nesterov": {"learning_rate": [0.05, 0.1, 0.02], "momentum": [0.9, 0.5, 0.99]},
    "rmsprop": {"learning_rate": [0.01, 0.02, 0.001], "alpha": [0.99, 0.5, 0.9], "eps": [1e-8, 1e-3, 1e-6]},
    "adam": {
        "learning_rate": [0.01, 0.1, 0.001],
        "beta1": [0.9, 0.5, 0.0],
        "beta2": [0.999, 0.99, 0.9],
        "eps": [1e-8, 1e-3, 1e-6],
        "weight_decay": [0.0, 1e-3, 0.1],
    },
    "adamw": {"learning_rate": [0.01, 0.1, 0.001], "beta1": [0.9, 0.5, 0.0], "weight_decay": [0.01, 0.0, 0.5]},
    "keras_adam": {"learning_rate": [0.01, 0.1, 0.001], "beta1": [0.9, 0.5, 0.0], "eps": [1e-7, 1e-3, 0.1]},
    "rprop": {
        "learning_rate": [0.01, 0.1, 1e-4],
        "eta_minus": [0.5, 0.25, 0.75],
        "eta_plus": [1.2, 1.5, 1.1],
        "step_min": [1e-6, 0.01, 0.0],
        "step_max": [50.0, 0.125, 0.01],
    },
}
STEPS, HIDDEN = 100, 3
SIZES = {"w": (2, HIDDEN), "v": (HIDDEN, 1), "b": (HIDDEN,), "c": (1,), "k": (2, 1)}
ENDS = np.cumsum([np.prod(size) for size in SIZES.values()])[:-1]


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
    """torch.optim.RMSprop, not centered and without momentum."""
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


def _keras_adam(theta: Array, gradient: Callable[[Array], Array], lr: Array, given: dict[str, float]) -> Array:
    """keras.optimizers.Adam: the form of Kingma and Ba (2015) with epsilon hat, before their section 2.1."""
    m, v, beta1, beta2 = np.zeros_like(theta), np.zeros_like(theta), given["beta1"], 0.999
    for t in range(1, STEPS + 1):
        g = gradient(theta)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        theta = theta - lr * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + given["eps"])
    return theta


def _rprop(theta: Array, gradient: Callable[[Array], Array], lr: Array, given: dict[str, float]) -> Array:
    """torch.optim.Rprop: no step back after a change of sign."""
    shrink, grow, least, most = (given[name] for name in ("eta_minus", "eta_plus", "step_min", "step_max"))
    previous, eta = np.zeros_like(theta), lr * np.ones_like(theta)
    for _ in range(STEPS):
        g = gradient(theta)
        same, changed = g * previous > 0, g * previous < 0
        eta = np.clip(np.where(same, eta * grow, np.where(changed, eta * shrink, eta)), least, most)
        g = np.where(changed, 0, g)
        theta = theta - np.sign(g) * eta
        previous = g
    return theta


DOCUMENTED = {"gd": _sgd, "momentum": _sgd, "nesterov": _sgd, "rmsprop": _rmsprop, "adam": _adam, "rprop": _rprop}
DOCUMENTED |= {"adamw": _adamw, "keras_adam": _keras_adam}


def _gradient(theta: Array) -> Array:
    """Differentiate the sum of squared errors of one network of XOR, by matrix products."""
    inputs, targets = XOR
    w, v, b, c, k = (piece.reshape(size) for piece, size in zip(np.split(theta, ENDS), SIZES.values(), strict=True))
    a = np.tanh(inputs @ w + b)
    g = 2 * (a @ v + inputs @ k + c - targets)
    delta = (g @ v.T) * (1 - a * a)
    return np.concatenate([x.ravel() for x in (inputs.T @ delta, a.T @ g, delta.sum(0), g.sum(0), inputs.T @ g)])


def documented_weights(optimizer: str, start: Array, numbers: dict[str, float]) -> Array:
    """Train one network of XOR with biases and skip connections by the documented formulas."""
    rates = [numbers["learning_rate" if name in "wb" else "output_learning_rate"] for name in SIZES]
    lr = np.repeat(rates, [np.prod(size) for size in SIZES.values()])
    own: dict[str, Any] = numbers | {"nesterov": optimizer == "nesterov"}
    decay = numbers.get("weight_decay", 0.0)
    return DOCUMENTED[optimizer](start, lambda theta: _gradient(theta) + decay * theta, lr, own)


def torch_weights(optimizer: str, start: Any, numbers: dict[str, float]) -> Any:
    """Train one network of XOR with biases and skip connections with PyTorch."""
    torch = pytest.importorskip("torch")
    pieces = np.split(start, ENDS)
    w, v, b, c, k = parameters = [
        torch.tensor(piece.reshape(size), requires_grad=True)
        for piece, size in zip(pieces, SIZES.values(), strict=True)
    ]
    own = {name: numbers[name] for name in numbers.keys() & {"momentum", "alpha", "eps", "weight_decay"}}
    if "beta1" in numbers:
        own["betas"] = (numbers["beta1"], numbers.get("beta2", 0.999))
    if optimizer == "rprop":
        own["etas"] = numbers["eta_minus"], numbers["eta_plus"]
        own["step_sizes"] = numbers["step_min"], numbers["step_max"]
    make = {
        "gd": torch.optim.SGD,
        "momentum": torch.optim.SGD,
        "nesterov": lambda groups, **options: torch.optim.SGD(groups, nesterov=True, **options),
        "rmsprop": torch.optim.RMSprop,
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "keras_adam": torch.optim.Adam,
        "rprop": torch.optim.Rprop,
    }[optimizer]
    groups = [
        {"params": [w, b], "lr": numbers["learning_rate"]},
        {"params": [v, c, k], "lr": numbers["output_learning_rate"]},
    ]
    steps = make(groups, **own)
    x, target = map(torch.tensor, XOR)
    for t in range(1, STEPS + 1):
        if optimizer == "keras_adam":  # its eps is not divided by the correction, that of PyTorch is
            for group in steps.param_groups:
                group["eps"] = numbers["eps"] / np.sqrt(1 - 0.999**t)
        steps.zero_grad()
        y = torch.tanh(x @ w + b) @ v + x @ k + c
        ((y - target) ** 2).sum().backward()
        steps.step()
    return np.concatenate([parameter.detach().numpy().ravel() for parameter in parameters])


@pytest.mark.parametrize("reference", [documented_weights, torch_weights])
@pytest.mark.parametrize("optimizer", CASES)
def test_optimizer_agrees_with_pytorch(optimizer: str, reference: Callable[..., Array]) -> None:
    """Parameters agree to 1e-9 after 100 steps, with a separate learning rate for the output layer."""
    starts = draw_networks(3, 15, seed=8)
    numbers = CASES[optimizer] | {"output_learning_rate": [rate / 2 for rate in CASES[optimizer]["learning_rate"]]}
    result = train(starts, hidden=HIDDEN, skip=True, optimizer=optimizer, max_steps=STEPS, **numbers)
    assert (result.steps == STEPS).all()
    for run, start in enumerate(starts):
        expected = reference(optimizer, start, {name: values[run] for name, values in numbers.items()})
        assert np.abs(expected - start).max() > 0.05
        np.testing.assert_allclose(result.weights[run], expected, rtol=1e-9, atol=1e-9)


def test_every_optimizer_is_compared() -> None:
    """No optimizer lacks its case."""
    assert CASES.keys() == UPDATES.keys()


# One pattern without input and a dead ReLU: only the output bias c moves, y = c and the gradient is 2 * (c - target).
CONSTANT = np.zeros((1, 1)), np.array([[1.0]])


def move_bias(optimizer: str, steps: int, **options: Any) -> float:
    """Start the output bias at 0 and return where it is after some steps."""
    start, options = np.zeros((1, 4)), {"activation": "relu", "hidden": 1} | options
    return train(start, CONSTANT, optimizer=optimizer, max_steps=steps, **options).weights[0, 3]


def test_first_steps_by_hand() -> None:
    """Two updates of each optimizer in exact numbers; the gradient at the start is -2."""
    assert [move_bias("gd", t, learning_rate=0.125) for t in (1, 2)] == [0.25, 0.4375]
    options: dict[str, Any] = {"learning_rate": 0.125, "momentum": 0.5}
    assert [move_bias("momentum", t, **options) for t in (1, 2)] == [0.25, 0.5625]  # v = -2, -2.5
    assert [move_bias("nesterov", t, **options) for t in (1, 2)] == [0.375, 0.671875]  # v = -2, -2.25
    options = {"learning_rate": 0.25, "alpha": 0.75, "eps": 1.0}
    assert move_bias("rmsprop", 1, **options) == 0.25  # v = 1
    options = {"learning_rate": 0.25, "beta1": 0.5, "beta2": 0.75, "eps": 2.0}
    assert move_bias("adam", 1, **options) == 0.125  # r = 0.5, k = 0.25, q = 1, m = -1, v = 1
    assert [move_bias("rprop", t, learning_rate=0.5) for t in (1, 2)] == [0.5, 1.1]
    # The sign changes: the step is halved, nothing moves, and no sign is remembered, so the next step is as long.
    assert [move_bias("rprop", t, learning_rate=0.5) for t in (3, 4)] == [1.1, 1.1 - 0.3]
    assert [move_bias("rprop", 1, learning_rate=rate) for rate in (50.0, 51.0, 1e-6, 1e-7)] == [50.0, 50.0, 1e-6, 1e-6]


def test_output_layer_has_the_other_rate() -> None:
    """With a rate of 0 for one layer only the other moves: v, c and k have the output's rate, w and b the first."""
    weights = draw_networks(2, 11, seed=9)
    result = train(weights, skip=True, learning_rate=[0.1, 0.0], output_learning_rate=[0.0, 0.1], max_steps=3)
    moved = (result.weights != weights).tolist()
    hidden = [True] * 4 + [False] * 2 + [True] * 2 + [False] * 3
    assert moved == [hidden, [not one for one in hidden]]


def test_gain_is_rounded_once() -> None:
    """The gain times the scale of the layer is computed in float64 and then rounded."""
    weights = np.array([[1.0, 0.0, 0.0, 1.0]], "float32")
    patterns = np.array([[1.0, 0.0, 0.0]]), np.array([[0.0]])
    options: dict[str, Any] = {"hidden": 1, "activation": "identity", "bias": False, "dtype": "float32", "max_steps": 0}
    differ = 0
    for gain in np.linspace(0.5, 2.5, 41):
        result = train(weights, patterns, **options, gain=gain, scaling="ntk")
        expected = np.float32(gain * (1 / np.sqrt(3)))
        assert result.max_error[0] == expected
        differ += expected != np.float32(gain) * np.float32(1 / np.sqrt(3))
    assert differ
