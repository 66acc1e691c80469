"""The gradient that a step applies is the derivative of the loss, by finite differences.

Independent of the oracle: the loss is written here in matrix form, with the functions of NumPy and SciPy.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from scipy import special

from tests.kernels.compare import train_kernel
from tests.kernels.runs import draw_weights, make_runs
from tests.kernels.specs import ACTIVATIONS, LOSSES, REDUCTIONS, SCALINGS, Spec, name_of
from tests.kernels.support import Array, some_compiled
from tests.oracle.components import OWN_OUTPUTS, VALUES
from tests.oracle.support import FUNCTIONS as ORACLE_FUNCTIONS

HIDDEN, GAIN, LEAK, DELTA = 3, 1.4, -0.3, 0.8
STEP = 1e-4
# The least distance of every argument from a kink, where differences would be wrong.
MARGIN = 1e-2

FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.maximum(z, 0) + LEAK * np.minimum(z, 0),
    "elu": lambda z: np.maximum(z, 0) + np.expm1(np.minimum(z, 0)),
    "softplus": lambda z: np.logaddexp(0, z),
    "silu": lambda z: z * special.expit(z),
    "gelu": lambda z: z * special.ndtr(z),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
    "sin": np.sin,
    "tanh": np.tanh,
    "sigmoid": special.expit,
}


def _specs() -> list[Spec]:
    """Combine every activation with every loss; outputs, scales and other options take turns."""
    turns = itertools.cycle(itertools.product(REDUCTIONS, SCALINGS, (True, False), (False, True)))
    specs = []
    for (row, loss), (column, activation) in itertools.product(enumerate(LOSSES), enumerate(ACTIVATIONS)):
        output = OWN_OUTPUTS.get(loss, ACTIVATIONS[(row + column + 1) % len(ACTIVATIONS)])
        reduction, scaling, bias, skip = next(turns)
        own = {"reduction": reduction, "scaling": scaling, "bias": bias, "skip": skip}
        specs.append(Spec(activation, output, loss, criterion="none", task="numbers", **own))
    return specs


SPECS = some_compiled(_specs(), lambda spec: _specs().index(spec) == 24)
AS_DERIVATIVE = pytest.mark.parametrize("spec", SPECS, ids=name_of)


def _layers(spec: Spec, weights: Array) -> tuple[Array, Array]:
    """Compute the arguments of the hidden and of the output activation, (R, N, H) and (R, N, O)."""
    architecture, inputs = spec.recipe.architecture, spec.patterns[0]
    shapes = architecture.shapes(HIDDEN)
    ends = np.cumsum([np.prod(shape) for shape in shapes.values()])
    pieces = dict(zip(shapes, np.split(weights, ends[:-1], axis=1), strict=True))
    part = {name: piece.reshape(len(weights), -1, shapes[name][-1]) for name, piece in pieces.items()}
    (first,), second = architecture.scales(HIDDEN)
    z = GAIN * first * (inputs @ part["w"]) + part.get("b", 0)
    u = second * (_function(spec.activation, z) @ part["v"]) + part.get("c", 0)
    return z, u + inputs @ part["k"] if spec.skip else u


def _function(name: str, z: Array) -> Array:
    """Compute an activation with SciPy's functions, or with the oracle's where SciPy has none."""
    return FUNCTIONS[name](z) if name in FUNCTIONS else VALUES[name](z, {}, ORACLE_FUNCTIONS)


def _terms(spec: Spec, weights: Array) -> Array:
    """Compute the term of each pattern and output, (R, N, O), for hinge before it is cut off at 0."""
    u, target = _layers(spec, weights)[1], spec.patterns[1]
    if spec.loss == "bce":
        return np.logaddexp(0, u) - target * u  # -log y for a target of 1, -log(1 - y) for 0
    if spec.loss == "cross_entropy":
        return target * (special.logsumexp(u, axis=2, keepdims=True) - u)
    y = _function(spec.output, u)
    if spec.loss == "hinge":
        return 1 - target * y
    if spec.loss == "huber":
        return DELTA * np.abs(y - target) - DELTA**2 / 2 + np.maximum(DELTA - np.abs(y - target), 0) ** 2 / 2
    return np.square(y - target) / (2 if spec.loss == "half_squared" else 1)


def _loss(spec: Spec, weights: Array) -> Array:
    terms, targets = _terms(spec, weights), spec.patterns[1]
    if spec.loss == "hinge":
        terms = np.maximum(terms, 0)
    return terms.sum(axis=(1, 2)) / {"sum": 1, "mean": targets.size, "pattern_mean": len(targets)}[spec.reduction]


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
    """Return which networks are far from kinks; a zero that no parameter moves does not matter."""
    arguments = list(_layers(spec, weights)) + [_terms(spec, weights)] * (spec.loss == "hinge")
    if spec.loss == "huber":
        arguments.append(np.abs(_function(spec.output, arguments[1]) - spec.patterns[1]) - DELTA)
    return np.logical_and.reduce([((np.abs(x) > MARGIN) | (x == 0)).all(axis=(1, 2)) for x in arguments])


def _draw(spec: Spec) -> Array:
    weights = draw_weights(spec, HIDDEN, 600, 61)
    return weights[_away_from_kinks(spec, weights)][:20]


@AS_DERIVATIVE
def test_step_applies_the_derivative_of_the_loss(spec: Spec) -> None:
    """With learning rate 1 a step subtracts the gradient, which agrees to 1e-6 with finite differences."""
    weights = _draw(spec)
    runs = make_runs(weights, learning_rate=1.0, max_steps=1, gain=GAIN, negative_slope=LEAK, delta=DELTA)
    outcome = train_kernel(spec, runs)
    assert (outcome.columns.steps == 1).all()
    applied, expected = weights - outcome.final_weights, _numerical_gradient(spec, weights)
    scale = np.abs(expected).max(axis=1, keepdims=True)
    assert (scale > 1e-3).sum() >= 15
    assert (np.abs(applied - expected) <= 1e-6 * np.abs(expected) + 1e-9 * scale + 1e-12).all()


@AS_DERIVATIVE
def test_initial_loss_by_matrix_products(spec: Spec) -> None:
    """The loss itself agrees with the matrix form."""
    weights = _draw(spec)
    outcome = train_kernel(spec, make_runs(weights, max_steps=0, gain=GAIN, negative_slope=LEAK, delta=DELTA))
    np.testing.assert_allclose(outcome.columns.initial_loss, _loss(spec, weights), rtol=1e-12)


def test_every_component_is_differentiated() -> None:
    """Every activation is combined with every loss, and every output with every loss that allows it."""
    assert {(spec.activation, spec.loss) for spec in _specs()} == set(itertools.product(ACTIVATIONS, LOSSES))
    others = set(LOSSES) - OWN_OUTPUTS.keys()
    assert {(spec.output, spec.loss) for spec in _specs()} > set(itertools.product(ACTIVATIONS, others))
    for name, values in (("scaling", SCALINGS), ("reduction", REDUCTIONS), ("skip", (True, False))):
        assert {getattr(spec, name) for spec in _specs()} == set(values)


@pytest.mark.parametrize("bias", some_compiled([True, False], lambda bias: bias))
def test_relu_has_no_slope_at_zero(bias: bool) -> None:
    """At the kink the derivative is 0: a unit with all weights zero never moves."""
    spec = Spec("relu", bias=bias)
    weights = np.zeros((1, spec.n_parameters(1)))
    weights[0, 2] = 1.5  # its output weight
    outcome = train_kernel(spec, make_runs(weights, learning_rate=0.5, threshold=0.0, max_steps=1))
    parts = spec.recipe.architecture.split(outcome.final_weights[0])
    assert not parts.w.any()
    assert parts.v[0, 0] == 1.5
    assert parts.b is None or not parts.b.any()


@pytest.mark.parametrize("activation", some_compiled(ACTIVATIONS, lambda _: False))
def test_slopes_at_zero_are_those_of_the_left_piece(activation: str) -> None:
    """A hidden unit whose sum is exactly 0 passes on the slope from the left."""
    slopes = {"relu": 0.0, "leaky_relu": LEAK, "softplus": 0.5, "silu": 0.5, "gelu": 0.5, "sigmoid": 0.25, "mish": 0.6}
    spec = Spec(activation, task="one pattern", skip=True)
    weights = np.zeros((1, spec.n_parameters(1)))
    weights[0, 3:6] = 1.0, 0.0, -2.0  # v, b and c: y is act(0) - 2, the target 1
    outcome = train_kernel(spec, make_runs(weights, learning_rate=1.0, threshold=0.0, max_steps=1, negative_slope=LEAK))
    at_zero = {"sigmoid": 0.5, "softplus": np.log(2)}.get(activation, 0.0)
    assert outcome.final_weights[0, 4] == pytest.approx(2 * (3 - at_zero) * slopes.get(activation, 1.0), rel=1e-15)
