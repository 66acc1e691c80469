"""JAX as in its documentation: one network under vmap, and networks along the last axis.

Default settings, one call for each batch, threads left to XLA. The version of a specialist in
XLA is in :mod:`sweep.bench.peers.jax_tuned`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from sweep.bench.case import BETA1, BETA2, EPS, MOMENTUM, Array, Case
from sweep.bench.peers import Peer, batches_for, refuse_all_but_xor

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)

Traced = Any

FUNCTIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid, "identity": lambda z: z}


class _Jax(Peer):
    """Batch after batch through one compiled function."""

    variants: ClassVar[tuple[int, ...]] = (64, 256, 1024, 4096, 16384)

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        self._run = jax.jit(self._train_batch)

    @classmethod
    def variants_for(cls, case: Case) -> tuple[int, ...]:
        """Return sizes of a batch."""
        return batches_for(case, cls.variants)

    def train(self, weights: Array) -> Array:
        """Hand batches to XLA, which may work on one while the next is prepared."""
        batches = np.split(weights, len(weights) // self.granularity)
        losses = [self._run(self.case.split(batch)) for batch in batches]
        return np.concatenate([np.asarray(part) for part in losses])

    @abstractmethod
    def _train_batch(self, start: Traced) -> Traced:
        """Trace the training of one batch."""


def _optimizer(case: Case) -> Any:
    """Return the optimizer of a case."""
    if case.optimizer == "adam":
        return optax.adam(case.learning_rate, BETA1, BETA2, EPS)
    return optax.sgd(case.learning_rate, MOMENTUM if case.optimizer == "momentum" else None)


class JaxVmap(_Jax):
    """The gradient of one network's loss and optax, scanned over steps, under ``vmap``."""

    title: ClassVar[str] = "JAX, vmap + scan"

    def _train_batch(self, start: Traced) -> Traced:
        return jax.vmap(self._train_one)(start)

    def _train_one(self, start: Traced) -> Traced:
        optimizer, windows = _optimizer(self.case), self.case.windows
        xs, ys = (jnp.stack(part) for part in zip(*windows, strict=True))

        def step(carry: Traced, t: Traced) -> tuple[Traced, None]:
            parameters, state = carry
            x, y = windows[0] if len(windows) == 1 else (xs[t % len(xs)], ys[t % len(ys)])
            updates, state = optimizer.update(jax.grad(self._loss)(parameters, x, y), state, parameters)
            return (optax.apply_updates(parameters, updates), state), None

        (trained, _), _ = lax.scan(step, (start, optimizer.init(start)), jnp.arange(self.case.steps))
        return self._loss(trained, self.case.inputs, self.case.targets)

    def _loss(self, parameters: Traced, x: Traced, y: Traced) -> Traced:
        a = x
        for (weights, biases), scale, function in zip(parameters, self.case.scales, self.case.functions, strict=True):
            z = a @ weights if scale == 1 else scale * (a @ weights)
            a = FUNCTIONS[function](z if biases is None else z + biases)
        return self.case.loss_scale(len(x)) * jnp.square(a - y).sum()


class JaxLanes(_Jax):
    """Forward and backward passes by hand, over arrays whose last axis is the networks."""

    title: ClassVar[str] = "JAX, lanes last"

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        refuse_all_but_xor(case, "JAX with lanes last")
        super().__init__(case, variant, threads)

    def _train_batch(self, start: Traced) -> Traced:
        (w, b), (v, c) = start
        lanes = tuple(jnp.moveaxis(part, 0, -1) for part in (w, v[..., 0], b, c))
        trained, _ = lax.scan(lambda p, _: (self._step(*p), None), lanes, length=self.case.steps)
        return jnp.square(self._forward(*trained)[1]).sum(axis=0)

    def _forward(self, w: Traced, v: Traced, b: Traced, c: Traced) -> tuple[Traced, Traced]:
        """Return activations (patterns, hidden, networks) and errors (patterns, networks)."""
        z = (self.case.inputs[..., np.newaxis, np.newaxis] * w).sum(axis=1) + b
        a = FUNCTIONS[self.case.activation](z)
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
