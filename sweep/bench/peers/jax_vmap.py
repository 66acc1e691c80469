"""JAX as in its documentation: the gradient of one network's loss and optax, scanned over steps, under ``vmap``."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax

from kernels.recipe import sizes_of
from sweep.bench.case import BETA1, BETA2, EPS, MOMENTUM, Array, Case
from sweep.bench.peers import Peer

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)


class JaxVmap(Peer):
    """Default settings, one call for each batch, threads left to XLA."""

    title: ClassVar[str] = "JAX, vmap + scan"
    activations: ClassVar[tuple[str, ...]] = ()
    variants: ClassVar[tuple[int, ...]] = (64, 256, 1024, 4096, 16384)

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        self._run = jax.jit(jax.vmap(self._train_one))
        sgd = optax.sgd(case.learning_rate, MOMENTUM if case.optimizer == "momentum" else None)
        self._optimizer = optax.adam(case.learning_rate, BETA1, BETA2, EPS) if case.optimizer == "adam" else sgd

    @classmethod
    def variants_for(cls, case: Case) -> tuple[int, ...]:
        """Return sizes of a batch: those for XOR, scaled down by the number of activations."""
        scale = 2 ** max(0, (len(case.windows[0][0]) * sum(sizes_of(case.hidden)) // 64).bit_length() - 1)
        return tuple(dict.fromkeys(max(1, size // scale) for size in cls.variants))

    def train(self, weights: Array) -> Array:
        """Hand batches to XLA, which may work on one while the next is prepared."""
        return np.concatenate([self._run(self.case.split(b)) for b in np.split(weights, len(weights) // self.variant)])

    def _train_one(self, start: Any) -> Any:
        xs, ys = (jnp.stack(part) for part in zip(*self.case.windows, strict=True))

        def step(carry: Any, t: Any) -> tuple[Any, None]:
            parameters, state = carry
            x, y = (xs[t % len(xs)], ys[t % len(ys)]) if len(xs) > 1 else self.case.windows[0]
            updates, state = self._optimizer.update(jax.grad(self._loss)(parameters, x, y), state, parameters)
            return (optax.apply_updates(parameters, updates), state), None

        (trained, _), _ = jax.lax.scan(step, (start, self._optimizer.init(start)), jnp.arange(self.case.steps))
        return self._loss(trained, self.case.inputs, self.case.targets)

    def _loss(self, parameters: Any, x: Any, y: Any) -> Any:
        a = x
        for (weights, biases), scale, function in zip(parameters, self.case.scales, self.case.functions, strict=True):
            z = scale * (a @ weights) if biases is None else scale * (a @ weights) + biases
            a = getattr(jax.nn, function)(z)
        return self.case.loss_scale(len(x)) * jnp.square(a - y).sum()
