"""The SIMD number: W networks side by side in one value.

Kernels are written over *lanes* (a vector of W equal-typed numbers) and *masks*
(W booleans). Compiled, a lanes value is an LLVM vector that lives in registers
and every operator is one instruction or a few; see :mod:`kernels.simd.lowering`.
With the JIT off a lanes value is a one-dimensional NumPy array, so the same
source gives the same bits, element by element.

Operators: ``+ - * /``, comparisons, and for masks ``& | ~``; for unsigned
integer lanes ``+ - * ^ & | << >>``. A scalar operand is rounded to the type of
the lanes first, so float32 never widens.

No lane depends on its neighbours: :func:`any_lane` is the only function that
reads several, and it only decides whether to take a branch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernels.simd import jit
from kernels.simd.functions import ELEMENTARY, Lanes, Mask, absolute, constant, select, sqrt

Rows: TypeAlias = NDArray[Any]  # (row, lane), or a stack of rows

# Rows of this many bytes or more start on a cache line.
ALIGNMENT = 64

_UNSIGNED = {4: np.uint32, 8: np.uint64}
_FLOATING = {4: np.float32, 8: np.float64}


def any_lane(mask: Mask) -> bool:
    """Return whether the mask holds in some lane."""
    return bool(mask.any())


def multiply_add(value: Lanes, factor: float, term: Lanes | float) -> Lanes:
    """Return ``value * factor + term``, rounded once or twice, depending on the CPU.

    The caller must ensure that both are equal: the product must be exact, or overflow only where the sum does.

    Parameters
    ----------
    value
        Lanes.
    factor
        A number.
    term
        Lanes or a number.

    Returns
    -------
    lanes
    """
    return value * factor + term


def bits(value: Lanes) -> Lanes:
    """Read floating lanes as unsigned integers of the same size."""
    return value.view(_UNSIGNED[value.dtype.itemsize])


def from_bits(value: Lanes) -> Lanes:
    """Read unsigned integers as floating lanes of the same size."""
    return value.view(_FLOATING[value.dtype.itemsize])


def floating(value: Lanes) -> Lanes:
    """Convert uint32 lanes to the float64 lanes of equal numbers."""
    return value.astype(np.float64)


def widen(value: Lanes) -> Lanes:
    """Convert float32 lanes to the float64 lanes of equal numbers."""
    return value.astype(np.float64)


def narrow(value: Lanes) -> Lanes:
    """Round float64 lanes to float32."""
    return value.astype(np.float32)


@dataclass(frozen=True)
class Memory:
    """Access to rows of lanes of one dtype and width.

    Attributes
    ----------
    dtype
    width
        Lanes in a row.
    load : (rows, index) -> lanes
        Read one row.
    store : (rows, index, lanes or scalar) -> None
        Write one row.
    fill : (scalar) -> lanes
        The same number in every lane.
    rows_of : (array or rows, first) -> rows
        View rows from row ``first`` on. Compiled, they are an address, of the
        same type as rows of a stack: code over rows is compiled once for both.
    """

    dtype: str
    width: int
    load: Callable[[Rows, int], Lanes]
    store: Callable[[Rows, int, Lanes | float], None]
    fill: Callable[[float], Lanes]
    rows_of: Callable[[Rows, int], Rows]

    def stack(self, count: int) -> Callable[[], Rows]:
        """Return a function that makes ``count`` rows local to the calling kernel.

        Compiled, the rows are stack slots, which LLVM keeps in registers where every
        index is a constant. Their content is undefined until stored.
        """

        def rows() -> Rows:
            return np.empty((count, self.width), self.dtype)

        if jit.ENABLED:
            from kernels.simd import lowering_rows

            lowering_rows.register_stack(rows, self.dtype, self.width, count)
        return rows

    def group(self, count: int) -> tuple[Callable[[Rows, int], Lanes], Callable[[Rows, int, Lanes], None]]:
        """Return ``load`` and ``store`` of ``count`` neighbouring rows as one value, ``count`` times as wide.

        Compiled, the rows are loaded and stored one by one.
        """

        def load_group(rows: Rows, first: int) -> Lanes:
            return rows[first : first + count].flatten()

        def store_group(rows: Rows, first: int, value: Lanes) -> None:
            rows[first : first + count] = value.reshape(count, self.width)

        if jit.ENABLED:
            from kernels.simd import lowering_rows

            lowering_rows.register_group(load_group, store_group, self.dtype, self.width, count)
        return load_group, store_group


@cache
def memory(dtype: str, width: int) -> Memory:
    """Return the access functions for rows of ``width`` lanes of ``dtype``.

    Parameters
    ----------
    dtype
        ``"float64"``, ``"float32"`` or ``"uint32"``.
    width
        Lanes in a row, a power of two (any width with the JIT off).
    """

    def load(rows: Rows, index: int) -> Lanes:
        row: Lanes = rows[index].copy()
        return row

    def store(rows: Rows, index: int, value: Lanes | float) -> None:
        rows[index] = value

    def fill(value: float) -> Lanes:
        return np.full(width, value, dtype)

    def rows_of(rows: Rows, first: int) -> Rows:
        return rows[first:]

    if jit.ENABLED:
        from kernels.simd import lowering_rows

        lowering_rows.register_memory(load, store, rows_of, dtype, width)
        lowering_rows.register_fill(fill, dtype, width)
    return Memory(dtype, width, load, store, fill, rows_of)


def align_frame() -> None:
    """Start the stack frame of the calling kernel on a cache line.

    Lanes that do not fit in registers are kept there. LLVM gives them slots where
    the caller's stack happens to end, and one that straddles two cache lines costs
    twice.
    """


def aligned_rows(count: int, width: int, dtype: str) -> NDArray[Any]:
    """Allocate rows of zeros that start on a cache line.

    Parameters
    ----------
    count, width
        Rows, and lanes of each.
    dtype
        Of a lane.

    Returns
    -------
    (count, width) of ``dtype``
    """
    size = count * width * np.dtype(dtype).itemsize
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(count, width)


if jit.ENABLED:
    from kernels.simd import lowering, lowering_functions

    lowering.register_operators()
    lowering_functions.register_functions(select, any_lane, absolute, sqrt, constant)
    lowering_functions.register_elementary(ELEMENTARY)
    lowering_functions.register_casts(bits, from_bits, floating, widen, narrow)
    lowering_functions.register_multiply_add(multiply_add)
    lowering_functions.register_align_frame(align_frame, ALIGNMENT)
