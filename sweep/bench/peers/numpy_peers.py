"""NumPy: the notebook's loop over one network, and the same over a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

import numpy as np

from sweep.bench.case import BETA1, BETA2, EPS, MOMENTUM, Array, Case, Layer
from sweep.bench.peers import BatchPeer, Peer

Network = tuple[Layer, ...]

# Functions, and factors of gradients from the values of these functions.
FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
}
SLOPES: dict[str, Callable[[Array], Any]] = {
    "relu": lambda a: a > 0,
    "tanh": lambda a: 1 - a * a,
    "sigmoid": lambda a: a * (1 - a),
    "identity": lambda a: 1,
}


class Passes:
    """Forward and backward passes of a case, over one network or a batch of them.

    The product is ``numpy.dot`` for one network, whose overhead is smaller, or ``numpy.matmul``.
    """

    def __init__(self, case: Case, product: Callable[[Array, Array], Array]) -> None:
        self._product = product
        self._layers = [
            (FUNCTIONS[name], SLOPES[name], scale) for name, scale in zip(case.functions, case.scales, strict=True)
        ]
        self._linear = case.output == "identity"
        self.patterns, self.windows = (case.inputs, case.targets), case.windows
        self._loss_scale = case.loss_scale(len(case.inputs))
        self._gradient_scale = 2 * case.loss_scale(len(self.windows[0][0]))

    def forward(self, network: Network, x: Array) -> list[Array]:
        """Return the inputs and the outputs of each layer; the last two axes are patterns and units."""
        values = [x]
        for (weights, biases), (function, _, scale) in zip(network, self._layers, strict=True):
            z = self._product(values[-1], weights)
            if scale != 1:
                z *= scale
            if biases is not None:
                z += biases
            values.append(function(z))
        return values

    def gradients(self, network: Network, x: Array, y: Array) -> list[Array]:
        """Return gradients of all parameters, from the outputs down."""
        values = self.forward(network, x)
        delta = self._gradient_scale * (values[-1] - y)
        if not self._linear:
            delta *= self._layers[-1][1](values[-1])
        gradients = []
        for k in reversed(range(len(network))):
            (weights, biases), scale = network[k], self._layers[k][2]
            scaled = delta if scale == 1 else scale * delta
            if biases is not None:
                gradients.append(delta.sum(-2, keepdims=biases.ndim > 1))
            below = values[k].swapaxes(-1, -2) if k else x.T
            gradients.append(self._product(below, scaled))
            if k:
                delta = self._product(scaled, weights.swapaxes(-1, -2))
                delta *= self._layers[k - 1][1](values[k])
        return gradients

    def losses(self, network: Network) -> Array:
        """Return the loss of each network over all patterns."""
        x, y = self.patterns
        loss: Array = self._loss_scale * np.square(self.forward(network, x)[-1] - y).sum(axis=(-1, -2))
        return loss


def make_update(case: Case, parameters: list[Array]) -> Callable[[list[Array]], None]:
    """Return a function that updates ``parameters`` in place from gradients."""
    rate = case.learning_rate

    def descend(gradients: list[Array]) -> None:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= rate * gradient

    if case.optimizer == "gd":
        return descend
    first, second = ([np.zeros_like(parameter) for parameter in parameters] for _ in range(2))

    def roll(gradients: list[Array]) -> None:
        for velocity, gradient in zip(first, gradients, strict=True):
            velocity *= MOMENTUM
            velocity += gradient
        descend(first)

    if case.optimizer == "momentum":
        return roll
    step = 0

    def adapt(gradients: list[Array]) -> None:
        nonlocal step
        step += 1
        size, root = rate / (1 - BETA1**step), (1 - BETA2**step) ** 0.5
        for parameter, gradient, m, v in zip(parameters, gradients, first, second, strict=True):
            m *= BETA1
            m += (1 - BETA1) * gradient
            v *= BETA2
            v += (1 - BETA2) * (gradient * gradient)
            parameter -= size * m / (np.sqrt(v) / root + EPS)

    return adapt


def train(case: Case, passes: Passes, network: Network) -> Array:
    """Train networks in place; return their final losses."""
    update = make_update(case, [part for layer in reversed(network) for part in reversed(layer.parts)])
    windows = passes.windows
    for step in range(case.steps):
        update(passes.gradients(network, *windows[step % len(windows)]))
    return passes.losses(network)


@cache
def _passes(case: Case) -> Passes:
    return Passes(case, np.dot)


def train_one(case: Case, weights: Array) -> float:
    """Train one network as the notebook does."""
    network = tuple(layer.map(lambda part: part[0].copy()) for layer in case.split(weights[np.newaxis]))
    return float(train(case, _passes(case), network))


class Notebook(Peer):
    """The loop of the notebook, one network after the other."""

    title: ClassVar[str] = "NumPy, the notebook's loop"

    def train(self, weights: Array) -> Array:
        """Train networks one by one."""
        with np.errstate(all="ignore"):
            return np.array([train_one(self.case, row) for row in weights])


class NumpyBatch(BatchPeer):
    """Arrays of networks, as matrix products over a batch."""

    title: ClassVar[str] = "NumPy, batched"
    variants: ClassVar[tuple[int, ...]] = (64, 256, 1024, 4096, 16384)

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        self._passes = Passes(case, np.matmul)

    @np.errstate(all="ignore")
    def train_batch(self, weights: Array) -> Array:
        """Train one batch."""
        copied = lambda part: part.copy() if part.ndim > 2 else part[:, np.newaxis].copy()  # noqa: E731
        return train(self.case, self._passes, tuple(layer.map(copied) for layer in self.case.split(weights)))
