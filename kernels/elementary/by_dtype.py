"""The elementary functions of each dtype."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kernels.elementary.exponentials import Function, exponentials
from kernels.elementary.log1p_exp import make_softplus
from kernels.elementary.logarithm import make_log
from kernels.elementary.normal import make_normal
from kernels.elementary.trigonometric import Pair, make_sin_cos
from kernels.lanes.arithmetic import Lanes
from kernels.numba.jit import device


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
    sin_cos = make_sin_cos(dtype)
    normal = make_normal(dtype)
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
