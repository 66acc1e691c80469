"""Elementary functions with the same bits on every machine.

The mathematical libraries of operating systems differ between versions and CPUs. These
functions use only + - * /, comparisons, selection, conversions and integer operations on
the bits, each of which IEEE 754 defines exactly.

They are accurate to 2 units in the last place (ulp) for all inputs, with two exceptions:
sin and cos beyond 2^19 (see :mod:`kernels.simd.elementary.trigonometric`), and
``normal_cdf`` below -1, which is within 3.5 ulp, where e^x, a polynomial and a division add up.
Each is monotone wherever the exact function is, NaN stays NaN, and subnormal results are
kept. ``tests/accuracy/survey.py`` measures the errors, ``tests/accuracy/derive.py`` derives the
coefficients.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kernels.simd.elementary.exponential import Function, exponentials
from kernels.simd.elementary.logarithm import make_log
from kernels.simd.elementary.normal import make_normal
from kernels.simd.elementary.softplus import make_softplus
from kernels.simd.elementary.trigonometric import Pair, make_sin_cos
from kernels.simd.functions import Lanes
from kernels.simd.jit import device


class Elementary(NamedTuple):
    """The functions of one dtype, lanes to lanes."""

    exp: Function
    tanh: Function
    sigmoid: Function
    elu: Function
    softplus: Function
    sin: Function
    sin_cos: Pair
    normal_cdf: Function
    normal: Pair
    log: Function


@cache
def elementary(dtype: str) -> Elementary:
    """Return the functions for lanes of ``dtype`` (``"float64"`` or ``"float32"``)."""
    sin_cos, normal = make_sin_cos(dtype), make_normal(dtype)
    return Elementary(
        *exponentials(dtype),
        make_softplus(dtype),
        _first_of(sin_cos),
        sin_cos,
        _first_of(normal),
        normal,
        make_log(dtype),
    )


def _first_of(pair: Pair) -> Function:
    """Make the function of the first of two values; LLVM leaves out what only the second one needs."""

    @device
    def first(x: Lanes) -> Lanes:
        return pair(x)[0]

    return first
