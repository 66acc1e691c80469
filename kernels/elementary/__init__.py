"""Elementary functions with the same bits on every machine.

The mathematical libraries of operating systems differ between versions and CPUs. These
functions use only + - * /, comparisons, selection, conversions and integer operations on
the bits, each of which IEEE 754 defines exactly.

They are accurate to 2 units in the last place (ulp) for all inputs, with two exceptions:
sin and cos beyond 2^19 (see :mod:`kernels.elementary.trigonometric`), and
``normal_cdf`` below -1, which is within 3.5 ulp, where e^x, a polynomial and a division add up.
Each is monotone wherever the exact function is, NaN stays NaN, and subnormal results are
kept. ``tests/accuracy/survey.py`` measures the errors, ``tests/accuracy/derive.py`` derives the
coefficients.
"""
