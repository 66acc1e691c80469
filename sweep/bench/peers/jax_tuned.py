"""The fastest JAX on the CPU: undocumented settings, and arithmetic rearranged by hand.

The order of operations is no longer that of the other peers, and XLA contracts
products and sums, so losses agree only nearly.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

# A loop over steps that XLA compiles into one function, instead of a graph of small
# kernels to dispatch, is 1.5 to 2 times as fast; 512 bits another 1.1 to 1.4 times.
# The user's own flags come last, so they win.
_FLAGS = (
    "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=100000000",
    "--xla_cpu_prefer_vector_width=512",
    os.environ.get("XLA_FLAGS", ""),
)
os.environ["XLA_FLAGS"] = " ".join(_FLAGS)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

from sweep.bench.case import Array, Case  # noqa: E402
from sweep.bench.peers import BatchPeer, refuse_all_but_xor  # noqa: E402

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)

# Batches that one call trains: a call costs about as much as a tenth of a batch.
BATCHES = 8
# Units summed at a time: LLVM unrolls and vectorizes a sum of 8, one of 32 stays scalar.
SUMMED = 8

Traced = Any


class JaxTuned(BatchPeer):
    """Arrays (rows, networks), batches in parallel threads: jitted calls release the GIL.

    A second XLA device instead of a second thread brings nothing, and XLA's own
    threads leave loops this small alone.
    """

    title: ClassVar[str] = "JAX, lanes last, tuned"
    # Parameters of a batch fit into the first cache where it is fastest.
    variants: ClassVar[tuple[int, ...]] = (16, 32, 64, 128, 256, 1024)

    def __init__(self, case: Case, variant: int, threads: int) -> None:
        super().__init__(case, variant, threads)
        refuse_all_but_xor(case, "tuned JAX")
        self._run = jax.jit(self._train_batches)

    @property
    def granularity(self) -> int:
        """Networks of one call."""
        return BATCHES * self.variant

    def train_batch(self, weights: Array) -> Array:
        """Train several batches in one call."""
        return np.asarray(self._run(weights))

    def _train_batches(self, weights: Traced) -> Traced:
        return lax.map(self._train_batch, weights.reshape(BATCHES, self.variant, -1)).reshape(-1)

    def _train_batch(self, weights: Traced) -> Traced:
        start = tuple(self._cut(weights.T))
        trained = lax.fori_loop(0, self.case.steps, lambda _, p: self._step(*p), start)
        return self._loss(*trained)

    def _cut(self, weights: Traced) -> list[Traced]:
        """Cut parameters, along the first axis, into w of both inputs, v, b, c."""
        hidden = self.case.hidden
        return [*jnp.split(weights[: 4 * hidden], 4), weights[4 * hidden]]

    def _forward(self, w0: Traced, w1: Traced, v: Traced, b: Traced, c: Traced) -> tuple[list[Traced], list[Traced]]:
        """Return activations (hidden, ...) and error (...) of each pattern, which are constants here."""
        case = self.case
        activations, errors = [], []
        for (x0, x1), (y,) in zip(case.inputs, case.targets, strict=True):
            h = sum(w for w, x in ((w0, x0), (w1, x1)) if x) + b
            a = jnp.maximum(h, 0) if case.activation == "relu" else jnp.tanh(h)
            activations.append(a)
            errors.append(_sum(a * v) + (c - float(y)))
        return activations, errors

    def _step(self, w0: Traced, w1: Traced, v: Traced, b: Traced, c: Traced) -> tuple[Traced, ...]:
        """Update once; this backward pass is 1.2 to 1.8 times as fast as jax.grad's."""
        case, rate = self.case, 2 * self.case.learning_rate
        activations, errors = self._forward(w0, w1, v, b, c)
        if case.activation == "relu":
            deltas = [jnp.where(a > 0, e, 0) for a, e in zip(activations, errors, strict=True)]
        else:
            deltas = [(1 - a * a) * e for a, e in zip(activations, errors, strict=True)]
        grad_v = sum(a * e for a, e in zip(activations, errors, strict=True))
        grad_w0, grad_w1 = (sum(d for d, x in zip(deltas, column, strict=True) if x) for column in case.inputs.T)
        scale = rate * v
        return (
            w0 - scale * grad_w0,
            w1 - scale * grad_w1,
            v - rate * grad_v,
            b - scale * sum(deltas),
            c - rate * sum(errors),
        )

    def _loss(self, *parameters: Traced) -> Traced:
        return sum(e * e for e in self._forward(*parameters)[1])


def _sum(terms: Traced) -> Traced:
    """Sum along the first axis."""
    hidden = len(terms)
    if hidden <= SUMMED or hidden % SUMMED:
        return terms.sum(axis=0)
    partial = terms.reshape(hidden // SUMMED, SUMMED, *terms.shape[1:]).sum(axis=1)
    return lax.optimization_barrier(partial).sum(axis=0)  # or XLA makes one sum of two
