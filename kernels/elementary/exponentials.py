"""The exponential function and functions that follow from it directly: exp, tanh, sigmoid and elu.

Method of exp: x = k ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite, Software
Manual for the Elementary Functions, 1980: ln 2 in two parts, so that k times
the first is exact), then e^r = 1 + (r + r^2 Q(r)) and a scaling by 2^k.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeAlias

from kernels.elementary.polynomial import horner, horner_in_two
from kernels.lanes.arithmetic import Lanes, absolute, select
from kernels.lanes.operations import bits, from_bits
from kernels.numba.jit import device

Function: TypeAlias = Callable[[Lanes], Lanes]


class Format(NamedTuple):
    """Constants of a floating-point format and the polynomials fitted to it."""

    shifter: float  # 1.5 * 2^(p - 1): adding it leaves the nearest integer in the low bits
    exponent_bias: int
    exponent_shift: int
    ln2_head: float
    ln2_tail: float
    exp_low: float  # e^x rounds to zero below
    exp_high: float  # and overflows above
    exp_tail: tuple[float, ...]  # Q
    tanh_high: float  # tanh is 1 above
    tanh_numerator: tuple[float, ...]  # (tanh(x)/x - 1) / x^2 in powers of x^2
    tanh_denominator: tuple[float, ...]
    sigmoid_low: float  # 1 + 2^k is exact for every k above
    elu_low: float  # e^x - 1 is -1 below


FORMATS = {
    "float64": Format(
        shifter=1.5 * 2.0**52,
        exponent_bias=1023,
        exponent_shift=52,
        ln2_head=0.69314718055966295651,
        ln2_tail=2.8235290563031577123e-13,
        exp_low=-746.0,
        exp_high=710.0,
        exp_tail=(
            0.50000000000000106271,
            0.16666666666666412523,
            0.041666666666530158596,
            0.0083333333334944616628,
            0.0013888888943630111699,
            0.00019841269506578687765,
            0.000024801493098907708102,
            2.7557586373841898417e-6,
            2.7630248378834832855e-7,
            2.5000061601851449761e-8,
        ),
        tanh_high=20.0,
        tanh_numerator=(-0.33333333333333332707, -0.020498799708498872634, -0.00019917804358612869883),
        tanh_denominator=(1.0, 0.46149639912549314413, 0.023291331876298858901, 0.00020653373748750249712),
        sigmoid_low=-36.0,
        elu_low=-40.0,
    ),
    "float32": Format(
        shifter=1.5 * 2.0**23,
        exponent_bias=127,
        exponent_shift=23,
        ln2_head=0.693145751953125,
        ln2_tail=1.4286068203094172321e-6,
        exp_low=-104.0,
        exp_high=89.0,
        exp_tail=(
            0.49999993447796588445,
            0.1666652063171026018,
            0.041668388045300240297,
            0.0083687168796571411746,
            0.0013814598647033237941,
        ),
        tanh_high=10.0,
        tanh_numerator=(-0.33333333314181733538, -0.001737278961957210889, 0.000060192549366952396887),
        tanh_denominator=(1.0, 0.40521178956053136309),
        sigmoid_low=-15.9,
        elu_low=-20.0,
    ),
}

TANH_SPLIT = 0.625
PER_LN2 = 1.4426950408889634074


class Powers(NamedTuple):
    """The parts of e^x = 2^k (1 + s)."""

    shifted: Function  # the nearest integer k to x / ln 2, plus the format's ``shifter``: k stands in the low bits
    less_one: Function  # s = e^r - 1 for |r| <= ln 2 / 2
    remainder: Callable[[Lanes, Lanes], Lanes]  # (x, k): s for r = x - k ln 2
    clamp: Function  # x, limited to a range beyond which e^x is certainly zero or infinite; NaN stays
    halves: Callable[[Lanes], tuple[Lanes, Lanes]]  # (shifted): two factors of 2^k, which may be beyond the format
    single: Function  # (shifted): 2^k, for k among the exponents of normal numbers


class Exponentials(NamedTuple):
    """The functions of one dtype, lanes to lanes."""

    exp: Function
    tanh: Function
    sigmoid: Function
    elu: Function


@cache
def powers(dtype: str) -> Powers:
    """Return the parts of e^x for lanes of ``dtype``."""
    constants = FORMATS[dtype]
    shifter, bias, shift = constants.shifter, constants.exponent_bias, constants.exponent_shift
    ln2_head, ln2_tail = constants.ln2_head, constants.ln2_tail
    even, odd = constants.exp_tail[0::2], constants.exp_tail[1::2]
    low, high = constants.exp_low, constants.exp_high

    @device
    def shifted(x: Lanes) -> Lanes:
        return x * PER_LN2 + shifter

    @device
    def less_one(r: Lanes) -> Lanes:
        square = r * r
        return r + square * horner_in_two(r, square, even, odd)

    @device
    def remainder(x: Lanes, k: Lanes) -> Lanes:
        return less_one((x - k * ln2_head) - k * ln2_tail)

    @device
    def clamp(x: Lanes) -> Lanes:
        return select(x < low, low, select(x > high, high, x))

    @device
    def halves(shifted: Lanes) -> tuple[Lanes, Lanes]:
        whole = bits(shifted)
        half = whole >> 1  # of the shifter too, but only the low bits reach the exponent
        return from_bits((half + bias) << shift), from_bits(((whole - half) + bias) << shift)

    @device
    def single(shifted: Lanes) -> Lanes:
        return from_bits((bits(shifted) + bias) << shift)

    return Powers(shifted, less_one, remainder, clamp, halves, single)


@cache
def exponentials(dtype: str) -> Exponentials:
    """Return exp, tanh, sigmoid and elu for lanes of ``dtype``."""
    constants = FORMATS[dtype]
    shifter, shift = constants.shifter, constants.exponent_shift
    elu_low, tanh_high, sigmoid_low = constants.elu_low, constants.tanh_high, constants.sigmoid_low
    tanh_numerator, tanh_denominator = constants.tanh_numerator, constants.tanh_denominator
    sign = 1 << (63 if dtype == "float64" else 31)
    one = constants.exponent_bias << shift
    shifted_of, _, remainder, clamp, halves, single = powers(dtype)

    @device
    def exp(x: Lanes) -> Lanes:
        clamped = clamp(x)
        shifted = shifted_of(clamped)
        first, second = halves(shifted)
        return (1.0 + remainder(clamped, shifted - shifter)) * first * second  # only the last product rounds

    @device
    def tanh(x: Lanes) -> Lanes:
        """X + x x^2 P/Q for small |x|, else s + s (-2 / (e^2|x| + 1)) with s = 1 or -1: one division.

        NaN is not large, and passes as x.
        """
        size = absolute(x)
        large = size >= TANH_SPLIT
        square = x * x
        double = select(size > tanh_high, tanh_high, size) * 2.0
        shifted = shifted_of(double)
        # times 2^k by adding k to the exponent, which exceeds no format here
        power = from_bits(bits(1.0 + remainder(double, shifted - shifter)) + (bits(shifted) << shift))
        quotient = select(large, -2.0, square * horner(square, tanh_numerator)) / select(
            large, power + 1.0, horner(square, tanh_denominator)
        )
        base = select(large, from_bits((bits(x) & sign) | one), x)
        return base + base * quotient

    @device
    def sigmoid(x: Lanes) -> Lanes:
        """1 / (1 + e^-x), and far below zero e^x - e^2x, which cannot overflow.

        With e^-x = p (1 + s) and p = 2^k the sum is (p + 1) + p s, where p + 1 is
        exact; adding 1 to e^-x would round twice.
        """
        far = x < sigmoid_low
        argument = clamp(select(far, x, -x))
        shifted = shifted_of(argument)
        s = remainder(argument, shifted - shifter)
        first, second = halves(shifted)
        p = first * second
        power = (1.0 + s) * first * second
        return select(far, power - power * power, 1.0 / ((p + 1.0) + p * s))

    @device
    def elu(x: Lanes) -> Lanes:
        """X above zero, else e^x - 1 = (p - 1) + p s with e^x = p (1 + s), where p - 1 is exact."""
        clamped = select(x < elu_low, elu_low, x)
        shifted = shifted_of(clamped)
        p = single(shifted)
        return select(x > 0.0, x, (p - 1.0) + p * remainder(clamped, shifted - shifter))

    return Exponentials(exp, tanh, sigmoid, elu)
