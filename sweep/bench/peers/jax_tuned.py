"""The fastest JAX on the CPU: undocumented settings, and arithmetic in another order, so losses agree only nearly."""

from __future__ import annotations

import os
from typing import Any, ClassVar

# A loop over steps that XLA compiles into one function is 1.5 to 2 times as fast as a graph of small kernels; 512 bits
# another 1.1 to 1.4 times. The user's own flags come last, so they win.
_LOOP = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=100000000"
os.environ["XLA_FLAGS"] = f"{_LOOP} --xla_cpu_prefer_vector_width=512 {os.environ.get('XLA_FLAGS', '')}"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from sweep.bench.case import Array, Case  # noqa: E402
from sweep.bench.peers import BatchPeer  # noqa: E402

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)


class JaxTuned(BatchPeer):
    """Arrays (units, networks); eight batches in each call, in parallel threads: jitted calls release the GIL."""

    title: ClassVar[str] = "JAX, lanes last, tuned"
    variants: ClassVar[tuple[int, ...]] = (128, 256, 512, 1024, 2048, 8192)  # parameters should fit the first cache

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        batches = 8, variant // 8, case.n_parameters
        self._run = jax.jit(lambda weights: jax.lax.map(self._train, weights.reshape(batches)).reshape(-1))

    def train_batch(self, weights: Array) -> Array:
        """Train several batches in one call."""
        return np.asarray(self._run(weights))

    def _train(self, weights: Any) -> Any:
        start = (*jnp.split(weights.T[:-1], 4), weights.T[-1])  # w of both inputs, v, b, c
        trained = jax.lax.fori_loop(0, self.case.steps, lambda _, p: self._step(*p), start)
        return sum(e * e for _, e in self._forward(*trained))

    def _forward(self, w0: Any, w1: Any, v: Any, b: Any, c: Any) -> list[tuple[Any, Any]]:
        hs = [sum(w for w, x in ((w0, x0), (w1, x1)) if x) + b for x0, x1 in self.case.inputs]
        activations = [jnp.maximum(h, 0) if self.case.activation == "relu" else jnp.tanh(h) for h in hs]
        return [(a, _sum(a * v) + (c - float(y))) for a, (y,) in zip(activations, self.case.targets, strict=True)]

    def _step(self, w0: Any, w1: Any, v: Any, b: Any, c: Any) -> tuple[Any, ...]:  # 1.2 to 1.8 times as fast as grad
        pairs, rate, relu = self._forward(w0, w1, v, b, c), 2 * self.case.learning_rate, self.case.activation == "relu"
        deltas = [jnp.where(a > 0, e, 0) if relu else (1 - a * a) * e for a, e in pairs]
        of_w0, of_w1 = (sum(d for d, x in zip(deltas, column, strict=True) if x) for column in self.case.inputs.T)
        of_v, of_c, scale = sum(a * e for a, e in pairs), sum(e for _, e in pairs), rate * v
        return w0 - scale * of_w0, w1 - scale * of_w1, v - rate * of_v, b - scale * sum(deltas), c - rate * of_c


def _sum(terms: Any) -> Any:  # by 8 units: LLVM unrolls and vectorizes a sum of 8, one of 32 stays scalar
    if len(terms) > 8 and len(terms) % 8 == 0:
        terms = jax.lax.optimization_barrier(terms.reshape(-1, 8, *terms.shape[1:]).sum(axis=1))  # or one sum of two
    return terms.sum(axis=0)
