"""Activations and losses, elementwise, and sums in order.

The contract gives some activations by the function alone. With f for the elementary functions, the operations are:

========== ======================== ========================================
name       a = act(z)               act'(z)
========== ======================== ========================================
identity   z                        1
relu       z < 0 ? 0 : z            z > 0 ? 1 : 0
leaky_relu z < 0 ? leak * z : z     z > 0 ? 1 : leak
elu        z > 0 ? z : f.expm1(z)   z > 0 ? 1 : f.exp(z)
softplus   f.softplus(z)            f.sigmoid(z)
silu       z * s, s = f.sigmoid(z)  s * (1 + z * (1 - s))
gelu       z * f.normal_cdf(z)      f.normal_cdf(z) + z * f.normal_pdf(z)
sin        f.sin(z)                 f.cos(z)
tanh       f.tanh(z)                1 - a * a
sigmoid    f.sigmoid(z)             a * (1 - a)
========== ======================== ========================================

A product with the slope of ReLU is a choice between the factor and 0, so that it is 0 even where the factor is
infinite or NaN; with every other slope it is a product, NaN included. Comparisons with NaN are false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Functions = Mapping[str, Callable[[Array], Array]]  # elementary functions by name; they keep shape and dtype

LOSSES = ("squared", "half_squared", "bce", "hinge")
REDUCTIONS = ("sum", "mean", "pattern_mean")
ALIASES = {"sse": ("squared", "sum"), "mse": ("squared", "mean")}  # of a loss and a reduction


def add_in_order(terms: Iterable[Array]) -> Array:
    """Add the terms left to right, starting at the first one (not at zero)."""
    remaining = iter(terms)
    total = next(remaining)
    for term in remaining:
        total = total + term
    return total


def positive(x: Array) -> Array:
    """Replace what is below 0 by 0; NaN stays."""
    return np.where(x < 0, 0, x)


# What a is, given z, the slope of leaky_relu below 0 and the elementary functions.
VALUES: dict[str, Callable[[Array, Any, Functions], Array]] = {
    "identity": lambda z, leak, f: z,
    "relu": lambda z, leak, f: positive(z),
    "leaky_relu": lambda z, leak, f: np.where(z < 0, leak * z, z),
    "elu": lambda z, leak, f: np.where(z > 0, z, f["expm1"](z)),
    "softplus": lambda z, leak, f: f["softplus"](z),
    "silu": lambda z, leak, f: z * f["sigmoid"](z),
    "gelu": lambda z, leak, f: z * f["normal_cdf"](z),
    "sin": lambda z, leak, f: f["sin"](z),
    "tanh": lambda z, leak, f: f["tanh"](z),
    "sigmoid": lambda z, leak, f: f["sigmoid"](z),
}

# The gradient with respect to z, given that with respect to a, then z, a and as above.
CHAINS: dict[str, Callable[[Array, Array, Array, Any, Functions], Array]] = {
    "identity": lambda g, z, a, leak, f: g,
    "relu": lambda g, z, a, leak, f: np.where(z > 0, g, 0),
    "leaky_relu": lambda g, z, a, leak, f: np.where(z > 0, g, g * leak),
    "elu": lambda g, z, a, leak, f: np.where(z > 0, g, g * f["exp"](z)),
    "softplus": lambda g, z, a, leak, f: g * f["sigmoid"](z),
    "silu": lambda g, z, a, leak, f: g * ((s := f["sigmoid"](z)) * (1 + z * (1 - s))),
    "gelu": lambda g, z, a, leak, f: g * (f["normal_cdf"](z) + z * f["normal_pdf"](z)),
    "sin": lambda g, z, a, leak, f: g * f["cos"](z),
    "tanh": lambda g, z, a, leak, f: g * (1 - a * a),
    "sigmoid": lambda g, z, a, leak, f: g * (a * (1 - a)),
}


def count(reduction: str, n_patterns: int, n_outputs: int) -> int:
    """Count by what a sum over patterns and outputs is divided; 1, which is exact, for a sum."""
    return {"sum": 1, "mean": n_patterns * n_outputs, "pattern_mean": n_patterns}[reduction]


def loss_term(loss: str, u: Array, y: Array, target: Any, f: Functions) -> Array:
    """Compute what one pattern and output add to the loss."""
    if loss == "bce":
        return (positive(u) - target * u) + f["log1p_exp_negative"](np.abs(u))
    if loss == "hinge":
        return positive(1 - target * y)
    e = y - target
    return e * e


def loss_total(loss: str, terms: Iterable[Array], divisor: int) -> Array:
    """Compute the loss of all its terms."""
    total = add_in_order(terms) / divisor
    return total * 0.5 if loss == "half_squared" else total


def loss_slope(loss: str, y: Array, target: Any, divisor: int) -> Array:
    """Differentiate the loss by one y; of bce, which has its own output, by u."""
    if loss == "hinge":
        return np.where(target * y < 1, -target, 0) / divisor
    e = y - target
    return (2 * e if loss == "squared" else e) / divisor
