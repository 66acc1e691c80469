"""The windows of an epoch: the patterns of each step, and their order.

The order of a shuffled epoch comes from integers alone: SplitMix64 (Steele, Lea and Flood, Fast splittable
pseudorandom number generators, 2014), whose state is mixed from seed and epoch, and the shuffle of Fisher and Yates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tests.oracle.step import Window

MASK = 2**64 - 1


def mix(x: int) -> int:
    """Mix the bits of a 64-bit number: one to one, and 0 stays 0."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def integers(state: int) -> Iterator[int]:
    """Generate 64-bit numbers from a 64-bit state: SplitMix64."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        yield mix(state)


@cache
def permutation(n_patterns: int, seed: int, epoch: int) -> tuple[int, ...]:
    """Shuffle the patterns for one epoch, counted from 0, of the runs of one seed; both below 2^32."""
    stream, order = integers(mix(seed * 2**32 + epoch)), list(range(n_patterns))
    for k in range(n_patterns - 1, 0, -1):
        j = ((next(stream) >> 32) * (k + 1)) >> 32
        order[k], order[j] = order[j], order[k]
    return tuple(order)


@dataclass(frozen=True)
class Epochs:
    """Epochs, each cut into windows of `batch` patterns, of which the last may be shorter.

    A step of all patterns takes them in file order, even if the order is shuffled.
    """

    n_patterns: int
    batch: int
    seeds: Sequence[int] | None  # of each run, or None where patterns come in file order

    def __post_init__(self) -> None:
        """Refuse a batch that no study allows."""
        assert 1 <= self.batch <= self.n_patterns, f"{self.batch} of {self.n_patterns} patterns per step"

    @property
    def n_windows(self) -> int:
        """Count the steps of an epoch."""
        return -(-self.n_patterns // self.batch)

    @property
    def shuffled(self) -> bool:
        """Whether patterns come in another order in each epoch."""
        return self.seeds is not None and self.batch < self.n_patterns

    def windows(self, epoch: int) -> list[Window]:
        """Return the patterns of each step of an epoch."""
        order: Window = range(self.n_patterns)
        if self.shuffled:
            assert self.seeds is not None
            order = np.array([permutation(self.n_patterns, seed, epoch) for seed in self.seeds]).T
        return [order[first : first + self.batch] for first in range(0, self.n_patterns, self.batch)]
