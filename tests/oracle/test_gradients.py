"""Losses and gradients of every component, against matrix products and central differences."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tests.oracle.components import LOSSES, OWN_OUTPUTS, REDUCTIONS, VALUES, Array
from tests.oracle.step import parameter_shapes
from tests.oracle.support import FUNCTIONS, draw_networks, train
from tests.rings import one_in

INPUTS = np.array([[0.5, -1.0], [-0.7, 0.3], [1.2, 0.9], [-0.4, -1.1], [0.0, 0.8]])
TARGETS = {
    "bce": np.array([[0.0, 1.0], [1.0, 0.25], [0.0, 0.0], [1.0, 1.0], [0.5, 0.0]]),
    "cross_entropy": np.array([[0.0, 1.0], [1.0, 0.0], [0.25, 0.75], [0.5, 0.5], [0.9, 0.1]]),
    "hinge": np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]),
}
TARGETS["squared"] = TARGETS["half_squared"] = TARGETS["huber"] = np.array(
    [[0.0, 1.0], [-0.5, 0.3], [1.5, 0.0], [0.2, -1.0], [0.7, 0.1]]
)

HIDDEN, LEAK, GAIN, DELTA = 2, -0.3, 1.4, 0.8
OWN = {"negative_slope": LEAK, "delta": DELTA}
STEP = 1e-4
MARGIN = 1e-2  # the least distance of z, u and the terms of hinge from a kink, so that differences are right
# Powers of the fan-in that divide sums: of hidden layers, and of outputs.
POWERS = {"standard": (0.0, 0.0), "ntk": (0.5, 0.5), "mean_field": (0.5, 1.0)}

# Activations in closed form, where the oracle has more than one operation.
CLOSED = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.maximum(z, 0) + LEAK * np.minimum(z, 0),
    "elu": lambda z: np.maximum(z, 0) + np.exp(np.minimum(z, 0)) - 1,
    "silu": lambda z: z / (1 + np.exp(-z)),
    "gelu": lambda z: z * FUNCTIONS["normal_cdf"](z),
    "mish": lambda z: z * np.tanh(np.log1p(np.exp(z))),
    "identity": lambda z: z,
}


def closed(name: str, z: Array) -> Array:
    """Compute an activation in closed form, where it differs from the oracle's form."""
    function = CLOSED.get(name) or FUNCTIONS.get(name)
    return function(z) if function else VALUES[name](z, OWN, FUNCTIONS)


def sums(options: dict[str, Any], weights: Array) -> list[Array]:
    """Compute z of each hidden layer (R, N, H) and finally u (R, N, O), by matrix products."""
    shapes = parameter_shapes(2, options.get("hidden", HIDDEN), 2, options["bias"], options["skip"])
    ends = np.cumsum([np.prod(shape) for shape in shapes.values()])
    pieces = dict(zip(shapes, np.split(weights, ends[:-1], axis=1), strict=True))
    part = {name: piece.reshape(len(weights), -1, shapes[name][-1]) for name, piece in pieces.items()}
    found, a, (power, last_power) = [], INPUTS, POWERS[options["scaling"]]
    earlier = np.broadcast_to(INPUTS, (len(weights), *INPUTS.shape))
    for name in (name for name in shapes if name[0] == "w"):
        z = GAIN * a.shape[-1] ** -power * (a @ part[name]) + part.get(name.replace("w", "b"), 0)
        if name.replace("w", "k") in part and name[1:]:
            z = z + earlier @ part[name.replace("w", "k")]
            earlier = np.concatenate([earlier, a], axis=2)
        found.append(z)
        a = closed(options["activation"], z)
    u = a.shape[-1] ** -last_power * (a @ part["v"]) + part.get("c", 0)
    return [*found, u + earlier @ part["k"] if options["skip"] else u]


def terms_of(options: dict[str, Any], weights: Array) -> Array:
    """Compute the term of each pattern and output (R, N, O) in closed form, for hinge before it is cut off at 0."""
    u, target = sums(options, weights)[-1], TARGETS[options["loss"]]
    if options["loss"] == "cross_entropy":
        return target * (np.logaddexp(u[..., :1], u[..., 1:]) - u)
    y = closed(options["output"], u)
    if options["loss"] == "bce":
        return -(target * np.log(y) + (1 - target) * np.log(1 - y))
    if options["loss"] == "hinge":
        return 1 - target * y
    if options["loss"] == "huber":
        return DELTA * np.abs(y - target) - DELTA**2 / 2 + np.maximum(DELTA - np.abs(y - target), 0) ** 2 / 2
    return (y - target) ** 2 / (2 if options["loss"] == "half_squared" else 1)


def loss_of(options: dict[str, Any], weights: Array) -> Array:
    """Compute the loss (R,) in closed form."""
    terms = terms_of(options, weights)
    if options["loss"] == "hinge":
        terms = np.maximum(terms, 0)
    return terms.sum(axis=(1, 2)) / {"sum": 1, "mean": 10, "pattern_mean": 5}[options["reduction"]]


def away_from_kinks(options: dict[str, Any], weights: Array) -> Array:
    """Return which networks (R,) are far from kinks."""
    arguments = sums(options, weights)
    if options["loss"] == "hinge":
        arguments.append(terms_of(options, weights))
    if options["loss"] == "huber":
        y = closed(options["output"], arguments[-1])
        arguments.append(np.abs(y - TARGETS["huber"]) - DELTA)
    return np.logical_and.reduce([(np.abs(argument) > MARGIN).all(axis=(1, 2)) for argument in arguments])


