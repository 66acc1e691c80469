"""The functions that custom components are written with, on lanes: a number for each network trained side by side.

Beside them a component uses its arguments, numbers, ``+ - * /``, comparisons, and ``& | ~`` of these. See
:func:`sweep.activation`, :func:`sweep.loss` and :func:`sweep.optimizer`.
"""

from kernels.simd.functions import (
    absolute,
    constant,
    elu,
    exp,
    log,
    normal,
    normal_cdf,
    select,
    sigmoid,
    sin,
    sin_cos,
    softplus,
    sqrt,
    tanh,
)

__all__ = [
    "absolute",
    "constant",
    "elu",
    "exp",
    "log",
    "normal",
    "normal_cdf",
    "select",
    "sigmoid",
    "sin",
    "sin_cos",
    "softplus",
    "sqrt",
    "tanh",
]
