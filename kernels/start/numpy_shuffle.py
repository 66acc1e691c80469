"""Permutations of NumPy: those of ``numpy.random.RandomState(seed).permutation``, for single lanes.

The Mersenne Twister of :mod:`kernels.start.mersenne`, but of one generator, which makes its words when they are needed.
A stream lies in an array from a number ``first`` on: 624 words, and how many outputs it has made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.numba import jit
from kernels.numba.jit import device
from kernels.start.mersenne import OFFSET, STATE_WORDS

# As in :mod:`kernels.start.shuffle`.
_unsigned: Any = np.uint64 if jit.ENABLED else int
_LOW_BITS = _unsigned(2**32 - 1)
_SEED_FACTOR = _unsigned(1812433253)
_UPPER, _LOWER, _TWIST = _unsigned(0x80000000), _unsigned(0x7FFFFFFF), _unsigned(0x9908B0DF)
_FIRST_MASK, _SECOND_MASK = _unsigned(0x9D2C5680), _unsigned(0xEFC60000)

STREAM_NUMBERS = STATE_WORDS + 1


@device
def seed_stream(memory: NDArray[np.int64], first: int, seed: int) -> None:
    """Start a stream."""
    word = _unsigned(seed)
    memory[first] = word
    for k in range(1, STATE_WORDS):
        word = ((word ^ (word >> 30)) * _SEED_FACTOR + _unsigned(k)) & _LOW_BITS
        memory[first + k] = word
    memory[first + STATE_WORDS] = 0


@device
def _next_word(memory: NDArray[np.int64], first: int) -> int:
    k = memory[first + STATE_WORDS] % STATE_WORDS
    memory[first + STATE_WORDS] += 1
    y = (_unsigned(memory[first + k]) & _UPPER) | (_unsigned(memory[first + (k + 1) % STATE_WORDS]) & _LOWER)
    y = _unsigned(memory[first + (k + OFFSET) % STATE_WORDS]) ^ (y >> 1) ^ ((y & _unsigned(1)) * _TWIST)
    memory[first + k] = y
    y = y ^ (y >> 11)
    y = y ^ ((y << 7) & _FIRST_MASK)
    y = y ^ ((y << 15) & _SECOND_MASK)
    word: int = y ^ (y >> 18)
    return word


@device
def _next_uniform(memory: NDArray[np.int64], first: int) -> float:
    high, low = _next_word(memory, first) >> 5, _next_word(memory, first) >> 6
    return (np.float64(high) * 67108864.0 + np.float64(low)) / 9007199254740992.0


@device
def skip_turns(memory: NDArray[np.int64], first: int, first_turn: int) -> None:
    """Skip the outputs that initial weights take.

    Turns lie in the memory from ``first_turn`` to its end, two counts for each: uniform numbers, and then normal ones.
    """
    n_kept = 0
    for turn in range(first_turn, memory.shape[0], 2):
        for _ in range(2 * memory[turn]):
            _next_word(memory, first)
        n_wanted = memory[turn + 1] - n_kept
        if n_wanted >= 0:  # otherwise only uniform numbers are drawn, and the kept one stays
            _skip_points(memory, first, (n_wanted + 1) // 2)
            n_kept = n_wanted % 2


@device
def _skip_points(memory: NDArray[np.int64], first: int, n_left: int) -> None:
    """Skip points in the unit circle, each of which gives two normal numbers: the second is kept for the next draw."""
    while n_left > 0:
        x = 2.0 * _next_uniform(memory, first) - 1.0
        y = 2.0 * _next_uniform(memory, first) - 1.0
        square = x * x + y * y
        n_left -= square < 1.0 and square != 0.0


@device
def fill_numpy_permutation(memory: NDArray[np.int64], size: int, first: int) -> None:
    """Write the next permutation of a stream to the first numbers of the array."""
    for k in range(size):
        memory[k] = k
    for k in range(size - 1, 0, -1):
        last = _unsigned(k)
        mask = last | (last >> 1)
        mask = mask | (mask >> 2)
        mask = mask | (mask >> 4)
        mask = mask | (mask >> 8)
        mask = mask | (mask >> 16)
        j = last + _unsigned(1)
        while j > last:
            j = _next_word(memory, first) & mask
        memory[k], memory[j] = memory[j], memory[k]
