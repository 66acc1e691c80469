"""Random numbers with the bits of NumPy's ``RandomState``.

Mersenne Twister (Matsumoto and Nishimura, 1998) as NumPy seeds it from one
integer, doubles of 53 bits from two words, and normal numbers by the polar method
(Marsaglia and Bray, 1964), whose second number is kept for the next draw.

Seeds work side by side in lanes. The recurrence makes one word of state after the
other, and output k needs words k, k + 1 and k + 397 only; for the few numbers a
small network wants the last of the 624 words are never made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.simd import lanes
from kernels.simd.compiling import Kernel, is_compiled
from kernels.simd.jit import device, kernel
from kernels.simd.lanes import Lanes, Rows, aligned_rows, floating, select

Array = NDArray[Any]

# Generators side by side, and outputs made at a time, a multiple of 4: two for each
# number, one point for each pair of them.
WIDTH = 128
CHUNK = 40

STATE_WORDS = 624
_OFFSET = 397
MAX_SEED = 2**32 - 1

DISTRIBUTIONS = ("normal", "uniform")
STREAMS = ("mt19937", "pcg64")

# Scratch that no thread is drawing with: threads come and go, and fresh memory is slow.
_idle: list[Scratch] = []


@cache
def make_seed_rows() -> Callable[[Rows, int], None]:
    """Return the seeding of ``WIDTH`` Mersenne Twisters.

    The function takes ``(state, n_outputs)`` and makes the rows of state, given the
    seeds in row 0. It stores only those that so many outputs need, unless 0, for all:
    the others are worth neither the way to memory nor a place in the cache.
    """
    memory = lanes.memory("uint32", WIDTH)
    load, store = memory.load, memory.store

    @device
    def seed_rows(state: Rows, n_outputs: int) -> None:
        row = load(state, 0)
        for k in range(1, _OFFSET + n_outputs if n_outputs else STATE_WORDS):
            row = (row ^ (row >> 30)) * 1812433253 + k
            if not n_outputs or k <= n_outputs or k >= _OFFSET:
                store(state, k, row)

    return seed_rows


@cache
def make_next_words() -> Callable[[Rows, Rows, int], None]:
    """Return the generator of ``WIDTH`` Mersenne Twisters.

    The function takes ``(state, words, position)`` and writes the next output of each
    generator to every row of ``words``. ``position`` counts the outputs given before.
    """
    memory = lanes.memory("uint32", WIDTH)
    load, store, fill = memory.load, memory.store, memory.fill

    @device
    def temper(y: Lanes) -> Lanes:
        y = y ^ (y >> 11)
        y = y ^ ((y << 7) & 0x9D2C5680)
        y = y ^ ((y << 15) & 0xEFC60000)
        return y ^ (y >> 18)

    @device
    def next_words(state: Rows, words: Rows, position: int) -> None:
        for row in range(words.shape[0]):
            k = (position + row) % STATE_WORDS
            y = (load(state, k) & 0x80000000) + (load(state, (k + 1) % STATE_WORDS) & 0x7FFFFFFF)
            twist = select((y & 1) == 1, fill(0x9908B0DF), 0)
            word = load(state, (k + _OFFSET) % STATE_WORDS) ^ (y >> 1) ^ twist
            store(state, k, word)
            store(words, row, temper(word))

    return next_words


@device
def uniform(high: Lanes, low: Lanes) -> Lanes:
    """Make numbers in [0, 1) of 53 bits from two words each."""
    return (floating(high >> 5) * 67108864.0 + floating(low >> 6)) / 9007199254740992.0


class Points(NamedTuple):
    """Points made of two uniform numbers each, ``CHUNK / 4`` of each of ``WIDTH`` seeds.

    Attributes
    ----------
    x, y
        Coordinates.
    square
        Squared distance from 0, for the polar method.
    first, second : of uint64
        Where the numbers made from the point go, at the end of a row both to one place;
        ``first`` is beyond all if none are.
    """

    x: Array
    y: Array
    square: Array
    first: NDArray[np.uint64]
    second: NDArray[np.uint64]


class Scratch(NamedTuple):
    """What the drawing of ``WIDTH`` seeds works on.

    Attributes
    ----------
    state : (STATE_WORDS, WIDTH) of uint32
    words : (CHUNK, WIDTH) of uint32
        The last outputs.
    rows, flat : (CHUNK / 4, WIDTH) and (CHUNK / 4 * WIDTH,)
        The same points, by place in the order of a seed and seed, and in a row.
    filled : (WIDTH,) of int64
        Numbers that each seed has.
    order : (CHUNK / 4 * WIDTH,) of uint64
        The points that numbers are made from.
    picked, factor : (CHUNK / 4 * WIDTH,)
        Their squared distances, and what their coordinates are multiplied by.
    """

    state: Rows
    words: Rows
    rows: Points
    flat: Points
    filled: NDArray[np.int64]
    order: NDArray[np.uint64]
    picked: NDArray[np.float64]
    factor: NDArray[np.float64]


def _take_scratch() -> Scratch:
    """Return what drawing works on, to be given back to ``_idle``."""
    try:
        return _idle.pop()
    except IndexError:
        return _make_scratch()


def _make_scratch() -> Scratch:
    n_points = CHUNK // 4
    rows = Points(*(aligned_rows(n_points, WIDTH, dtype) for dtype in 3 * ("float64",) + 2 * ("uint64",)))
    state, words = (aligned_rows(count, WIDTH, "uint32") for count in (STATE_WORDS, CHUNK))
    filled, order = np.zeros(WIDTH, np.int64), np.zeros(n_points * WIDTH, np.uint64)
    picked, factor = (np.zeros(n_points * WIDTH) for _ in range(2))
    flat = Points(*(array.reshape(-1) for array in rows))
    return Scratch(state, words, rows, flat, filled, order, picked, factor)


@cache
def make_fill_normal() -> Callable[[Scratch, Array, int, int, float, float], None]:
    """Return the polar method.

    The function takes ``(scratch, numbers, n_columns, start, scale, shift)`` and appends
    normal numbers z, as shift + scale * z, to the rows of ``n_columns`` numbers each,
    one behind the other, from row ``start`` on. Of a pair the number made from the second
    uniform comes first. The logarithm is math.log, the libm's, as in NumPy: its bits decide.

    Notes
    -----
    No loop has a branch, but for the logarithm.
    """
    load = lanes.memory("uint32", WIDTH).load
    store = lanes.memory("float64", WIDTH).store

    @device
    def fill_normal(scratch: Scratch, numbers: Array, n_columns: int, start: int, scale: float, shift: float) -> None:
        _, words, rows, flat, filled, order, picked, factor = scratch
        for k in range(rows.x.shape[0]):
            x = 2.0 * uniform(load(words, 4 * k), load(words, 4 * k + 1)) - 1.0
            y = 2.0 * uniform(load(words, 4 * k + 2), load(words, 4 * k + 3)) - 1.0
            store(rows.x, k, x)
            store(rows.y, k, y)
            store(rows.square, k, x * x + y * y)
        for k in range(rows.x.shape[0]):
            for lane in range(WIDTH):
                square, column = rows.square[k, lane], filled[lane]
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
            factor[i] = math.log(picked[i])
        for i in range(n):
            factor[i] = math.sqrt(-2.0 * factor[i] / picked[i])
        for i in range(n):
            point = order[i]
            # The first is written last, for it counts where both go to one place.
            numbers[flat.second[point]] = shift + scale * (factor[i] * flat.x[point])
            numbers[flat.first[point]] = shift + scale * (factor[i] * flat.y[point])

    return fill_normal


@cache
def make_fill_uniform() -> Callable[[Scratch, Array, int, int, float, float], None]:
    """Return the like of :func:`make_fill_normal` for numbers in [0, 1)."""
    load = lanes.memory("uint32", WIDTH).load
    store = lanes.memory("float64", WIDTH).store

    @device
    def fill_uniform(scratch: Scratch, numbers: Array, n_columns: int, start: int, scale: float, shift: float) -> None:
        words, x, y, filled = scratch.words, scratch.rows.x, scratch.rows.y, scratch.filled
        for k in range(x.shape[0]):
            store(x, k, uniform(load(words, 4 * k), load(words, 4 * k + 1)))
            store(y, k, uniform(load(words, 4 * k + 2), load(words, 4 * k + 3)))
        for lane in range(WIDTH):
            first = filled[lane]
            for k in range(x.shape[0]):
                column, place = first + 2 * k, (start + lane) * n_columns + first + 2 * k
                if column < n_columns:
                    numbers[place] = shift + scale * x[k, lane]
                if column + 1 < n_columns:
                    numbers[place + 1] = shift + scale * y[k, lane]
            filled[lane] = first + 2 * x.shape[0]

    return fill_uniform


@cache
def make_draw(distribution: str) -> Callable[[Array, Array, Array, Scratch, int, float, float, int], int]:
    """Return the kernel that draws a row of numbers a seed.

    It takes ``(seeds, numbers, late, scratch, n_columns, scale, shift, n_outputs)``, makes
    so many outputs of each seed, or as many as it takes if 0, writes to ``late`` which rows
    want more, and returns how many do.
    """
    seed_rows, next_words = make_seed_rows(), make_next_words()
    fill = {"normal": make_fill_normal, "uniform": make_fill_uniform}[distribution]()

    @kernel(distribution)
    def draw(
        seeds: Array,
        numbers: Array,
        late: Array,
        scratch: Scratch,
        n_columns: int,
        scale: float,
        shift: float,
        n_outputs: int,
    ) -> int:
        state, words, filled = scratch.state, scratch.words, scratch.filled
        n_late = 0
        for start in range(0, seeds.size, WIDTH):
            count = min(WIDTH, seeds.size - start)
            for lane in range(WIDTH):
                state[0, lane] = seeds[start + min(lane, count - 1)]
                filled[lane] = 0 if lane < count else n_columns  # no place for what others draw
            seed_rows(state, n_outputs)
            position, unfinished = 0, count
            while unfinished > 0 and (position < n_outputs or not n_outputs):
                next_words(state, words, position)
                position += CHUNK
                fill(scratch, numbers, n_columns, start, scale, shift)
                unfinished = 0
                for lane in range(WIDTH):
                    unfinished += filled[lane] < n_columns
            for lane in range(WIDTH if unfinished > 0 else 0):
                if filled[lane] < n_columns:
                    late[n_late] = start + lane
                    n_late += 1
        return n_late

    return draw


def uncompiled(distribution: str, stream: str, dtype: str) -> Kernel | None:
    """Return the kernel that draws such numbers if neither this process nor the disk has its machine code."""
    if stream == "pcg64":
        return None
    draw, scratch = make_draw(distribution), _take_scratch()
    arguments = np.empty(0, np.uint32), np.empty(0, dtype), np.empty(0, np.int64), scratch, 0, 1.0, 0.0, 0
    _idle.append(scratch)
    return None if is_compiled(draw, arguments) else draw


def _first_outputs(count: int, distribution: str) -> int:
    """Return how many outputs are enough for ``count`` numbers of 98 % of all seeds, or 0 for all in one round.

    A point is in the circle with probability pi / 4. All of the state is needed for 228 outputs.
    """
    n_points = -(-count // 2)
    n_chunks = -(-(n_points + 2) // 7) if distribution == "normal" else -(-4 * n_points // CHUNK)
    return CHUNK * n_chunks if _OFFSET + CHUNK * n_chunks <= STATE_WORDS else 0


def draw_numbers(
    seeds: Array,
    count: int,
    distribution: str,
    stream: str,
    *,
    scale: float = 1.0,
    shift: float = -0.0,
    dtype: str = "float64",
    out: Array | None = None,
) -> Array:
    """Draw the first ``count`` numbers of each seed.

    Parameters
    ----------
    seeds : (n,)
        Integers from 0 to 2^32 - 1.
    count
        Numbers a seed.
    distribution
        ``"normal"`` (mean 0, deviation 1) or ``"uniform"`` (in [0, 1)).
    stream
        ``"mt19937"``: as ``numpy.random.RandomState(seed)`` by ``randn`` or
        ``random_sample``; ``"pcg64"``: as ``numpy.random.default_rng(seed)`` by
        ``standard_normal`` or ``random``, taken from NumPy itself.
    scale, shift
        Numbers z are given as shift + scale * z; by default as they are.
    dtype
        To which they are rounded in the end.
    out : (n, count) of ``dtype``
        Where they go, in C order; fresh memory if not given.

    Returns
    -------
    (n, count) of ``dtype``

    Raises
    ------
    ValueError
        If a seed is out of range or no integer, a name is unknown, or ``out`` does not fit.
    """
    if seeds.dtype.kind not in "iu":
        raise ValueError(f"seeds of dtype {seeds.dtype} given; must be integers")
    if distribution not in DISTRIBUTIONS or stream not in STREAMS:
        raise ValueError(f"distribution {distribution!r} of stream {stream!r} given; see DISTRIBUTIONS and STREAMS")
    if seeds.size and not (seeds.min() >= 0 and seeds.max() <= MAX_SEED):
        raise ValueError(f"seeds must be from 0 to {MAX_SEED}; given {seeds.min()} to {seeds.max()}")
    numbers = np.empty((seeds.size, count), dtype) if out is None else out
    if numbers.shape != (seeds.size, count) or numbers.dtype != dtype:
        raise ValueError(
            f"out of shape {numbers.shape} and {numbers.dtype} given; must be {(seeds.size, count)}, {dtype}"
        )
    with np.errstate(over="ignore"):  # a number beyond the dtype is infinite
        if stream == "pcg64":
            for seed, row in zip(seeds.tolist(), numbers, strict=True):
                generator = np.random.default_rng(seed)
                z = generator.standard_normal(count) if distribution == "normal" else generator.random(count)
                row[:] = shift + scale * z
        else:
            draw, seeds = make_draw(distribution), np.ascontiguousarray(seeds, np.uint32)
            late, scratch = np.empty(seeds.size, np.int64), _take_scratch()
            first = _first_outputs(count, distribution)
            n_late = draw(seeds, numbers.reshape(-1), late, scratch, count, scale, shift, first)
            again = np.empty((n_late, count), dtype)
            draw(seeds[late[:n_late]], again.reshape(-1), late, scratch, count, scale, shift, 0)
            _idle.append(scratch)
            numbers[late[:n_late]] = again
    return numbers
