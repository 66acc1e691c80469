"""Rows of lanes in memory and in stack frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernels.lanes import lowering_functions, lowering_rows
from kernels.lanes.arithmetic import Lanes
from kernels.lanes.lowering import ALIGNMENT
from kernels.numba import jit

Rows: TypeAlias = NDArray[Any]  # (row, lane), or a stack of rows


@dataclass(frozen=True)
class Memory:
    """Access to rows of lanes of one dtype and width."""

    dtype: str
    width: int  # lanes in a row
    load: Callable[[Rows, int], Lanes]  # read one row
    store: Callable[[Rows, int, Lanes | float], None]  # write one row
    fill: Callable[[float], Lanes]  # the same number in every lane
    # View rows from row ``first`` on. Compiled, they are an address, of the same type as rows of a stack: code over
    # rows is compiled once for both.
    rows_of: Callable[[Rows, int], Rows]

    def stack(self, count: int) -> Callable[[], Rows]:
        """Return a function that makes ``count`` rows local to the calling kernel.

        Compiled, the rows are stack slots, which LLVM keeps in registers where every
        index is a constant. Their content is undefined until stored.
        """

        def rows() -> Rows:
            return np.empty((count, self.width), self.dtype)

        if jit.ENABLED:
            lowering_rows.register_stack(rows, self.dtype, self.width, count)
        return rows

    def group(self, count: int) -> tuple[Callable[[Rows, int], Lanes], Callable[[Rows, int, Lanes], None]]:
        """Return ``load`` and ``store`` of ``count`` neighboring rows as one value, ``count`` times as wide.

        Compiled, the rows are loaded and stored one by one.
        """

        def load_group(rows: Rows, first: int) -> Lanes:
            return rows[first : first + count].flatten()

        def store_group(rows: Rows, first: int, value: Lanes) -> None:
            rows[first : first + count] = value.reshape(count, self.width)

        if jit.ENABLED:
            lowering_rows.register_group(load_group, store_group, self.dtype, self.width, count)
        return load_group, store_group


@cache
def make_memory(dtype: str, width: int) -> Memory:
    """Return the access functions for rows of lanes; the width is a power of two, or any with the JIT off."""

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
        lowering_functions.register_functions()
        lowering_rows.register_memory(load, store, rows_of, dtype, width)
        lowering_rows.register_fill(fill, dtype, width)
    return Memory(dtype, width, load, store, fill, rows_of)


def aligned_rows(count: int, width: int, dtype: str) -> NDArray[Any]:
    """Allocate rows of zeros, (count, width), that start on a cache line."""
    size = count * width * np.dtype(dtype).itemsize
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(count, width)
