"""How fast this machine can be: floating-point peak and vector tanh.

No training can do more operations a second than :func:`peak_operations`, and no
tanh network can be faster than its hidden activations divided by
:func:`tanh_rate`. Both keep all processors busy, as training does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from kernels.simd import lanes
from kernels.simd.elementary import elementary
from kernels.simd.jit import kernel
from kernels.simd.lanes import Rows
from kernels.tuning import elementary_rows, tuning_here

# Rows of tanh arguments, few enough for the nearest cache.
TANH_ROWS = 32


class _Shape(NamedTuple):
    """What the measurements are made of: lanes of a register, chains of operations, lanes of one tanh."""

    width: int
    chains: int
    tanh_width: int


def _shape(dtype: str) -> _Shape:
    """Fit the measurements to the registers.

    There are as many chains of additions, and of multiplications, as stay in registers: 32 of 64
    bytes, 16 of fewer. Eight would hide the latencies of operations, but do not fill a Zen 4.
    """
    row_bytes = tuning_here().row_bytes
    width = row_bytes // np.dtype(dtype).itemsize
    return _Shape(width, 12 if row_bytes == 64 else 7, elementary_rows(row_bytes, row_bytes) * width)


@cache
def _make_peak(dtype: str) -> Callable[[Rows, int], None]:
    """Return a kernel that adds row 0 to, and multiplies it with, one ``count`` times in each of several chains.

    What comes out fills the other rows, one of each chain.
    """
    width, chains, _ = _shape(dtype)
    memory = lanes.memory(dtype, width)
    load, store, fill = memory.load, memory.store, memory.fill
    sums, products = memory.stack(chains), memory.stack(chains)

    @kernel(f"peak {dtype} {width} {chains}")
    def peak(rows: Rows, count: int) -> None:
        a, b = sums(), products()
        one, step = fill(1.0), load(rows, 0)
        for k in range(chains):
            store(a, k, one)
            store(b, k, one)
        for _ in range(count):
            for k in range(chains):
                store(a, k, load(a, k) + step)
                store(b, k, load(b, k) * step)
        for k in range(chains):
            store(rows, k + 1, load(a, k) + load(b, k))

    return peak


@cache
def _make_tanh(dtype: str) -> Callable[[Rows, int], None]:
    """Return a kernel that replaces rows by their tanh, ``count`` times."""
    width = _shape(dtype).tanh_width
    memory = lanes.memory(dtype, width)
    load, store = memory.load, memory.store
    tanh = elementary(dtype).tanh

    @kernel(f"tanh {dtype} {width}")
    def transform(rows: Rows, count: int) -> None:
        for _ in range(count):
            for k in range(rows.shape[0]):
                store(rows, k, tanh(load(rows, k)))

    return transform


def _rate(run: Callable[[Rows, int], None], rows: list[Any], work: float, seconds: float) -> float:
    """Return work a second of ``run`` on one thread for each of ``rows``, the best of several trials."""
    run(rows[0], 1)
    count, best = 256, 0.0
    with ThreadPoolExecutor(len(rows)) as pool:
        trials = 0
        while trials < 5:
            start = time.perf_counter()
            list(pool.map(run, rows, [count] * len(rows)))
            took = time.perf_counter() - start
            if took < seconds:
                count *= 2
                continue
            best = max(best, len(rows) * count * work / took)
            trials += 1
    return best


def peak_operations(dtype: str, threads: int, seconds: float = 0.05) -> float:
    """Measure additions and multiplications a second, half of each, on all threads."""
    width, chains, _ = _shape(dtype)
    rows = [lanes.aligned_rows(1 + chains, width, dtype) for _ in range(threads)]
    for array in rows:
        array[:] = 1.0
    return _rate(_make_peak(dtype), rows, 2.0 * chains * width, seconds)


def tanh_rate(dtype: str, threads: int, seconds: float = 0.05) -> float:
    """Measure tanh a second on all threads, arguments in the nearest cache."""
    rows = [lanes.aligned_rows(TANH_ROWS, _shape(dtype).tanh_width, dtype) for _ in range(threads)]
    for array in rows:
        array[:] = np.linspace(-3, 3, array.size).reshape(array.shape)
    return _rate(_make_tanh(dtype), rows, float(TANH_ROWS * rows[0].shape[1]), seconds)
