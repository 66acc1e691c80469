"""The elementary functions in formulas, on lanes: each is that of :mod:`kernels.elementary.by_dtype` for the dtype.

Importing this module imports nothing, so components can be declared beside their formulas and be read by programs that
compute nothing.
"""

from __future__ import annotations

from typing import Any

from kernels.lanes.arithmetic import Lanes


def exp(x: Lanes) -> Lanes:
    """Return e^x."""
    return _elementary(x).exp(x)


def log(x: Lanes) -> Lanes:
    """Return the natural logarithm: minus infinity of 0, and NaN below."""
    return _elementary(x).log(x)


def tanh(x: Lanes) -> Lanes:
    """Return the hyperbolic tangent."""
    return _elementary(x).tanh(x)


def sigmoid(x: Lanes) -> Lanes:
    """Return 1 / (1 + e^-x)."""
    return _elementary(x).sigmoid(x)


def elu(x: Lanes) -> Lanes:
    """Return x above 0, and e^x - 1 elsewhere."""
    return _elementary(x).elu(x)


def softplus(x: Lanes) -> Lanes:
    """Return log(1 + e^x)."""
    return _elementary(x).softplus(x)


def sin(x: Lanes) -> Lanes:
    """Return the sine."""
    return _elementary(x).sin(x)


def sin_cos(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return the sine and the cosine."""
    pair: tuple[Lanes, Lanes] = _elementary(x).sin_cos(x)
    return pair


def normal_cdf(x: Lanes) -> Lanes:
    """Return the probability that a standard normal number is at most x."""
    return _elementary(x).normal_cdf(x)


def normal(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return the probability that a standard normal number is at most x, and the density at x."""
    pair: tuple[Lanes, Lanes] = _elementary(x).normal(x)
    return pair


ELEMENTARY = (exp, log, tanh, sigmoid, elu, softplus, sin, sin_cos, normal_cdf, normal)


def _elementary(x: Lanes) -> Any:
    from kernels.elementary.by_dtype import elementary

    return elementary(x.dtype.name)
