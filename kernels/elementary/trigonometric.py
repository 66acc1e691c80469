"""sin and cos.

Method: x = k pi/2 + r with |r| <= pi/4 (Cody and Waite, Software Manual for the
Elementary Functions, 1980), then sin r = r + r r^2 S(r^2) or cos r = 1 + r^2 C(r^2).
k modulo 4 decides which of the two it is, and its sign.

float64: pi/2 is the sum of four parts. k times each of the first three is exact, and so
is the difference after the first two, whose last bit counts 2^-53; hence r is rounded
once, even where x is nearly a multiple of pi/2. float32: the same in two parts in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeAlias

from kernels.elementary.exponentials import FORMATS
from kernels.elementary.polynomial import horner
from kernels.lanes.arithmetic import Lanes, absolute, select
from kernels.lanes.operations import bits, from_bits, narrow, widen
from kernels.numba.jit import device

Pair: TypeAlias = Callable[[Lanes], tuple[Lanes, Lanes]]

PER_HALF_PI = 0.63661977236758134308

# Values are accurate up to this size: k times each part of pi/2 is exact there.
ACCURATE = 2.0**19
# Beyond this size the argument is replaced by zero. Between the two, float64 results are those of a number less
# than a unit in the last place from x, and float32 results err by up to 4e-6.
FAR = {"float64": 2.0**36, "float32": 2.0**22}

_HALF_PI = {
    "float64": (
        1.5707963267923332751,
        2.5632829192545614205e-12,
        6.1232339953846098996e-17,
        3.5215598651832003884e-27,
    ),
    "float32": (1.5707963267341256142, 6.0771005065061926015e-11),
}


class _Constants(NamedTuple):
    sin_tail: tuple[float, ...]  # S
    cos_tail: tuple[float, ...]  # C


_CONSTANTS = {
    "float64": _Constants(
        sin_tail=(
            -0.16666666666666631651,
            0.0083333333333223151318,
            -0.00019841269829725189399,
            2.7557313662052951504e-6,
            -2.5050753263885985251e-8,
            1.5896504912429966749e-10,
        ),
        cos_tail=(
            -0.49999999999999999563,
            0.041666666666666486088,
            -0.0013888888888863662156,
            0.000024801587284878126071,
            -2.7557313304204816823e-7,
            2.0875604077706156903e-9,
            -1.1354289686509243196e-11,
        ),
    ),
    "float32": _Constants(
        sin_tail=(-0.16666654873478245426, 0.0083321735432004231687, -0.00019516655811410314064),
        cos_tail=(
            -0.49999999722908561682,
            0.041666623064674146005,
            -0.001388675532550548351,
            0.00002438963434888041816,
        ),
    ),
}


@cache
def _make_reduce(dtype: str) -> Callable[[Lanes, Lanes], Lanes]:
    """Make the function of x and k that computes r = x - k pi/2."""
    if dtype == "float32":
        head, tail = _HALF_PI[dtype]

        @device
        def reduce_in_float64(x: Lanes, k: Lanes) -> Lanes:
            wide = widen(k)
            return narrow((widen(x) - wide * head) - wide * tail)

        return reduce_in_float64

    first, second, third, fourth = _HALF_PI[dtype]

    @device
    def reduce(x: Lanes, k: Lanes) -> Lanes:
        return (((x - k * first) - k * second) - k * third) - k * fourth

    return reduce


@cache
def make_sin_cos(dtype: str) -> Pair:
    """Make the function that computes sin and cos of lanes of ``dtype``.

    LLVM leaves out the one that the caller does not use.
    """
    sin_tail, cos_tail = _CONSTANTS[dtype]
    shifter = FORMATS[dtype].shifter
    far = FAR[dtype]
    to_sign = 62 if dtype == "float64" else 30
    sign = 2 << to_sign
    reduce = _make_reduce(dtype)

    @device
    def sin_cos(x: Lanes) -> tuple[Lanes, Lanes]:
        x = select(absolute(x) > far, x - x, x)  # infinities become NaN
        shifted = x * PER_HALF_PI + shifter
        r = reduce(x, shifted - shifter)
        square = r * r
        sin_r = r + r * (square * horner(square, sin_tail))
        cos_r = 1.0 + square * horner(square, cos_tail)
        quarter = bits(shifted)
        odd = (quarter & 1) == 1
        sin = from_bits(bits(select(odd, cos_r, sin_r)) ^ ((quarter << to_sign) & sign))
        cos = from_bits(bits(select(odd, sin_r, cos_r)) ^ (((quarter + 1) << to_sign) & sign))
        return sin, cos

    return sin_cos
