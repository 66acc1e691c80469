"""The order in which patterns are visited, and numbers of a seed, from integers alone: the same on every machine.

SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014), whose state is mixed of seed
and epoch, and the shuffle of Fisher and Yates. The stream is separate, so it never moves initial weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.numba import jit
from kernels.numba.jit import device

# Integers of 64 bits that wrap: Numba's own, or without the JIT Python's, which _MASK truncates.
# Other operands are of this type too, or literal shifts: Numba converts a signed and an unsigned operand to floats.
_unsigned: Any = np.uint64 if jit.ENABLED else int
_MASK = _unsigned(2**64 - 1)
_INCREMENT = _unsigned(0x9E3779B97F4A7C15)
_FIRST_FACTOR = _unsigned(0xBF58476D1CE4E5B9)
_SECOND_FACTOR = _unsigned(0x94D049BB133111EB)


@device
def mix(x: int) -> int:
    """Mix the bits of an unsigned integer of 64 bits: one to one, and 0 stays 0."""
    x = ((x ^ (x >> 30)) * _FIRST_FACTOR) & _MASK
    x = ((x ^ (x >> 27)) * _SECOND_FACTOR) & _MASK
    return x ^ (x >> 31)


@device
def uniform(seed: int, number: int) -> float:
    """Return a number from 0 to 1, below 1, that depends on a seed and a number below 2^32."""
    x = mix((mix((_unsigned(seed) << 32) | _unsigned(number)) + _INCREMENT) & _MASK)
    return np.float64(x >> 11) * 2.0**-53


@device
def fill_permutation(order: NDArray[np.int64], seed: int, epoch: int) -> None:
    """Write the order in which the runs of a seed visit patterns in an epoch, counted from 0."""
    for k in range(order.size):
        order[k] = k
    state = mix((_unsigned(seed) << 32) | _unsigned(epoch))
    for k in range(order.size - 1, 0, -1):
        state = (state + _INCREMENT) & _MASK
        # A number below 2^32 times k + 1, without its last 32 bits, is at most k.
        j = ((mix(state) >> 32) * _unsigned(k + 1)) >> 32
        order[k], order[j] = order[j], order[k]
