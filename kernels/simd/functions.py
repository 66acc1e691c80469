"""The functions in formulas, on lanes.

Compiled, those of the first half are single instructions (:mod:`kernels.simd.lowering_functions`), and the others
are the functions of :mod:`kernels.simd.elementary` for the dtype of their argument. With the JIT off they work on
NumPy arrays. Importing this module imports nothing, so components can be declared beside their formulas and be read
by programs that compute nothing.
"""

from __future__ import annotations

from typing import Any, TypeAlias

# LLVM vectors or NumPy arrays, which no Python type stands for.
Lanes: TypeAlias = Any
Mask: TypeAlias = Any


def select(mask: Mask, chosen: Lanes | float, otherwise: Lanes | float) -> Lanes:
    """Return ``chosen`` where the mask holds and ``otherwise`` elsewhere.

    Parameters
    ----------
    mask
        A mask of lanes, or one truth value for all lanes.
    chosen, otherwise
        Lanes or a number, at least one of them lanes; or two masks.

    Returns
    -------
    lanes or mask

    Raises
    ------
    TypeError
        If both are numbers, which have no dtype of lanes.
    """
    import numpy as np

    if isinstance(chosen, (int, float)) and isinstance(otherwise, (int, float)):
        raise TypeError(
            f"select: must have lanes as a value, got two numbers; write constant({chosen!r}, z) of sweep.lanes"
        )
    return np.where(mask, chosen, otherwise)


def absolute(value: Lanes) -> Lanes:
    """Return the absolute value, which clears the sign bit."""
    import numpy as np

    return np.abs(value)


def sqrt(value: Lanes) -> Lanes:
    """Return the square root, correctly rounded according to IEEE 754; NaN below zero."""
    import numpy as np

    return np.sqrt(value)


def constant(number: float, like: Lanes) -> Lanes:
    """Return a number in every lane, in the dtype and width of ``like``."""
    import numpy as np

    return np.full_like(like, number)


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
    from kernels.simd.elementary import elementary

    return elementary(x.dtype.name)
