"""NumPy: the notebook's loop over one network, and the same over a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

import numpy as np

from sweep.bench.case import BETA1, BETA2, EPS, MOMENTUM, Array, Case, Parameters
from sweep.bench.peers import BatchPeer, Peer

# Functions, and what a gradient is multiplied by, from the value of the function.
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

    Parameters
    ----------
    case
        What is trained.
    product
        ``numpy.dot`` for one network, whose overhead is smaller, or ``numpy.matmul``.
    """

    def __init__(self, case: Case, product: Callable[[Array, Array], Array]) -> None:
        self._product = product
        self._function, self._slope = FUNCTIONS[case.activation], SLOPES[case.activation]
        self._output, self._output_slope = FUNCTIONS[case.output], SLOPES[case.output]
        self._s1, self._s2 = case.scales
        self._linear = case.output == "identity"
        self.patterns, self.windows = (case.inputs, case.targets), case.windows
        self._loss_scale = case.loss_scale(len(case.inputs))
        self._gradient_scale = 2 * case.loss_scale(len(self.windows[0][0]))

    def forward(self, parameters: Parameters, x: Array) -> tuple[Array, Array]:
        """Return activations and outputs, the last two axes of which are patterns and units."""
        w, v, b, c = parameters
        z = self._product(x, w)
        if self._s1 != 1:
            z *= self._s1
        if b is not None:
            z += b
        a = self._function(z)
        u = self._product(a, v)
        if self._s2 != 1:
            u *= self._s2
        if c is not None:
            u += c
        return a, self._output(u)

    def gradients(self, parameters: Parameters, x: Array, y: Array) -> list[Array]:
        """Return gradients of the parameters that there are."""
        _, v, b, _ = parameters
        a, outputs = self.forward(parameters, x)
        g = self._gradient_scale * (outputs - y)
        if not self._linear:
            g *= self._output_slope(outputs)
        scaled = g if self._s2 == 1 else self._s2 * g
        delta = self._product(scaled, v.swapaxes(-1, -2))
        delta *= self._slope(a)
        grad_v = self._product(a.swapaxes(-1, -2), scaled)
        grad_w = self._product(x.T, delta if self._s1 == 1 else self._s1 * delta)
        if b is None:
            return [grad_w, grad_v]
        return [grad_w, grad_v, delta.sum(-2, keepdims=b.ndim > 1), g.sum(-2, keepdims=b.ndim > 1)]

    def losses(self, parameters: Parameters) -> Array:
        """Return the loss of each network over all patterns."""
        x, y = self.patterns
        loss: Array = self._loss_scale * np.square(self.forward(parameters, x)[1] - y).sum(axis=(-1, -2))
        return loss


def make_update(case: Case, parameters: list[Array]) -> Callable[[list[Array]], None]:
    """Return what updates ``parameters`` in place, given gradients."""
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


def train(case: Case, passes: Passes, parameters: Parameters) -> Array:
    """Train networks in place; return their final losses."""
    update = make_update(case, [part for part in parameters if part is not None])
    windows = passes.windows
    for step in range(case.steps):
        update(passes.gradients(parameters, *windows[step % len(windows)]))
    return passes.losses(parameters)


@cache
def _passes(case: Case) -> Passes:
    return Passes(case, np.dot)


def train_one(case: Case, weights: Array) -> float:
    """Train one network as the notebook does."""
    parameters = case.split(weights[np.newaxis]).map(lambda part: part[0].copy())
    return float(train(case, _passes(case), parameters))


class Notebook(Peer):
    """The loop of the notebook, one network after the other."""

    title: ClassVar[str] = "NumPy, the notebook's loop"

    def train(self, weights: Array) -> Array:
        """Train networks one by one."""
        with np.errstate(all="ignore"):
            return np.array([train_one(self.case, row) for row in weights])


class NumpyBatch(BatchPeer):
    """Whole arrays of networks, written as matrix products over a batch."""

    title: ClassVar[str] = "NumPy, batched"
    variants: ClassVar[tuple[int, ...]] = (64, 256, 1024, 4096, 16384)

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        self._passes = Passes(case, np.matmul)

    @np.errstate(all="ignore")
    def train_batch(self, weights: Array) -> Array:
        """Train one batch."""
        parameters = self.case.split(weights)
        return train(
            self.case, self._passes, parameters.map(lambda p: p.copy() if p.ndim > 2 else p[:, np.newaxis].copy())
        )