def differences(options: dict[str, Any], weights: Array) -> Array:
    """Differentiate the closed form by every parameter: central differences of fourth order."""
    n_runs, n_parameters = weights.shape
    shifts = STEP * np.array([2.0, 1.0, -1.0, -2.0])[:, None, None] * np.eye(n_parameters)  # (4, P, P)
    shifted = (weights[:, None, None, :] + shifts).reshape(-1, n_parameters)
    losses = loss_of(options, shifted).reshape(n_runs, 4, n_parameters)
    return np.tensordot(losses, np.array([-1.0, 8.0, -8.0, 1.0]) / (12 * STEP), axes=(1, 0))


def components_of(activation: str, loss: str) -> list[dict[str, Any]]:
    """Return the other components beside an activation and a loss; outputs take turns, so that each occurs."""
    outputs = itertools.cycle([OWN_OUTPUTS[loss]] if loss in OWN_OUTPUTS else VALUES)
    rest = itertools.product(REDUCTIONS, (False, True), POWERS, (True, False))
    return [
        {"activation": activation, "loss": loss, "output": output}
        | {"reduction": reduction, "skip": skip, "scaling": scaling, "bias": bias}
        for output, (reduction, skip, scaling, bias) in zip(outputs, rest, strict=False)
    ]


@pytest.mark.parametrize(("activation", "loss"), one_in(5, itertools.product(VALUES, LOSSES)))
def test_step_applies_the_derivative_of_the_loss(activation: str, loss: str) -> None:
    """The loss is that of the closed form, and with a learning rate of 1 a step subtracts its derivative."""
    all_components = components_of(activation, loss)
    assert loss in OWN_OUTPUTS or {options["output"] for options in all_components} == set(VALUES)
    for options in all_components:
        assert_step_applies_the_derivative(options)


@pytest.mark.parametrize("hidden", one_in(2, [((2, 2),), ((3, 1),), ((4, 3, 2),), ((3, 2, 2, 2),)]))
def test_step_of_several_layers(hidden: tuple[int, ...]) -> None:
    """The same holds for each layer below the last, for any sizes of the others."""
    for activation, loss in zip(VALUES, itertools.cycle(LOSSES), strict=False):
        for options in components_of(activation, loss)[::12]:
            assert_step_applies_the_derivative(options | {"hidden": hidden})


@pytest.mark.parametrize("hidden", one_in(3, [((4, 3, 2),), ((2, 2),), ((3, 1),), 2, ((3, 2, 2, 2),)]))
def test_step_of_layers_that_receive_all_earlier_ones(hidden: int | tuple[int, ...]) -> None:
    """The same holds where each layer receives the outputs of all earlier layers."""
    for activation, loss in zip(VALUES, itertools.cycle(LOSSES), strict=False):
        for options in components_of(activation, loss)[::12]:
            assert_step_applies_the_derivative(options | {"hidden": hidden, "skip": "all"})


def assert_step_applies_the_derivative(options: dict[str, Any]) -> None:
    """Require the loss of the closed form, and its derivative, for some networks away from kinks."""
    shapes = parameter_shapes(2, options.get("hidden", HIDDEN), 2, options["bias"], options["skip"])
    weights = draw_networks(400, sum(np.prod(shape) for shape in shapes.values()), seed=5)
    weights = weights[away_from_kinks(options, weights)][:6]
    assert len(weights) >= 4
    patterns, numbers = (INPUTS, TARGETS[options["loss"]]), OWN | {"gain": GAIN, "learning_rate": 1.0}
    result = train(weights, patterns, **options, **numbers, max_steps=1)
    np.testing.assert_allclose(result.initial_loss, loss_of(options, weights), rtol=1e-12)
    expected = differences(options, weights)
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(weights - result.weights, expected, rtol=1e-6, atol=1e-8, err_msg=str(options))


@pytest.mark.parametrize("name", VALUES)
def test_slopes_at_zero_are_those_of_the_left_piece(name: str) -> None:
    """A hidden unit whose sum is exactly 0 passes on the slope from the left; ReLU's there is 0."""
    slopes = {"relu": 0.0, "leaky_relu": LEAK, "softplus": 0.5, "silu": 0.5, "gelu": 0.5, "sigmoid": 0.25, "mish": 0.6}
    weights = np.array([[0.0, 0.0, 1.0, 0.0, -3.0]])  # w, v, b and c: y is act(0) - 3
    options = {"hidden": 1, "activation": name, "negative_slope": LEAK, "learning_rate": 1.0, "max_steps": 1}
    result = train(weights, (np.array([[1.0, 0.0]]), np.array([[0.0]])), **options)
    a0 = {"sigmoid": 0.5, "softplus": np.log(2)}.get(name, 0.0)
    assert result.weights[0, 0] == pytest.approx(-2 * (a0 - 3) * slopes.get(name, 1.0), rel=1e-15)


def test_aliases() -> None:
    """The sum and the mean of squared errors also have the names sse and mse."""
    weights, options = draw_networks(5, 9, seed=6), {"max_steps": 9}
    for alias, (loss, reduction) in {"sse": ("squared", "sum"), "mse": ("squared", "mean")}.items():
        short, long = train(weights, loss=alias, **options), train(weights, loss=loss, reduction=reduction, **options)
        np.testing.assert_array_equal(short.weights, long.weights)
        np.testing.assert_array_equal(short.final_loss, long.final_loss)
