"""Mersenne Twister (Matsumoto and Nishimura, 1998) as NumPy seeds it from one integer.

Seeds work side by side in lanes. The recurrence makes one word of state after the
other, and output k needs only words k, k + 1 and k + 397. For the few numbers that a
small network needs, the last of the 624 words are never made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels.lanes.arithmetic import Lanes, select
from kernels.lanes.lane_rows import Rows, make_memory
from kernels.lanes.operations import floating
from kernels.numba.jit import device

# Generators side by side.
WIDTH = 128

STATE_WORDS = 624
OFFSET = 397
MAX_SEED = 2**32 - 1


@cache
def make_seed_rows() -> Callable[[Rows, int], None]:
    """Make the seeding of ``WIDTH`` Mersenne Twisters: ``(state, n_outputs)``.

    It computes the rows of ``state`` from the seeds in row 0. It stores only those that ``n_outputs`` outputs need, or
    with 0 all, since others would cost memory bandwidth and space in the cache.
    """
    memory = make_memory("uint32", WIDTH)
    load, store = memory.load, memory.store

    @device
    def seed_rows(state: Rows, n_outputs: int) -> None:
        row = load(state, 0)
        for k in range(1, OFFSET + n_outputs if n_outputs else STATE_WORDS):
            row = (row ^ (row >> 30)) * 1812433253 + k
            if not n_outputs or k <= n_outputs or k >= OFFSET:
                store(state, k, row)

    return seed_rows


@cache
def make_next_words() -> Callable[[Rows, Rows, int], None]:
    """Make the generator of ``WIDTH`` Mersenne Twisters: ``(state, words, position)``.

    It writes the next output of each to every row of ``words``. ``position`` is the number of outputs before.
    """
    memory = make_memory("uint32", WIDTH)
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
            word = load(state, (k + OFFSET) % STATE_WORDS) ^ (y >> 1) ^ twist
            store(state, k, word)
            store(words, row, temper(word))

    return next_words


@device
def uniform(high: Lanes, low: Lanes) -> Lanes:
    """Make numbers in [0, 1) of 53 bits from two words each."""
    return (floating(high >> 5) * 67108864.0 + floating(low >> 6)) / 9007199254740992.0
