"""Random numbers computed from the outputs of Mersenne Twisters, with the bits of NumPy's ``RandomState``.

Uniform numbers are doubles of 53 bits from two words. Normal numbers come from the polar method (Marsaglia and Bray,
1964), whose second number is kept for the next draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.lanes.lane_rows import Rows, aligned_rows, make_memory
from kernels.numba import libm
from kernels.numba.jit import device
from kernels.start.mersenne import STATE_WORDS, WIDTH, uniform

Array = NDArray[Any]

# Outputs made at a time, a multiple of 4: two for each number, and two numbers for each point.
CHUNK = 40


class Points(NamedTuple):
    """Points made of two uniform numbers each, ``CHUNK / 4`` for each of ``WIDTH`` seeds."""

    # Coordinates
    x: Array
    y: Array
    square: Array  # squared distance from 0, for the polar method
    # Indices of the two numbers made from the point; equal where only one number is left in a row of numbers.
    # ``first`` is the size of the array if the point gives none.
    first: NDArray[np.uint64]
    second: NDArray[np.uint64]


class Scratch(NamedTuple):
    """Scratch memory for drawing ``WIDTH`` seeds."""

    state: Rows  # (STATE_WORDS, WIDTH) of uint32
    words: Rows  # the last outputs, (CHUNK, WIDTH) of uint32
    rows: Points  # points by their order and seed, (CHUNK / 4, WIDTH)
    flat: Points  # the same points, (CHUNK / 4 * WIDTH,)
    filled: NDArray[np.int64]  # numbers that each seed has, (WIDTH,)
    order: NDArray[np.uint64]  # the points that numbers are made from, (CHUNK / 4 * WIDTH,)
    picked: NDArray[np.float64]  # their squared distances
    factor: NDArray[np.float64]  # the factors of their coordinates


def make_scratch() -> Scratch:
    """Allocate scratch memory for one thread."""
    n_points = CHUNK // 4
    rows = Points(*(aligned_rows(n_points, WIDTH, dtype) for dtype in 3 * ("float64",) + 2 * ("uint64",)))
    state, words = (aligned_rows(count, WIDTH, "uint32") for count in (STATE_WORDS, CHUNK))
    filled, order = np.zeros(WIDTH, np.int64), np.zeros(n_points * WIDTH, np.uint64)
    picked, factor = (np.zeros(n_points * WIDTH) for _ in range(2))
    flat = Points(*(array.reshape(-1) for array in rows))
    return Scratch(state, words, rows, flat, filled, order, picked, factor)


class Wanted(NamedTuple):
    """The numbers to draw for each seed: shift + scale * z, for its first ``n_numbers`` numbers z."""

    n_numbers: int  # numbers of each seed
    scale: float
    shift: float


@cache
def make_fill_normal() -> Callable[[Scratch, Array, Wanted, int], None]:
    """Make the polar method: ``(scratch, numbers, wanted, start)``.

    It appends normal numbers to the rows of ``numbers``, which has ``wanted.n_numbers`` of them for each seed, from
    row ``start`` on. The number made from the second uniform of a pair comes first. The logarithm is
    that of libm, as in NumPy, since its bits matter. No loop has a branch except for the logarithm.
    """
    load = make_memory("uint32", WIDTH).load
    store = make_memory("float64", WIDTH).store

    @device
    def fill_normal(scratch: Scratch, numbers: Array, wanted: Wanted, start: int) -> None:
        n_columns, scale, shift = wanted
        _, words, rows, flat, filled, order, picked, factor = scratch
        for k in range(rows.x.shape[0]):
            x = 2.0 * uniform(load(words, 4 * k), load(words, 4 * k + 1)) - 1.0
            y = 2.0 * uniform(load(words, 4 * k + 2), load(words, 4 * k + 3)) - 1.0
            store(rows.x, k, x)
            store(rows.y, k, y)
            store(rows.square, k, x * x + y * y)
        for k in range(rows.x.shape[0]):
            for lane in range(WIDTH):
                square = rows.square[k, lane]
                column = filled[lane]
                taken = (square > 0.0) & (square < 1.0) & (column < n_columns)
                place = (start + lane) * n_columns + column
                rows.first[k, lane] = place if taken else numbers.size
                rows.second[k, lane] = place + (column + 1 < n_columns)
                filled[lane] = column + 2 * taken
        n = 0
        for point in range(flat.first.size):
            order[n] = point
            n += flat.first[point] < numbers.size
        for i in range(n):
            picked[i] = flat.square[order[i]]
            factor[i] = libm.log(picked[i])
        for i in range(n):
            factor[i] = math.sqrt(-2.0 * factor[i] / picked[i])
        for i in range(n):
            point = order[i]
            # The first is written last, so that it remains where both have one index.
            numbers[flat.second[point]] = shift + scale * (factor[i] * flat.x[point])
            numbers[flat.first[point]] = shift + scale * (factor[i] * flat.y[point])

    return fill_normal


@cache
def make_fill_uniform() -> Callable[[Scratch, Array, Wanted, int], None]:
    """Make the function that draws numbers in [0, 1), with the arguments of that of :func:`make_fill_normal`."""
    load = make_memory("uint32", WIDTH).load
    store = make_memory("float64", WIDTH).store

    @device
    def fill_uniform(scratch: Scratch, numbers: Array, wanted: Wanted, start: int) -> None:
        n_columns, scale, shift = wanted
        words = scratch.words
        x = scratch.rows.x
        y = scratch.rows.y
        filled = scratch.filled
        for k in range(x.shape[0]):
            store(x, k, uniform(load(words, 4 * k), load(words, 4 * k + 1)))
            store(y, k, uniform(load(words, 4 * k + 2), load(words, 4 * k + 3)))
        for lane in range(WIDTH):
            first = filled[lane]
            for k in range(x.shape[0]):
                column = first + 2 * k
                place = (start + lane) * n_columns + first + 2 * k
                if column < n_columns:
                    numbers[place] = shift + scale * x[k, lane]
                if column + 1 < n_columns:
                    numbers[place + 1] = shift + scale * y[k, lane]
            filled[lane] = first + 2 * x.shape[0]

    return fill_uniform
