"""Upper bounds of the speed of this machine: floating-point peak, vector tanh, square roots and divisions.

No training can do more operations a second than :func:`peak_operations`, and no tanh
network can be faster than its hidden activations divided by :func:`tanh_rate`. The time that
adam takes beside additions and products is at least its parameters divided by
:func:`root_rate`. All keep all processors busy, as training does.

The number of independent operations that hides the latency of one and still fits in registers
differs from CPU to CPU. So each bound is the best of several shapes; shapes that
do not suit this CPU are merely slower.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from kernels.elementary.by_dtype import elementary
from kernels.lanes.arithmetic import sqrt
from kernels.lanes.lane_rows import Rows, aligned_rows, make_memory
from kernels.numba.jit import kernel
from kernels.numba.target import register_bytes

Run = Callable[[Rows, int], None]

# Chains of additions, and as many of multiplications: up to 7 fit in 16 registers, up to 15 in 32.
CHAINS = (4, 7, 12)
# Registers that go through tanh at a time.
REGISTERS = (1, 2, 4, 8)
# Registers of arguments, few enough for the first cache.
ARGUMENTS = 32


def width_of(dtype: str) -> int:
    """Return the number of lanes of a register."""
    return register_bytes() // np.dtype(dtype).itemsize


@cache
def make_peak(dtype: str, chains: int) -> Run:
    """Make a kernel that adds row 0 or multiplies by it ``count`` times, in several chains of each kind.

    The results fill the other rows, one for each chain.
    """
    width = width_of(dtype)
    memory = make_memory(dtype, width)
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
def make_tanh(dtype: str, registers: int) -> Run:
    """Make a kernel that replaces rows of ``registers`` registers by their tanh, ``count`` times."""
    width = registers * width_of(dtype)
    memory = make_memory(dtype, width)
    load, store = memory.load, memory.store
    tanh = elementary(dtype).tanh

    @kernel(f"tanh {dtype} {width}")
    def transform(rows: Rows, count: int) -> None:
        for _ in range(count):
            for k in range(rows.shape[0]):
                store(rows, k, tanh(load(rows, k)))

    return transform


@cache
def make_roots(dtype: str) -> Run:
    """Make a kernel that replaces x by 2 / (sqrt(x) + 1/2), ``count`` times."""
    width = width_of(dtype)
    memory = make_memory(dtype, width)
    load, store, fill = memory.load, memory.store, memory.fill

    @kernel(f"roots {dtype} {width}")
    def roots(rows: Rows, count: int) -> None:
        two, half = fill(2.0), fill(0.5)
        for _ in range(count):
            for k in range(rows.shape[0]):
                store(rows, k, two / (sqrt(load(rows, k)) + half))

    return roots


def _rate(run: Run, rows: list[Any], work: float, seconds: float) -> float:
    """Return work per second of ``run`` on one thread for each of ``rows``, the best of several trials."""
    run(rows[0], 1)
    count, best = 1, 0.0
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


def arguments_of(dtype: str, threads: int, registers: int = 1) -> list[Any]:
    """Return rows of ``registers`` registers for each thread."""
    rows = [aligned_rows(ARGUMENTS // registers, registers * width_of(dtype), dtype) for _ in range(threads)]
    for array in rows:
        array[:] = np.linspace(-3, 3, array.size).reshape(array.shape)
    return rows


def peak_operations(dtype: str, threads: int, seconds: float = 0.02) -> float:
    """Measure additions and multiplications per second of all threads, half of each."""
    best, width = 0.0, width_of(dtype)
    for chains in CHAINS:
        rows = [aligned_rows(1 + chains, width, dtype) for _ in range(threads)]
        for array in rows:
            array[:] = 1.0
        best = max(best, _rate(make_peak(dtype, chains), rows, 2.0 * chains * width, seconds))
    return best


def tanh_rate(dtype: str, threads: int, seconds: float = 0.02) -> float:
    """Measure tanh per second of all threads, with arguments in the first cache."""
    work = float(ARGUMENTS * width_of(dtype))
    return max(
        _rate(make_tanh(dtype, registers), arguments_of(dtype, threads, registers), work, seconds)
        for registers in REGISTERS
    )


def root_rate(dtype: str, threads: int, seconds: float = 0.02) -> float:
    """Measure square roots per second of all threads, with a division each, and with arguments in the first cache."""
    rows = arguments_of(dtype, threads)
    for array in rows:
        np.abs(array, out=array)
    return _rate(make_roots(dtype), rows, float(ARGUMENTS * width_of(dtype)), seconds)
