"""Plain Numba: one network at a time in scalars, ``prange`` over networks; the usual remedy for a slow loop."""

from __future__ import annotations

from typing import Any, ClassVar

import numba
import numpy as np

from sweep.bench.case import Array, Case
from sweep.bench.peers import Peer


@numba.njit(parallel=True)
def _train(weights: Array, inputs: Array, targets: Array, hidden: int, steps: int, rate: Any) -> Array:
    n_patterns, losses = inputs.shape[0], np.empty(weights.shape[0], weights.dtype)
    zero = targets[0, 0] - targets[0, 0]
    for network in numba.prange(weights.shape[0]):
        p = weights[network]
        gradient, a = np.empty_like(p), np.empty((n_patterns, hidden), weights.dtype)
        for t in range(steps + 1):
            gradient[:] = zero
            total = zero
            for n in range(n_patterns):
                y = zero
                for h in range(hidden):
                    z = inputs[n, 0] * p[h] + inputs[n, 1] * p[hidden + h] + p[3 * hidden + h]
                    a[n, h] = z if z > zero else zero
                    y += a[n, h] * p[2 * hidden + h]
                e = y + p[4 * hidden] - targets[n, 0]
                total += e * e
                g = e + e
                for h in range(hidden):
                    delta = g * p[2 * hidden + h] if a[n, h] > zero else zero
                    gradient[h] += inputs[n, 0] * delta
                    gradient[hidden + h] += inputs[n, 1] * delta
                    gradient[2 * hidden + h] += a[n, h] * g
                    gradient[3 * hidden + h] += delta
                gradient[4 * hidden] += g
            if t < steps:
                for k in range(p.size):
                    p[k] -= rate * gradient[k]
        losses[network] = total
    return losses


class NumbaScalar(Peer):
    """Networks are trained in place."""

    title: ClassVar[str] = "Numba, scalar prange"
    activations: ClassVar[tuple[str, ...]] = ("relu",)
    same_bits: ClassVar[bool] = True

    def train(self, weights: Array) -> Array:
        """Train networks on threads."""
        numba.set_num_threads(self.threads)
        case: Case = self.case
        rate = np.dtype(case.dtype).type(case.learning_rate)
        losses: Array = _train(weights, case.inputs, case.targets, case.hidden, case.steps, rate)
        return losses
