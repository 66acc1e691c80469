"""What every peer trains: networks that learn XOR, fully specified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweep.patterns import TASKS

Array = NDArray[Any]

ACTIVATIONS = ("relu", "tanh")
DTYPES = ("float64", "float32")


class Parameters(NamedTuple):
    """Initial parameters of many networks, as layers want them."""

    w: Array  # (networks, inputs, hidden)
    v: Array  # (networks, hidden, outputs)
    b: Array  # (networks, hidden)
    c: Array  # (networks, outputs)


@dataclass(frozen=True)
class Case:
    """One kind of network, trained for a fixed number of steps on XOR with the sum of squared errors.

    Network k starts from what ``numpy.random.RandomState(k).randn`` draws, as xor-sweep
    does for seed k.
    """

    hidden: int
    dtype: str = "float64"
    activation: str = "relu"
    steps: int = 500
    learning_rate: float = 0.01

    @property
    def inputs(self) -> Array:
        """Patterns, (patterns, inputs)."""
        return np.array(TASKS["xor"][0], self.dtype)

    @property
    def targets(self) -> Array:
        """Targets, (patterns, outputs)."""
        return np.array(TASKS["xor"][1], self.dtype)

    @property
    def n_parameters(self) -> int:
        """Parameters of one network."""
        return 4 * self.hidden + 1

    def initial_weights(self, n_networks: int, first: int = 0) -> Array:
        """Draw the parameters of ``n_networks`` networks from ``first`` on with NumPy: w, v, b, c of each."""
        rows = np.empty((n_networks, self.n_parameters))
        for seed, row in enumerate(rows, first):
            row[:] = np.random.RandomState(seed).randn(row.size)
        return rows.astype(self.dtype)

    def split(self, weights: Array) -> Parameters:
        """View rows of parameters by layer."""
        n, hidden = len(weights), self.hidden
        w, v, b, c = np.split(weights, [2 * hidden, 3 * hidden, 4 * hidden], axis=1)
        return Parameters(w.reshape(n, 2, hidden), v.reshape(n, hidden, 1), b, c)
