"""JAX as its documentation teaches it: one network under vmap, and networks along the last axis.

Default settings, one call a batch, threads left to XLA. What a specialist gets out of
XLA is in :mod:`sweep.bench.peers.jax_tuned`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sweep.bench.case import Array, Case
from sweep.bench.peers import Peer

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)

Traced = Any


class _Jax(Peer):
    """Batch after batch through one compiled function."""

    variants: ClassVar[tuple[int, ...]] = (64, 256, 1024, 4096, 16384)

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        self._run = jax.jit(self._train_batch)
        self._activation = jax.nn.relu if case.activation == "relu" else jnp.tanh

    def train(self, weights: Array) -> Array:
        """Hand batches to XLA, which may work on one while the next is prepared."""
        batches = np.split(weights, len(weights) // self.granularity)
        losses = [self._run(*self.case.split(batch)) for batch in batches]
        return np.concatenate([np.asarray(part) for part in losses])

    @abstractmethod
    def _train_batch(self, w: Traced, v: Traced, b: Traced, c: Traced) -> Traced:
        """Trace the training of one batch."""


class JaxVmap(_Jax):
    """The gradient of one network's loss, scanned over steps, under ``vmap``."""

    title: ClassVar[str] = "JAX, vmap + scan"

    def _train_batch(self, w: Traced, v: Traced, b: Traced, c: Traced) -> Traced:
        return jax.vmap(self._train_one)((w, v, b, c))

    def _train_one(self, start: Traced) -> Traced:
        def step(parameters: Traced, _: None) -> tuple[Traced, None]:
            gradient = jax.grad(self._loss)(parameters)
            return jax.tree.map(lambda p, g: p - self.case.learning_rate * g, parameters, gradient), None

        trained, _ = lax.scan(step, start, length=self.case.steps)
        return self._loss(trained)

    def _loss(self, parameters: Traced) -> Traced:
        w, v, b, c = parameters
        outputs = self._activation(self.case.inputs @ w + b) @ v + c
        return jnp.square(outputs - self.case.targets).sum()


class JaxLanes(_Jax):
    """Forward and backward passes by hand, over arrays whose last axis is the networks."""

    title: ClassVar[str] = "JAX, lanes last"

    def _train_batch(self, w: Traced, v: Traced, b: Traced, c: Traced) -> Traced:
        start = tuple(jnp.moveaxis(part, 0, -1) for part in (w, v[..., 0], b, c))
        trained, _ = lax.scan(lambda p, _: (self._step(*p), None), start, length=self.case.steps)
        return jnp.square(self._forward(*trained)[1]).sum(axis=0)

    def _forward(self, w: Traced, v: Traced, b: Traced, c: Traced) -> tuple[Traced, Traced]:
        """Return activations (patterns, hidden, networks) and errors (patterns, networks)."""
        z = (self.case.inputs[..., np.newaxis, np.newaxis] * w).sum(axis=1) + b
        a = self._activation(z)
        return a, (a * v).sum(axis=1) + c - self.case.targets

    def _step(self, w: Traced, v: Traced, b: Traced, c: Traced) -> tuple[Traced, ...]:
        a, error = self._forward(w, v, b, c)
        slope = (a > 0) if self.case.activation == "relu" else 1 - a * a
        g = 2 * error[:, np.newaxis]
        delta = g * v * slope
        x = self.case.inputs[..., np.newaxis, np.newaxis]
        rate = self.case.learning_rate
        return (
            w - rate * (x * delta[:, np.newaxis]).sum(axis=0),
            v - rate * (a * g).sum(axis=0),
            b - rate * delta.sum(axis=0),
            c - rate * g.sum(axis=0),
        )
