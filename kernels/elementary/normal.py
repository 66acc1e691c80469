"""The normal distribution: Phi(x), the probability of a number below x, and its density.

Method: with t = |x|, Phi(-t) = e^(-t^2/2) T / t and Phi(t) = 1 - Phi(-t). T is a polynomial
of y = (t - 1) / (t/2 + pole) - center, which brings the numbers from 1 upward to less than
two (Schonfelder, Chebyshev expansions for the error and related functions, 1978, with
another y): at t = 1, where T is steepest, t - 1 is exact.

For t < 1, Phi(x) = 1/2 + (x/2 - x C(x^2)): x/2 is exact and larger than the rest, so that
Phi never decreases. The error of rounding 1/2 + x/2 is added to the rest.

The square of t is too long for the format, and an error of the exponent is one of the
result. As in Sun's fdlibm (erfc, 1993) the head of t, half as long, has an exact square;
what is missing, (head - t) (head + t) / 2, joins the exponent after its reduction.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from kernels.elementary.exponentials import FORMATS, powers
from kernels.elementary.polynomial import horner, horner_in_two
from kernels.elementary.trigonometric import Pair
from kernels.lanes.arithmetic import Lanes, absolute, select
from kernels.lanes.operations import bits, from_bits, multiply_add
from kernels.numba.jit import device

SPLIT = 1.0
PER_ROOT_TWO_PI = 0.39894228040143267794


class _Constants(NamedTuple):
    head_bits: int  # those of the head of a number
    high: float  # Phi(-t) and the density are zero above
    curve: tuple[float, ...]  # C
    pole: float
    center: float
    tail: tuple[float, ...]  # T


CONSTANTS = {
    "float64": _Constants(
        head_bits=2**64 - 2**27,
        high=39.0,
        curve=(
            0.10105771959856746156,
            0.06649038006689638234,
            -0.0099735570098561874043,
            0.0011873282138145845294,
            -0.0001154346790039683177,
            9.4446292027585258078e-6,
            -6.6591556276438041755e-7,
            4.1158486125667548088e-8,
            -2.2198344422860705474e-9,
            8.8747103576303554929e-11,
        ),
        pole=1.5,
        center=0.5,
        tail=(
            0.34843977111453627881,
            0.11197206094779311719,
            -0.0993267375326263634,
            0.044457568503460912816,
            -0.0084939069915176111942,
            -0.001110437559868597291,
            0.00066511146251030057707,
            0.000078620608701420033498,
            -0.000052447715226117216249,
            -0.000012272438193768449114,
            3.4107566599817810808e-6,
            1.869796525942069638e-6,
            2.2671798432572184185e-8,
            -2.0791440218890553172e-7,
            -5.7504214250682758593e-8,
            1.2014355662145112153e-8,
            5.9238275538098994596e-9,
            1.0984759384167110975e-9,
            4.9887029203315010067e-9,
            -5.3490047756169584979e-9,
            1.7519308843427573864e-9,
            -1.9588253071268342463e-10,
        ),
    ),
    "float32": _Constants(
        head_bits=2**32 - 2**12,
        high=14.5,
        curve=(
            0.10105772232271890106,
            0.066490314362139332919,
            -0.009973078380397236708,
            0.0011857849862660504726,
            -0.00011295217367907405299,
            7.4628948919685317721e-6,
        ),
        pole=1.0,
        center=0.25,
        tail=(
            0.30344686148039544572,
            0.14887986976791860705,
            -0.073130218629985568415,
            0.0059434972662065393328,
            0.0038362020009632558309,
            0.000031257574940037567024,
            -0.00025165508500864136652,
            -0.00012843963557688009825,
            0.000048508990647718747995,
        ),
    ),
}


@cache
def make_normal(dtype: str) -> Pair:
    """Make the function that computes Phi and the density at lanes of ``dtype``.

    LLVM leaves out the one that the caller does not use.
    """
    head_bits, high, curve, pole, center, tail = CONSTANTS[dtype]
    shifter, ln2_head, ln2_tail = FORMATS[dtype].shifter, FORMATS[dtype].ln2_head, FORMATS[dtype].ln2_tail
    constant, slope, bend, even, odd = *tail[:3], tail[3::2], tail[4::2]
    shifted_of, less_one, _, _, halves, _ = powers(dtype)

    @device
    def normal(x: Lanes) -> tuple[Lanes, Lanes]:
        size = absolute(x)
        t = select(size > high, high, size)
        # e^(-t^2/2) = first second (1 + s)
        head = from_bits(bits(t) & head_bits)
        exponent = (head * -0.5) * head
        missing = (head - t) * ((head + t) * 0.5)
        shifted = shifted_of(exponent + missing)
        k = shifted - shifter
        s = less_one((exponent - k * ln2_head) + (missing - k * ln2_tail))
        first, second = halves(shifted)
        density = (PER_ROOT_TWO_PI + PER_ROOT_TWO_PI * s) * first * second

        # T (1 + s) is rounded once: T = constant + rest is not rounded before
        y = (t - 1.0) / multiply_add(t, 0.5, pole) - center
        rest = y * (slope + y * (bend + y * horner_in_two(y, y * y, even, odd)))
        below = (constant + (rest + (constant + rest) * s)) / t * first * second

        half = x * 0.5
        rough = 0.5 + half
        near = rough + ((half - (rough - 0.5)) - x * horner(x * x, curve))
        return select(size < SPLIT, near, select(x > 0.0, 1.0 - below, below)), density

    return normal
