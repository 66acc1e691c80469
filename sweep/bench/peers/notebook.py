"""NumPy: the loop of the notebook, one network after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from sweep.bench.case import Array, Case
from sweep.bench.peers import Peer

# Activations, and their slopes from their values.
VALUES: dict[str, Callable[[Array], Array]] = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}
SLOPES: dict[str, Callable[[Array], Array]] = {"relu": lambda a: a > 0, "tanh": lambda a: 1 - a * a}


def descend(case: Case, parameters: tuple[Array, ...], product: Callable[[Array, Array], Array]) -> Array:
    """Train one network, or a batch along the first axis, in place; return the losses.

    ``product`` is ``numpy.dot`` for one network, whose overhead is smaller, or ``numpy.matmul``.
    """
    value, slope = VALUES[case.activation], SLOPES[case.activation]
    (w, b, v, c), x, y, rate = parameters, case.inputs, case.targets, case.learning_rate
    for _ in range(case.steps):
        a = value(product(x, w) + b)
        g = 2 * (product(a, v) + c - y)
        delta = product(g, v.swapaxes(-1, -2)) * slope(a)
        v -= rate * product(a.swapaxes(-1, -2), g)
        c -= rate * g.sum(-2, keepdims=True)
        w -= rate * product(x.T, delta)
        b -= rate * delta.sum(-2, keepdims=True)
    losses: Array = np.square(product(value(product(x, w) + b), v) + c - y).sum(axis=(-1, -2))
    return losses


def train_one(case: Case, weights: Array) -> float:
    """Train one network, (parameters,)."""
    (w, b), (v, c) = case.split(weights[np.newaxis].copy())
    return float(descend(case, (w[0], b, v[0], c), np.dot))


class Notebook(Peer):
    """One network after the other."""

    title: ClassVar[str] = "NumPy, the notebook's loop"

    @np.errstate(all="ignore")
    def train(self, weights: Array) -> Array:
        """Train networks one by one."""
        return np.array([train_one(self.case, row) for row in weights])
