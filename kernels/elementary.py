"""exp, tanh and sigmoid with the same bits on every machine.

The mathematical libraries of operating systems differ between versions and
CPUs. These functions use only + - * /, comparisons and integer operations on
the bits, each of which IEEE 754 defines exactly, and are accurate to 2 units in
the last place (ulp) over all inputs; ``tests/accuracy/survey.py`` measures it.

Method of exp: x = k ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite, Software
Manual for the Elementary Functions, 1980: ln 2 in two parts, so that k times
the first is exact), then e^r = 1 + (r + r^2 Q(r)) and a scaling by 2^k. Q is
evaluated as E(r^2) + r O(r^2): as many operations, in half the time where each
waits for the one before. The coefficients are derived in ``tests/accuracy/derive.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeAlias

from kernels.jit import device
from kernels.lanes import Lanes, absolute, bits, from_bits, select

Function: TypeAlias = Callable[[Lanes], Lanes]


class _Format(NamedTuple):
    """Constants of a floating-point format and the polynomials fitted to it."""

    shifter: float  # 1.5 * 2^(p - 1): adding it leaves the nearest integer in the low bits
    exponent_bias: int
    exponent_shift: int
    ln2_head: float
    ln2_tail: float
    exp_low: float  # e^x rounds to zero below
    exp_high: float  # and overflows above
    exp_tail: tuple[float, ...]  # Q, ascending
    tanh_high: float  # tanh is 1 above
    tanh_numerator: tuple[float, ...]  # (tanh(x)/x - 1) / x^2 in powers of x^2
    tanh_denominator: tuple[float, ...]
    sigmoid_low: float  # 1 + 2^k is exact for every k above


_FORMATS = {
    "float64": _Format(
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
    ),
    "float32": _Format(
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
    ),
}

_TANH_SPLIT = 0.625


class Elementary(NamedTuple):
    """The functions of one dtype, lanes to lanes."""

    exp: Function
    tanh: Function
    sigmoid: Function


@cache
def elementary(dtype: str) -> Elementary:
    """Return exp, tanh and sigmoid for lanes of ``dtype`` (``"float64"`` or ``"float32"``)."""
    (
        shifter,
        bias,
        shift,
        ln2_head,
        ln2_tail,
        exp_low,
        exp_high,
        exp_tail,
        tanh_high,
        tanh_numerator,
        tanh_denominator,
        sigmoid_low,
    ) = _FORMATS[dtype]
    per_ln2 = 1.4426950408889634074
    sign = 1 << (63 if dtype == "float64" else 31)
    one = bias << shift
    even, odd = exp_tail[0::2], exp_tail[1::2]

    @device
    def power_of_two(shifted: Lanes) -> Lanes:
        """2^k for ``shifted`` = shifter + k, k within the normal exponents."""
        return from_bits((bits(shifted) + bias) << shift)

    @device
    def exp_remainder(x: Lanes, k: Lanes) -> Lanes:
        """e^r - 1 for r = x - k ln 2, k the nearest integer to x / ln 2."""
        r = (x - k * ln2_head) - k * ln2_tail
        square = r * r
        return r + square * (horner(square, even) + r * horner(square, odd))

    @device
    def clamp(x: Lanes) -> Lanes:
        """Limit to where e^x is neither zero nor infinite for certain; NaN stays."""
        return select(x < exp_low, exp_low, select(x > exp_high, exp_high, x))

    @device
    def exp(x: Lanes) -> Lanes:
        clamped = clamp(x)
        k = (clamped * per_ln2 + shifter) - shifter
        remainder = exp_remainder(clamped, k)
        # Two factors: 2^k itself may be beyond the format. Only the second rounds.
        half = k * 0.5 + shifter
        rest = (k - (half - shifter)) + shifter
        return (1.0 + remainder) * power_of_two(half) * power_of_two(rest)

    @device
    def tanh(x: Lanes) -> Lanes:
        """X + x x^2 P/Q for small |x|, else s + s (-2 / (e^2|x| + 1)) with s = 1 or -1: one division.

        NaN is not large, and passes as x.
        """
        size = absolute(x)
        large = size >= _TANH_SPLIT
        square = x * x
        double = select(size > tanh_high, tanh_high, size) * 2.0
        shifted = double * per_ln2 + shifter
        # times 2^k by adding k to the exponent, which exceeds no format here
        power = from_bits(bits(1.0 + exp_remainder(double, shifted - shifter)) + (bits(shifted) << shift))
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
        k = (argument * per_ln2 + shifter) - shifter
        s = exp_remainder(argument, k)
        half = k * 0.5 + shifter
        p_half = power_of_two(half)
        p_rest = power_of_two((k - (half - shifter)) + shifter)
        p = p_half * p_rest
        power = (1.0 + s) * p_half * p_rest
        return select(far, power - power * power, 1.0 / ((p + 1.0) + p * s))

    return Elementary(exp, tanh, sigmoid)


@device
def horner(x: Lanes, coefficients: tuple[float, ...]) -> Lanes:
    """Evaluate a polynomial of ascending ``coefficients``, highest power first."""
    last = len(coefficients) - 1
    value = x * coefficients[last] + coefficients[last - 1]
    for k in range(2, len(coefficients)):
        value = value * x + coefficients[last - k]
    return value
