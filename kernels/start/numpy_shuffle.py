"""Permutations of NumPy: those of ``numpy.random.RandomState(seed)``, for single lanes.

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
def _twist(memory: NDArray[np.int64], first: int, k: int) -> int:
    """Replace word k by that of the next block."""
    y = (_unsigned(memory[first + k]) & _UPPER) | (_unsigned(memory[first + (k + 1) % STATE_WORDS]) & _LOWER)
    y = _unsigned(memory[first + (k + OFFSET) % STATE_WORDS]) ^ (y >> 1) ^ ((y & _unsigned(1)) * _TWIST)
    memory[first + k] = y
    word: int = y
    return word


@device
def _tempered(y: Any) -> int:
    y = y ^ (y >> 11)
    y = y ^ ((y << 7) & _FIRST_MASK)
    y = y ^ ((y << 15) & _SECOND_MASK)
    word: int = y ^ (y >> 18)
    return word


@device
def _next_word(memory: NDArray[np.int64], first: int) -> int:
    k = memory[first + STATE_WORDS] % STATE_WORDS
    memory[first + STATE_WORDS] += 1
    return _tempered(_twist(memory, first, k))


@device
def fill_numpy_permutation(memory: NDArray[np.int64], size: int, first: int) -> None:
    """Write the next permutation of the stream that lies from ``first`` on to the first numbers of an array."""
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
