"""The order of patterns is the oracle's, for any seed and epoch."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.numba import jit
from kernels.start.shuffle import fill_permutation
from tests import oracle
from tests.kernels.support import Array, sized

LAST = 2**32 - 1


@jit.kernel("permutations of a test")
def fill_permutations(orders: Array, seeds: Array, epochs: Array) -> None:
    """Fill a row for each seed and epoch."""
    for row in range(orders.shape[0]):
        fill_permutation(orders[row], seeds[row], epochs[row])


def _seeds_and_epochs(count: int) -> tuple[Array, Array]:
    """Pair the ends, small numbers and any numbers."""
    random = np.random.default_rng(count)
    ends = np.array([[0, 0], [0, LAST], [LAST, 0], [LAST, LAST], [2**31, 2**31], [2**31 - 1, 2**31 - 1]])
    small, large = random.integers(0, 50, (count, 2)), random.integers(0, LAST, (count, 2), endpoint=True)
    seeds, epochs = np.concatenate((ends, small, large)).T
    return np.ascontiguousarray(seeds), np.ascontiguousarray(epochs)


@pytest.mark.parametrize("n_patterns", [1, 2, 3, 4, 5, 16, 272, 4000])
def test_permutations_as_oracle(n_patterns: int) -> None:
    """Every pattern comes once, in the oracle's order."""
    seeds, epochs = _seeds_and_epochs(3 if n_patterns > 1000 else sized(300, 60))
    orders = np.empty((seeds.size, n_patterns), np.int64)
    fill_permutations(orders, seeds, epochs)
    expected = [oracle.permutation(n_patterns, *pair) for pair in zip(seeds.tolist(), epochs.tolist(), strict=True)]
    np.testing.assert_array_equal(orders, expected)


@pytest.mark.parametrize("kind", ["int64", "uint32", "uint64"])
def test_types_do_not_matter(kind: str) -> None:
    """Seeds of any type, orders of smaller integers, and orders that lie in columns are equal."""
    seeds, epochs = _seeds_and_epochs(20)
    expected = np.empty((seeds.size, 9), np.int64)
    fill_permutations(expected, seeds, epochs)
    orders = np.empty((9, seeds.size), np.int32)
    fill_permutations(orders.T, seeds.astype(kind), epochs.astype(kind))
    np.testing.assert_array_equal(orders.T, expected)
