"""Activations and losses, elementwise, and sums in order.

The contract defines some activations only as functions. With f for the elementary functions, the operations are:

========== ======================== ========================================
name       a = act(z)               act'(z)
========== ======================== ========================================
identity   z                        1
relu       z < 0 ? 0 : z            z > 0 ? 1 : 0
leaky_relu z < 0 ? k * z : z        z > 0 ? 1 : k, k = negative_slope
elu        z > 0 ? z : f.expm1(z)   z > 0 ? 1 : f.exp(z)
softplus   f.softplus(z)            f.sigmoid(z)
silu       z * q, q = f.sigmoid(z)  q * (1 + z * (1 - q))
gelu       z * f.normal_cdf(z)      f.normal_cdf(z) + z * f.normal_pdf(z)
mish       z * t                    t + z * ((1 - t * t) * f.sigmoid(z)), t = f.tanh(f.softplus(z))
softsign   z / (1 + |z|)            q * q, q = 1 / (1 + |z|)
sin        f.sin(z)                 f.cos(z)
tanh       f.tanh(z)                1 - a * a
sigmoid    f.sigmoid(z)             a * (1 - a)
========== ======================== ========================================

A product with the slope of ReLU is a choice between the factor and 0, so it is 0 even where the factor is
infinite or NaN; with every other slope it is a product, NaN included. Comparisons with NaN are false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Functions = Mapping[str, Callable[[Array], Array]]  # elementary functions by name; they keep shape and dtype

Own = Mapping[str, Any]  # settings of components by name, rounded to the dtype: (R,) or one number

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
    """Replace numbers below 0 by 0; NaN stays."""
    return np.where(x < 0, 0, x)


# The activation a from z, the settings and the elementary functions.
VALUES: dict[str, Callable[[Array, Own, Functions], Array]] = {
    "identity": lambda z, s, f: z,
    "relu": lambda z, s, f: positive(z),
    "leaky_relu": lambda z, s, f: np.where(z < 0, s["negative_slope"] * z, z),
    "elu": lambda z, s, f: np.where(z > 0, z, f["expm1"](z)),
    "softplus": lambda z, s, f: f["softplus"](z),
    "silu": lambda z, s, f: z * f["sigmoid"](z),
    "gelu": lambda z, s, f: z * f["normal_cdf"](z),
    "mish": lambda z, s, f: z * f["tanh"](f["softplus"](z)),
    "softsign": lambda z, s, f: z / (1 + np.abs(z)),
    "sin": lambda z, s, f: f["sin"](z),
    "tanh": lambda z, s, f: f["tanh"](z),
    "sigmoid": lambda z, s, f: f["sigmoid"](z),
}

# The gradient with respect to z, from the gradient with respect to a, z, a, and as above.
CHAINS: dict[str, Callable[[Array, Array, Array, Own, Functions], Array]] = {
    "identity": lambda g, z, a, s, f: g,
    "relu": lambda g, z, a, s, f: np.where(z > 0, g, 0),
    "leaky_relu": lambda g, z, a, s, f: np.where(z > 0, g, g * s["negative_slope"]),
    "elu": lambda g, z, a, s, f: np.where(z > 0, g, g * f["exp"](z)),
    "softplus": lambda g, z, a, s, f: g * f["sigmoid"](z),
    "silu": lambda g, z, a, s, f: g * ((q := f["sigmoid"](z)) * (1 + z * (1 - q))),
    "gelu": lambda g, z, a, s, f: g * (f["normal_cdf"](z) + z * f["normal_pdf"](z)),
    "mish": lambda g, z, a, s, f: g * ((t := f["tanh"](f["softplus"](z))) + z * ((1 - t * t) * f["sigmoid"](z))),
    "softsign": lambda g, z, a, s, f: g * ((q := 1 / (1 + np.abs(z))) * q),
    "sin": lambda g, z, a, s, f: g * f["cos"](z),
    "tanh": lambda g, z, a, s, f: g * (1 - a * a),
    "sigmoid": lambda g, z, a, s, f: g * (a * (1 - a)),
}


def count(reduction: str, n_patterns: int, n_outputs: int) -> int:
    """Return the divisor of a sum over patterns and outputs; 1, which is exact, for a sum."""
    return {"sum": 1, "mean": n_patterns * n_outputs, "pattern_mean": n_patterns}[reduction]


# The term of one pattern and output in the loss, from u, y, the target, the settings and the elementary functions.
TERMS: dict[str, Callable[[Array, Array, Any, Own, Functions], Array]] = {
    "squared": lambda u, y, target, s, f: (y - target) * (y - target),
    "half_squared": lambda u, y, target, s, f: (y - target) * (y - target),
    "bce": lambda u, y, target, s, f: (positive(u) - target * u) + f["log1p_exp_negative"](np.abs(u)),
    "hinge": lambda u, y, target, s, f: positive(1 - target * y),
    "huber": lambda u, y, target, s, f: np.where(
        np.abs(e := y - target) <= s["delta"], (e * e) * 0.5, s["delta"] * (np.abs(e) - 0.5 * s["delta"])
    ),
}


def softmax(u: Sequence[Array], f: Functions) -> tuple[list[Array], list[Array]]:
    """Compute the probabilities of classes from the sums of a pattern, and minus the logarithm of each."""
    largest = u[0]
    for each in u[1:]:
        largest = np.where(each > largest, each, largest)
    below = [each - largest for each in u]
    powers = [f["exp"](each) for each in below]
    total = add_in_order(powers)
    return [power / total for power in powers], [f["log"](total) - each for each in below]


# The derivative of the loss by y, without the division; for bce and cross_entropy, which fix the output, by u.
SLOPES: dict[str, Callable[[Array, Any, Own], Array]] = {
    "squared": lambda y, target, s: 2 * (y - target),
    "half_squared": lambda y, target, s: y - target,
    "bce": lambda y, target, s: y - target,
    "cross_entropy": lambda y, target, s: y - target,
    "hinge": lambda y, target, s: np.where(target * y < 1, -target, 0),
    "huber": lambda y, target, s: np.where(np.abs(e := y - target) > s["delta"], np.sign(e) * s["delta"], e),
}

LOSSES = (*TERMS, "cross_entropy")  # whose terms need all sums of a pattern
OWN_OUTPUTS = {"bce": "sigmoid", "cross_entropy": "softmax"}  # of losses that allow no other


def loss_total(loss: str, terms: Iterable[Array], divisor: int) -> Array:
    """Compute the loss from all its terms."""
    total = add_in_order(terms) / divisor
    return total * 0.5 if loss == "half_squared" else total
