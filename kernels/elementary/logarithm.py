"""The natural logarithm.

With x = 2^k m and sqrt(1/2) < m <= sqrt(2), log(x) = k ln 2 + log(1 + f) for f = m - 1, and log(1 + f) =
f - s (f - s^2 L(s^2)) with s = f / (2 + f), as for softplus. ln 2 is in two parts, so that k times the first is exact.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from kernels.elementary.exponentials import FORMATS, Function
from kernels.elementary.log1p_exp import LOG1P_TAIL
from kernels.elementary.polynomial import horner
from kernels.lanes.arithmetic import Lanes, select, sqrt
from kernels.lanes.operations import bits, from_bits
from kernels.numba.jit import device

SQRT2 = 1.4142135623730951


@cache
def make_log(dtype: str) -> Function:
    """Return the logarithm for lanes of ``dtype``: minus infinity of 0, and NaN below."""
    form, info, tail = FORMATS[dtype], np.finfo(dtype), LOG1P_TAIL[dtype]
    bias, shift, ln2_head, ln2_tail = form.exponent_bias, form.exponent_shift, form.ln2_head, form.ln2_tail
    tiny, largest, infinity = float(info.tiny), float(info.max), float(np.inf)
    lift, lifting = float(shift + 2), 2.0 ** (shift + 2)  # makes subnormal numbers normal
    one, fraction = bias << shift, (1 << shift) - 1
    # The bits of 2^shift, to which an integer in the low bits is added exactly.
    whole, whole_bits = 2.0**shift, (bias + shift) << shift

    @device
    def log(x: Lanes) -> Lanes:
        subnormal = x < tiny
        pattern = bits(select(subnormal, x * lifting, x))
        m = from_bits((pattern & fraction) | one)
        large = m > SQRT2
        k = from_bits((pattern >> shift) | whole_bits) - (whole + bias)
        k = select(large, k + 1.0, k)
        k = select(subnormal, k - lift, k)
        f = select(large, m * 0.5, m) - 1.0
        s = f / (f + 2.0)
        square = s * s
        value = k * ln2_head + ((f - s * (f - square * horner(square, tail))) + k * ln2_tail)
        return select(x > 0.0, select(x > largest, x, value), select(x == 0.0, -infinity, sqrt(x)))

    return log
