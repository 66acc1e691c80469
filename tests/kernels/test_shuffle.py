"""The order of patterns is the oracle's, for any seed and epoch."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.numba import jit
from kernels.start.numpy_shuffle import (
    STREAM_NUMBERS,
    fill_numpy_permutation,
    make_fill_permutation,
    seed_stream,
    skip_turns,
)
from kernels.start.shuffle import fill_permutation
from kernels.start.streams import numbers_of, random_of, reseeded
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


@jit.kernel("permutations of NumPy in a test")
def fill_numpy_permutations(rows: Array, seeds: Array) -> None:
    """Fill a row for each seed."""
    for row in range(rows.shape[0]):
        seed_stream(rows[row], rows.shape[1] - STREAM_NUMBERS, seeds[row])
        fill_numpy_permutation(rows[row], rows.shape[1] - STREAM_NUMBERS, rows.shape[1] - STREAM_NUMBERS)


@pytest.mark.parametrize("n_patterns", [1, 2, 3, 16, 64, 65, 300, 2000])
def test_permutations_of_numpy(n_patterns: int) -> None:
    """They are those of RandomState, also where the generator makes more words than it has."""
    seeds = np.array([0, 1, 11, 2**31 - 1, 2**31, LAST, *range(40, 40 + sized(100, 4))])
    rows = np.empty((seeds.size, n_patterns + STREAM_NUMBERS), np.int64)
    fill_numpy_permutations(rows, seeds)
    expected = [np.random.RandomState(seed).permutation(n_patterns) for seed in seeds.tolist()]
    np.testing.assert_array_equal(rows[:, :n_patterns], expected)


@jit.kernel("continued permutations of NumPy in a test")
def fill_continued_permutations(rows: Array, seeds: Array, n_patterns: int) -> None:
    """Fill a row for each seed, whose end is what its stream has drawn before."""
    for row in range(rows.shape[0]):
        seed_stream(rows[row], n_patterns, seeds[row])
        skip_turns(rows[row], n_patterns, n_patterns + STREAM_NUMBERS)
        fill_numpy_permutation(rows[row], n_patterns, n_patterns)


def test_continued_permutations() -> None:
    """They are those of a RandomState that has drawn uniform and normal numbers in turn, of which it may keep one."""
    n_patterns, seeds = 9, np.arange(sized(300, 20))
    turns = np.random.RandomState(3).randint(0, 4, (seeds.size, 8))
    rows = np.empty((seeds.size, n_patterns + STREAM_NUMBERS + turns.shape[1]), np.int64)
    rows[:, -turns.shape[1] :] = turns
    fill_continued_permutations(rows, seeds, n_patterns)
    for seed, row in zip(seeds, rows, strict=True):
        stream = np.random.RandomState(seed)
        for uniform, normal in turns[seed].reshape(-1, 2):
            stream.random_sample(uniform)
            stream.standard_normal(normal)
        np.testing.assert_array_equal(row[:n_patterns], stream.permutation(n_patterns))


@jit.kernel("permutations of streams of NumPy in a test")
def fill_permutations_of_streams(rows: Array, orders: Array, fill: int) -> None:
    """Fill a row of each order, one after another, from the stream in the last row."""
    for row in range(orders.shape[0]):
        if fill == 0:
            fill_of_twister(rows, orders.shape[1], orders.shape[1])
        else:
            fill_of_pcg64(rows, orders.shape[1], orders.shape[1])
        for k in range(orders.shape[1]):
            orders[row, k] = rows[k]


fill_of_twister, fill_of_pcg64 = make_fill_permutation("mt19937"), make_fill_permutation("pcg64")


@pytest.mark.parametrize("generator", ["mt19937", "pcg64"])
def test_permutations_go_on_from_streams_of_numpy(generator: str) -> None:
    """After any draws, of which half an output may be left, they are those of the generator itself."""
    for seed in (0, 1, 11, LAST, *range(20, 20 + sized(60, 6))):
        random = random_of(generator, seed)
        random.standard_normal(seed % 7)
        random.permutation(3 + seed % 5)
        n_patterns = 2 + seed % 300
        rows = np.concatenate([np.zeros(n_patterns, np.int64), numbers_of(random)])
        orders = np.empty((5, n_patterns), np.int64)
        fill_permutations_of_streams(rows, orders, ["mt19937", "pcg64"].index(generator))
        np.testing.assert_array_equal(orders, [random.permutation(n_patterns) for _ in range(5)])


@pytest.mark.parametrize("generator", ["mt19937", "pcg64"])
def test_a_generator_of_another_seed_is_a_new_one(generator: str) -> None:
    """Nothing of the earlier seed is left, such as the second number of a pair of normal ones, or half an output."""
    random = random_of(generator, 5)
    for seed in (0, 1, 11, LAST):
        random.standard_normal(3)
        random.permutation(4)
        random = reseeded(random, seed)
        new = random_of(generator, seed)
        np.testing.assert_array_equal(numbers_of(random), numbers_of(new))
        np.testing.assert_array_equal(random.standard_normal(5), new.standard_normal(5))
        np.testing.assert_array_equal(random.permutation(9), new.permutation(9))


@pytest.mark.parametrize("kind", ["int64", "uint32", "uint64"])
def test_types_do_not_matter(kind: str) -> None:
    """Seeds of any type, orders of smaller integers, and orders that lie in columns are equal."""
    seeds, epochs = _seeds_and_epochs(20)
    expected = np.empty((seeds.size, 9), np.int64)
    fill_permutations(expected, seeds, epochs)
    orders = np.empty((9, seeds.size), np.int32)
    fill_permutations(orders.T, seeds.astype(kind), epochs.astype(kind))
    np.testing.assert_array_equal(orders.T, expected)
