"""Functions that tests of the oracle share: NumPy's and SciPy's elementary functions, and training with defaults."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from tests import oracle
from tests.oracle.components import Array, Functions

FUNCTIONS: Functions = {
    "exp": np.exp,
    "log": np.log,
    "cos of float64": np.cos,
    "expm1": np.expm1,
    "tanh": np.tanh,
    "sigmoid": special.expit,
    "softplus": lambda z: np.logaddexp(0, z),
    "sin": np.sin,
    "cos": np.cos,
    "normal_cdf": special.ndtr,
    "normal_pdf": lambda z: np.exp(z * z / -2) / np.sqrt(2 * np.pi).astype(z.dtype),
    "log1p_exp_negative": lambda x: np.log1p(np.exp(-x)),
}

XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])

# Defaults of `train` below: two tanh units with biases, trained until the last step.
DEFAULTS = {
    "hidden": 2,
    "activation": "tanh",
    "output": "identity",
    "loss": "sse",
    "criterion": "none",
    "bias": True,
    "dtype": "float64",
    "learning_rate": 0.1,
    "functions": FUNCTIONS,
}


def train(weights: Any, patterns: tuple[Array, Array] = XOR, **options: Any) -> oracle.Result:
    """Train the networks of `weights` (R, P), on XOR by default."""
    return oracle.train(*patterns, weights, **(DEFAULTS | options))


def draw_networks(count: int, n_parameters: int, seed: int, dtype: str = "float64") -> Array:
    """Draw networks (R, P) of ordinary weights."""
    return np.random.default_rng(seed).normal(0.0, 0.8, (count, n_parameters)).astype(dtype)
