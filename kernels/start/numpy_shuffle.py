"""Permutations of NumPy: those of ``numpy.random.RandomState(seed)`` and ``default_rng(seed)``, for single lanes.

The Mersenne Twister of :mod:`kernels.start.mersenne`, but of one generator, which makes its words when they are needed,
and PCG64 (O'Neill, 2014). A stream lies in an array from a number ``first`` on. That of a Mersenne Twister has 624
words, and how many outputs it has made: of this block, if the stream comes from NumPy (:mod:`kernels.start.streams`).
That of PCG64 has the state and the increment, 4 words of 32 bits each, whether half of the last output is left, and
that half.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
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
# How many numbers a stream of each generator has.
N_NUMBERS = {"mt19937": STREAM_NUMBERS, "pcg64": 10}

# The multiplier of PCG64, its upper and lower 64 bits, as in NumPy.
_PCG_HIGH, _PCG_LOW = _unsigned(2549297995355413924), _unsigned(4865540595714422341)
_MASK = _unsigned(2**64 - 1)


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
def _next_word_of_block(memory: NDArray[np.int64], first: int) -> int:
    """Return the next word of a stream from NumPy, which makes a block of words at once."""
    if memory[first + STATE_WORDS] == STATE_WORDS:
        for k in range(STATE_WORDS):
            _twist(memory, first, k)
        memory[first + STATE_WORDS] = 0
    k = memory[first + STATE_WORDS]
    memory[first + STATE_WORDS] = k + 1
    return _tempered(_unsigned(memory[first + k]))


@device
def _high_bits(a: Any, b: Any) -> int:
    """Return the upper 64 bits of the product of two numbers of 64 bits."""
    a_low, a_high, b_low, b_high = a & _LOW_BITS, a >> 32, b & _LOW_BITS, b >> 32
    middle = a_high * b_low + ((a_low * b_low) >> 32)
    other = a_low * b_high + (middle & _LOW_BITS)
    high: int = a_high * b_high + (middle >> 32) + (other >> 32)
    return high


@device
def _load_64(memory: NDArray[np.int64], first: int) -> int:
    """Return a number of 64 bits, whose upper 32 come first."""
    number: int = (_unsigned(memory[first]) << 32) | _unsigned(memory[first + 1])
    return number


@device
def _store_64(memory: NDArray[np.int64], first: int, number: int) -> None:
    memory[first] = number >> 32
    memory[first + 1] = number & _LOW_BITS


@device
def _next_pcg64_word(memory: NDArray[np.int64], first: int) -> int:
    """Return 32 bits of PCG64: the lower half of an output, and next its upper half."""
    if memory[first + 8]:
        memory[first + 8] = 0
        half: int = _unsigned(memory[first + 9])
        return half
    high, low = _load_64(memory, first), _load_64(memory, first + 2)
    add_high, add_low = _load_64(memory, first + 4), _load_64(memory, first + 6)
    new_low = (low * _PCG_LOW + add_low) & _MASK
    carry = _unsigned(1) if new_low < add_low else _unsigned(0)
    new_high = (high * _PCG_LOW + low * _PCG_HIGH + _high_bits(low, _PCG_LOW) + add_high + carry) & _MASK
    _store_64(memory, first, new_high)
    _store_64(memory, first + 2, new_low)
    turn = new_high >> 58
    mixed = new_high ^ new_low
    output = ((mixed >> turn) | (mixed << ((_unsigned(64) - turn) & _unsigned(63)))) & _MASK
    memory[first + 8] = 1
    memory[first + 9] = output >> 32
    word: int = output & _LOW_BITS
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


@cache
def make_fill_permutation(generator: str) -> Callable[[NDArray[np.int64], int, int], None]:
    """Make the function that writes the next permutation of a stream to the first numbers of an array.

    ``(memory, size, first)``: the stream lies from ``first`` on. With ``"mt19937"`` or ``"pcg64"`` it comes from a
    generator of NumPy, otherwise from :func:`seed_stream`.
    """
    next_word = {"mt19937": _next_word_of_block, "pcg64": _next_pcg64_word}.get(generator, _next_word)

    @device
    def fill_permutation(memory: NDArray[np.int64], size: int, first: int) -> None:
        """Write the next permutation of a stream."""
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
                j = next_word(memory, first) & mask
            memory[k], memory[j] = memory[j], memory[k]

    return fill_permutation


fill_numpy_permutation = make_fill_permutation("")
