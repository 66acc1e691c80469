"""Largest eigenvalues of symmetric matrices, with the same bits on every machine.

LAPACK and BLAS add in an order that depends on the machine. Here every operation is + - * / or sqrt of NumPy arrays
over the matrices, and every sum has one order, so the eigenvalue of a matrix does not depend on the other matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# The interval of an eigenvalue is cut into _PARTS parts _CUTS times: enough for the last bit of the largest element.
_PARTS, _CUTS = 16, 16
# Elements of matrices that are reduced to tridiagonal form together.
_MOST_IN_CACHE = 2**18
# A column whose squares add up to less counts as 0, in matrices with elements of size 1.
_NOTHING = 2.0**-500


def largest_eigenvalues(matrices: Array) -> Array:
    """Return the algebraically largest eigenvalue of each of the symmetric matrices, (matrices, n, n) of float64.

    It is NaN where an element is not finite. The error is about 2^-52 n of the largest eigenvalue by size.

    Householder reflections make a matrix tridiagonal (Golub and Van Loan, Matrix Computations, algorithm 8.3.1). The
    eigenvalue is found by repeated division of an interval: a number is above all eigenvalues if all pivots of the
    matrix minus that number are negative (Sylvester's law of inertia).
    """
    largest = np.abs(matrices).max(axis=(1, 2))
    usable = np.isfinite(largest)
    _, exponents = np.frexp(np.where(usable, largest, 1.0))  # squares of scaled elements neither overflow nor vanish
    n_matrices, n = matrices.shape[:2]
    each = max(1, _MOST_IN_CACHE // n**2)
    diagonal, beside = np.empty((n, n_matrices)), np.empty((n - 1, n_matrices))
    with np.errstate(all="ignore"):  # pivots may be 0, and infinities and NaN are handled at the end
        for first in range(0, n_matrices, each):
            own = slice(first, first + each)
            scaled = np.ldexp(matrices[own], -exponents[own, np.newaxis, np.newaxis])
            diagonal[:, own], beside[:, own] = _tridiagonal(scaled)
        values = np.ldexp(_by_parts(diagonal, beside), exponents)
    return np.where(usable, values, np.nan)


def _tridiagonal(a: Array) -> tuple[Array, Array]:
    """Return diagonals (n, matrices) and off-diagonals (n - 1, matrices) of similar matrices; overwrite ``a``."""
    n_matrices, n = a.shape[:2]
    diagonal, beside = np.empty((n, n_matrices)), np.empty((n - 1, n_matrices))
    for k in range(n - 1):
        diagonal[k] = a[:, k, k]
        v, rest = a[:, k, k + 1 :].copy(), a[:, k + 1 :, k + 1 :]
        squares = folded_sum(v * v)
        small = squares < _NOTHING
        head = np.where(v[:, 0] > 0, -np.sqrt(squares), np.sqrt(squares))
        beside[k] = np.where(small, v[:, 0], head)
        v[:, 0] -= head
        factor = np.where(small, 0.0, 2.0 / folded_sum(v * v))[:, np.newaxis]
        p = factor * folded_sum(rest * v[:, :, np.newaxis])
        p -= (0.5 * factor * folded_sum(p * v)[:, np.newaxis]) * v
        change = v[:, :, np.newaxis] * p[:, np.newaxis]
        change += p[:, :, np.newaxis] * v[:, np.newaxis]
        rest -= change
    diagonal[-1] = a[:, -1, -1]
    return diagonal, beside


def _by_parts(diagonal: Array, beside: Array) -> Array:
    """Return the largest eigenvalues of tridiagonal matrices in the form of :func:`_tridiagonal`."""
    sides = np.zeros((len(diagonal) + 1, diagonal.shape[1]))
    sides[1:-1] = np.abs(beside)
    low, high = diagonal.max(axis=0), (diagonal + (sides[:-1] + sides[1:])).max(axis=0)  # Gershgorin
    squares, parts = beside * beside, np.arange(1, _PARTS)[:, np.newaxis] / _PARTS
    for _ in range(_CUTS):
        tried = low + (high - low) * parts
        pivot = diagonal[0] - tried
        above = pivot < 0
        for on_diagonal, square in zip(diagonal[1:], squares, strict=True):
            pivot = (on_diagonal - tried) - square / pivot
            above &= pivot < 0
        number, ends = (~above).sum(axis=0), np.concatenate([low[np.newaxis], tried, high[np.newaxis]])
        low, high = (np.take_along_axis(ends, (number + k)[np.newaxis], axis=0)[0] for k in (0, 1))
    values: Array = high
    return values


def folded_sum(terms: Array) -> Array:
    """Return sums over the second axis: its second half is added to the first one until one term is left."""
    while (n := terms.shape[1]) > 1:
        half = (n + 1) // 2
        folded = terms[:, :half].copy()
        folded[:, : n - half] += terms[:, half:]
        terms = folded
    total: Array = terms[:, 0]
    return total
