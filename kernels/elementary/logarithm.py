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
    form = FORMATS[dtype]
    info = np.finfo(dtype)
    tail = LOG1P_TAIL[dtype]
    bias = form.exponent_bias
    shift = form.exponent_shift
    ln2_head = form.ln2_head
    ln2_tail = form.ln2_tail
    tiny = float(info.tiny)
    largest = float(info.max)
    infinity = float(np.inf)
    # A subnormal number times 2^lift is normal.
    lift = float(shift + 2)
    lifting = 2.0 ** (shift + 2)
    one = bias << shift
    fraction = (1 << shift) - 1
    # The bits of 2^shift, to which an integer in the low bits is added exactly.
    whole = 2.0**shift
    whole_bits = (bias + shift) << shift

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
