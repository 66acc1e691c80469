"""NumPy: the notebook's loop over one network, and the same over a batch."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sweep.bench.case import Array, Case
from sweep.bench.peers import BatchPeer, Peer


def train_one(case: Case, weights: Array) -> float:
    """Train one network as the notebook does, with biases; return its final loss."""
    x, y = case.inputs, case.targets
    w, v, b, c = (part[0].copy() for part in case.split(weights[np.newaxis]))
    relu, rate = case.activation == "relu", np.dtype(case.dtype).type(case.learning_rate)
    for _ in range(case.steps):
        h = x.dot(w) + b
        a = np.maximum(h, 0) if relu else np.tanh(h)
        grad_y = 2 * (a.dot(v) + c - y)
        grad_v = a.T.dot(grad_y)
        grad_h = grad_y.dot(v.T)
        if relu:
            grad_h[h < 0] = 0
        else:
            grad_h *= 1 - a * a
        w -= rate * x.T.dot(grad_h)
        v -= rate * grad_v
        b -= rate * grad_h.sum(axis=0)
        c -= rate * grad_y.sum(axis=0)
    h = x.dot(w) + b
    a = np.maximum(h, 0) if relu else np.tanh(h)
    return float(np.square(a.dot(v) + c - y).sum())


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

    @np.errstate(all="ignore")
    def train_batch(self, weights: Array) -> Array:
        """Train one batch."""
        case = self.case
        x, y = case.inputs, case.targets
        w, v, b, c = (part.copy() for part in case.split(weights))
        b, c = b[:, np.newaxis], c[:, np.newaxis]
        relu, rate = case.activation == "relu", np.dtype(case.dtype).type(case.learning_rate)
        for step in range(case.steps + 1):
            h = x @ w + b
            a = np.maximum(h, 0) if relu else np.tanh(h)
            e = a @ v + c - y
            if step == case.steps:
                break
            grad_y = 2 * e
            grad_h = grad_y @ v.swapaxes(1, 2)
            if relu:
                grad_h *= h > 0
            else:
                grad_h *= 1 - a * a
            v -= rate * (a.swapaxes(1, 2) @ grad_y)
            w -= rate * (x.T @ grad_h)
            b -= rate * grad_h.sum(axis=1, keepdims=True)
            c -= rate * grad_y.sum(axis=1, keepdims=True)
        return np.asarray(np.square(e).sum(axis=(1, 2)))
