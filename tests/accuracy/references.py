"""The elementary functions in NumPy, computed in a format wider than the measured one.

Arguments are float64 or long double arrays, and so are the results. sin and cos are
those of the C library, which reduces arguments of any size exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

# The normal distribution is a series below this size, and a continued fraction from here on.
_TAIL = 1.5
# Sizes, and how many levels of the fraction matter from there on.
_LEVELS = ((_TAIL, 280), (2.5, 100), (5.0, 30), (np.inf, 0))
# The function is zero beyond, in float64 too.
_END = 150.0


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x)."""
    power = np.exp(-np.abs(x))
    value: Array = np.where(x < 0, power, 1) / (1 + power)
    return value


def elu(x: Array) -> Array:
    """X above zero, else e^x - 1."""
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def softplus(x: Array) -> Array:
    """log(1 + e^x)."""
    value: Array = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return value


def normal_density(x: Array) -> Array:
    """e^(-x^2/2) / sqrt(2 pi), with x^2 in two parts: an error of the exponent is one of the result."""
    size = np.minimum(np.abs(x), _END)
    head = np.floor(size * 2**16) / 2**16
    root = np.sqrt(8 * np.arctan(x.dtype.type(1)))
    value: Array = np.exp(-head * head / 2) * np.exp((head - size) * (head + size) / 2) / root
    return value


def normal_cdf(x: Array) -> Array:
    """Phi(x), the probability that a standard normal number is at most x."""
    value = np.array(x)
    near, far = np.abs(x) < _TAIL, np.abs(x) >= _TAIL
    value[near] = 0.5 + normal_density(x[near]) * _series(x[near])
    below = normal_density(x[far]) * _fraction(np.minimum(np.abs(x[far]), _END))
    value[far] = np.where(x[far] > 0, 1 - below, below)
    return value


def _series(x: Array) -> Array:
    """Return x + x^3/3 + x^5/(3 5) + x^7/(3 5 7) + .. for |x| < 1.5."""
    square, value = x * x, np.ones_like(x)
    for odd in range(61 if x.dtype == np.longdouble else 49, 1, -2):
        value = 1 + square / odd * value
    return x * value


def _fraction(t: Array) -> Array:
    """1/(t + 1/(t + 2/(t + 3/(t + ..)))), Laplace's fraction."""
    value = np.zeros_like(t)
    for (low, levels), (high, _) in itertools.pairwise(_LEVELS):
        here = (low <= t) & (t < high)
        part = rest = t[here]
        for level in range(levels, 0, -1):
            rest = part + level / rest
        value[here] = 1 / rest
    return value


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "elu": elu,
    "softplus": softplus,
    "sin": np.sin,
    "cos": np.cos,
    "normal_cdf": normal_cdf,
    "normal_density": normal_density,
}

# The sign of the slope of those that do not rise everywhere.
SLOPES: dict[str, Callable[[Array], Array]] = {
    "sin": np.cos,
    "cos": lambda x: -np.sin(x),
    "normal_density": np.negative,
}
