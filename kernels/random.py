"""Random numbers with the bits of NumPy's ``RandomState``.

Mersenne Twister (Matsumoto and Nishimura, 1998) as NumPy seeds it from one
integer, doubles of 53 bits from two words, and normal numbers by the polar method
(Marsaglia and Bray, 1964), whose second number is kept for the next draw.

Seeds work side by side in lanes. The recurrence makes one word of state after the
other, and output k needs words k, k + 1 and k + 397 only; for the few numbers a
small network wants most of the 624 words are never made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import lanes
from kernels.jit import device, kernel
from kernels.lanes import Lanes, Rows, aligned_rows, select

Array = NDArray[Any]

# Generators side by side, and outputs made at a time (a multiple of 4).
WIDTH = 64
CHUNK = 32

STATE_WORDS = 624
_OFFSET = 397
MAX_SEED = 2**32 - 1

DISTRIBUTIONS = ("normal", "uniform")
STREAMS = ("mt19937", "pcg64")


@cache
def make_next_words() -> Callable[[Rows, Rows, int, int], int]:
    """Return the generator of ``WIDTH`` Mersenne Twisters.

    The function takes ``(state, words, position, seeded)`` and writes the next
    output of each generator to every row of ``words``. ``position`` counts the
    outputs given before, and ``seeded`` the words of state that exist, whose new
    number it returns. A new state holds the seeds in row 0 and ``seeded`` is 1.
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
    def next_words(state: Rows, words: Rows, position: int, seeded: int) -> int:
        needed: int = min(position + words.shape[0] + _OFFSET, STATE_WORDS)
        for k in range(seeded, needed):
            previous = load(state, k - 1)
            store(state, k, (previous ^ (previous >> 30)) * 1812433253 + k)
        for row in range(words.shape[0]):
            k = (position + row) % STATE_WORDS
            y = (load(state, k) & 0x80000000) + (load(state, (k + 1) % STATE_WORDS) & 0x7FFFFFFF)
            twist = select((y & 1) == 1, fill(0x9908B0DF), 0)
            word = load(state, (k + _OFFSET) % STATE_WORDS) ^ (y >> 1) ^ twist
            store(state, k, word)
            store(words, row, temper(word))
        return needed if needed > seeded else seeded

    return next_words


@device
def uniform_number(high: int, low: int) -> float:
    """Make a number in [0, 1) of 53 bits from two words."""
    return ((high >> 5) * 67108864.0 + (low >> 6)) / 9007199254740992.0


@device
def fill_normal(words: Rows, lane: int, row: Array, filled: int) -> int:
    """Append normal numbers made from the words of one lane; return how many there are.

    Of a pair the number made from the second uniform comes first. The logarithm is
    math.log, the libm's, as in NumPy: its bits decide.
    """
    for k in range(0, words.shape[0], 4):
        if filled >= row.size:
            break
        x = 2.0 * uniform_number(words[k, lane], words[k + 1, lane]) - 1.0
        y = 2.0 * uniform_number(words[k + 2, lane], words[k + 3, lane]) - 1.0
        square = x * x + y * y
        if 0.0 < square < 1.0:
            factor = math.sqrt(-2.0 * math.log(square) / square)
            row[filled] = factor * y
            if filled + 1 < row.size:
                row[filled + 1] = factor * x
            filled += 2
    return filled


@device
def fill_uniform(words: Rows, lane: int, row: Array, filled: int) -> int:
    """Append numbers in [0, 1) made from the words of one lane; return how many there are."""
    for k in range(0, words.shape[0], 2):
        if filled >= row.size:
            break
        row[filled] = uniform_number(words[k, lane], words[k + 1, lane])
        filled += 1
    return filled


@cache
def make_draw(distribution: str) -> Callable[[Array, Array, Rows, Rows, Array], None]:
    """Return the kernel ``(seeds, numbers, state, words, filled)`` that draws a row of numbers a seed."""
    next_words = make_next_words()
    fill_row = {"normal": fill_normal, "uniform": fill_uniform}[distribution]

    @kernel(distribution)
    def draw(seeds: Array, numbers: Array, state: Rows, words: Rows, filled: Array) -> None:
        for start in range(0, seeds.size, WIDTH):
            count = min(WIDTH, seeds.size - start)
            for lane in range(count):
                state[0, lane] = seeds[start + lane]
                filled[lane] = 0
            position, seeded, unfinished = 0, 1, count
            while unfinished > 0:
                seeded = next_words(state, words, position, seeded)
                position += words.shape[0]
                unfinished = 0
                for lane in range(count):
                    filled[lane] = fill_row(words, lane, numbers[start + lane], filled[lane])
                    unfinished += filled[lane] < numbers.shape[1]

    return draw


def draw_numbers(seeds: Array, count: int, distribution: str, stream: str) -> NDArray[np.float64]:
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

    Returns
    -------
    (n, count) of float64

    Raises
    ------
    ValueError
        If a seed is out of range or no integer, or a name is unknown.
    """
    if seeds.dtype.kind not in "iu":
        raise ValueError(f"seeds of dtype {seeds.dtype} given; must be integers")
    if distribution not in DISTRIBUTIONS or stream not in STREAMS:
        raise ValueError(f"distribution {distribution!r} of stream {stream!r} given; see DISTRIBUTIONS and STREAMS")
    if seeds.size and not (seeds.min() >= 0 and seeds.max() <= MAX_SEED):
        raise ValueError(f"seeds must be from 0 to {MAX_SEED}; given {seeds.min()} to {seeds.max()}")
    numbers = np.empty((seeds.size, count))
    if stream == "pcg64":
        for seed, row in zip(seeds.tolist(), numbers, strict=True):
            generator = np.random.default_rng(seed)
            (generator.standard_normal if distribution == "normal" else generator.random)(out=row)
        return numbers
    state = aligned_rows(STATE_WORDS, WIDTH, "uint32")
    words = aligned_rows(CHUNK, WIDTH, "uint32")
    make_draw(distribution)(np.ascontiguousarray(seeds, np.uint32), numbers, state, words, np.empty(WIDTH, np.int64))
    return numbers
