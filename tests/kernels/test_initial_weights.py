"""Initial weights have the bits of NumPy's generators."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

from kernels.start.initialize import initial_weights
from kernels.start.mersenne import MAX_SEED
from kernels.start.numbers import DISTRIBUTIONS, STREAMS, fill_numbers
from tests import oracle
from tests.kernels.support import DTYPES, Array, assert_equal, sized

COUNTS = (0, 1, 2, 9, 12, 33)
LONG_COUNTS = (311, 313, 700, 1501)  # a state of 624 words makes 312 uniform numbers


def _seeds(count: int) -> Array:
    """Give the two ends, consecutive and scattered seeds."""
    scattered = np.random.default_rng(51).integers(0, MAX_SEED, count // 2, endpoint=True)
    return np.concatenate(([MAX_SEED, 0, MAX_SEED - 1], np.arange(1, count // 2), scattered))


def _numbers(seeds: Array, count: int, distribution: str, stream: str) -> Array:
    drawn = np.full((seeds.size, count), np.nan)
    fill_numbers(drawn, seeds, distribution, stream)
    return drawn


def _numpy_numbers(seeds: Array, count: int, distribution: str, stream: str) -> Array:
    return np.array([oracle.draw(seed, count, distribution, stream) for seed in seeds.tolist()])


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_mt19937_has_the_bits_of_random_state(distribution: str) -> None:
    """For thousands of seeds the first numbers are those of RandomState, however many are wanted."""
    seeds = _seeds(sized(10_500, 60))
    assert seeds.size >= sized(10_000, 48)
    expected = _numpy_numbers(seeds, max(COUNTS), distribution, "mt19937")
    for count in COUNTS:
        assert_equal(_numbers(seeds, count, distribution, "mt19937"), expected[:, :count], f"{count} numbers")


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_mt19937_beyond_one_state(distribution: str) -> None:
    """The state is renewed as in RandomState."""
    seeds = _seeds(sized(200, 20))
    expected = _numpy_numbers(seeds, max(LONG_COUNTS), distribution, "mt19937")
    for count in LONG_COUNTS:
        assert_equal(_numbers(seeds, count, distribution, "mt19937"), expected[:, :count], f"{count} numbers")


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_pcg64_has_the_bits_of_default_rng(distribution: str) -> None:
    """The numbers are those of default_rng, in both distributions."""
    seeds = _seeds(sized(1000, 60))
    expected = _numpy_numbers(seeds, max(COUNTS), distribution, "pcg64")
    for count in COUNTS:
        assert_equal(_numbers(seeds, count, distribution, "pcg64"), expected[:, :count], f"{count} numbers")


@pytest.mark.parametrize("count", [1, 127, 128, 129, 300])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_seeds_do_not_depend_on_each_other(distribution: str, count: int) -> None:
    """Any number of seeds, repeated and in any order, give what each alone gives."""
    seeds = np.random.default_rng(count).integers(0, 20, count)
    given = _numbers(seeds, 5, distribution, "mt19937")
    assert_equal(given, _numpy_numbers(seeds, 5, distribution, "mt19937"), "numbers")


@pytest.mark.parametrize("kind", ["int64", "uint32", "uint64"])
def test_seeds_of_any_integer_type(kind: str) -> None:
    """The type of the seeds does not matter."""
    seeds = _seeds(20)
    given = _numbers(seeds.astype(kind), 3, "normal", "mt19937")
    assert_equal(given, _numpy_numbers(seeds, 3, "normal", "mt19937"), kind)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_no_seeds(distribution: str, stream: str) -> None:
    """No seeds give no rows."""
    assert _numbers(np.array([], np.int64), 4, distribution, stream).shape == (0, 4)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("seed", [-1, 2**32, -(2**40), 2**63 - 1])
def test_seeds_out_of_range_are_refused(seed: int, stream: str) -> None:
    """A seed that a generator would wrap is an error, in any position."""
    with pytest.raises(ValueError, match="4294967295"):
        _numbers(np.array([3, seed, 5]), 2, "normal", stream)


@pytest.mark.parametrize(("distribution", "stream", "dtype"), list(itertools.product(DISTRIBUTIONS, STREAMS, DTYPES)))
def test_weights_are_scaled_and_rounded_as_oracle(distribution: str, stream: str, dtype: str) -> None:
    """Scaling happens in float64, rounding last."""
    seeds = _seeds(sized(200, 40))
    for scale in (1.0, 0.1, 3.7):
        given = initial_weights(seeds, 13, distribution=distribution, scale=scale, stream=stream, dtype=dtype)
        expected = oracle.initial_weights(seeds.tolist(), 13, distribution, scale, stream, dtype)
        assert_equal(given, expected, f"scale {scale}")


@pytest.mark.parametrize(("stream", "count"), [("mt19937", 3), ("mt19937", 50), ("pcg64", 3)])
def test_weights_go_where_they_are_wanted(stream: str, count: int) -> None:
    """Memory that is given is filled, late seeds and all, and returned."""
    seeds = _seeds(sized(300, 40))
    scheme: dict[str, Any] = {"distribution": "normal", "scale": 1.0, "stream": stream, "dtype": "float64"}
    out = np.full((seeds.size, count), np.nan)
    assert initial_weights(seeds, count, out=out, **scheme) is out
    assert_equal(out, initial_weights(seeds, count, **scheme), "weights")
    for unfit in (out[1:], out.astype("float32")):
        with pytest.raises(ValueError, match="given; must be"):
            initial_weights(seeds, count, out=unfit, **scheme)


def test_uniform_weights_lie_in_range() -> None:
    """Uniform weights start at -scale and stay below scale."""
    weights = initial_weights(np.arange(64), 50, distribution="uniform", scale=0.3, stream="mt19937", dtype="float64")
    assert weights.min() >= -0.3
    assert weights.max() < 0.3
    assert abs(weights.mean()) < 0.02


def test_weight_beyond_the_dtype_is_infinite_without_a_warning() -> None:
    """The run of such a weight then diverges."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weights = initial_weights(
            np.arange(4), 3, distribution="normal", scale=1e300, stream="mt19937", dtype="float32"
        )
    assert np.isinf(weights).all()


@pytest.mark.parametrize(("distribution", "stream"), [("gamma", "pcg64"), ("normal", "xorshift")])
def test_unknown_names_are_refused(distribution: str, stream: str) -> None:
    with pytest.raises(ValueError, match="given"):
        _numbers(np.arange(3), 2, distribution, stream)


def test_seeds_are_integers() -> None:
    with pytest.raises(ValueError, match="must be integers"):
        _numbers(np.array([1.7]), 2, "normal", "mt19937")


def test_unfit_memory_is_refused() -> None:
    """Numbers go to one row per seed, and rows lie one behind the other."""
    rows = np.empty((4, 6))
    for unfit in (rows[1:], rows[:, ::2], np.asfortranarray(rows)):
        with pytest.raises(ValueError, match="must be one per seed, in C order"):
            fill_numbers(unfit, np.arange(4), "normal", "pcg64")
