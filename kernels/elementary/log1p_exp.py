"""softplus(x) = log(1 + e^x).

For |x| < 1 it is ln 2 + (x/2 + x^2 C(x^2)): x/2 is exact and larger than the rest, so that
the sum never decreases. The logarithm would, where rounding e^x hides steps of x. Elsewhere
softplus is max(x, 0) + log(1 + t) with t = e^-|x|, and log(1 + t) = t - s (t - s^2 L(s^2))
with s = t / (2 + t): the series of 2 artanh(s), arranged as in Sun's fdlibm (log, 1993)
so that the largest term, t, is not rounded.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kernels.elementary.exponentials import FORMATS, Function, powers
from kernels.elementary.polynomial import horner
from kernels.lanes.arithmetic import Lanes, absolute, select
from kernels.numba.jit import device

SPLIT = 1.0


class _Constants(NamedTuple):
    ln2_head: float
    ln2_tail: float
    curve: tuple[float, ...]  # C


_CONSTANTS = {
    "float64": _Constants(
        ln2_head=0.69314718055994528623,
        ln2_tail=2.3190468138462996155e-17,
        curve=(
            0.12499999999999750778,
            -0.0052083333332395754865,
            0.00034722222098386057822,
            -0.000026351678381935786391,
            2.1356617483883966889e-6,
            -1.8025314768521016797e-7,
            1.5560578103860087943e-8,
            -1.3005100336189022548e-9,
            8.0248904677551393875e-11,
        ),
    ),
    "float32": _Constants(
        ln2_head=0.69314712285995483398,
        ln2_tail=5.7699990475432857121e-8,
        curve=(
            0.12499985362294279374,
            -0.0052070012621825096995,
            0.00034331640109996305358,
            -0.0000216646002543640746,
        ),
    ),
}

# L, for t from 0 to 1 or more: the logarithm needs it for less.
LOG1P_TAIL: dict[str, tuple[float, ...]] = {
    "float64": (
        0.66666666666666831981,
        0.39999999999825698031,
        0.28571428633560729773,
        0.22222211730817261494,
        0.1818276408823652623,
        0.15337904199897745173,
        0.14518661330572413818,
    ),
    "float32": (0.66666726567561018203, 0.39985026975268340055, 0.29631002082620217971),
}


@cache
def make_softplus(dtype: str) -> Function:
    """Return softplus for lanes of ``dtype``."""
    ln2_head, ln2_tail, curve = _CONSTANTS[dtype]
    log1p_tail = LOG1P_TAIL[dtype]
    shifter, low = FORMATS[dtype].shifter, FORMATS[dtype].exp_low
    shifted_of, _, remainder, _, halves, _ = powers(dtype)

    @device
    def softplus(x: Lanes) -> Lanes:
        size = absolute(x)
        square = x * x
        near = ln2_head + (x * 0.5 + (ln2_tail + square * horner(square, curve)))

        negative = select(size > -low, low, -size)
        shifted = shifted_of(negative)
        first, second = halves(shifted)
        t = (1.0 + remainder(negative, shifted - shifter)) * first * second
        s = t / (t + 2.0)
        square = s * s
        log1p = t - s * (t - square * horner(square, log1p_tail))
        return select(size < SPLIT, near, select(x > 0.0, x + log1p, log1p))

    return softplus
