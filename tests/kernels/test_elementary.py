"""The elementary functions are accurate, and monotone wherever the exact functions are.

``tests/accuracy/survey.py`` measures the same over all of float32; here are samples.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.elementary import trigonometric
from kernels.elementary.by_dtype import elementary
from kernels.lanes.lane_rows import aligned_rows, make_memory
from kernels.numba import jit
from tests.accuracy import inputs, survey
from tests.accuracy.survey import NAMES
from tests.kernels.support import DTYPES, Array, sized

# Units in the last place; see kernels/README.md for the one that needs more.
MOST_ULP = dict.fromkeys(NAMES, 2.0) | {"normal_cdf": 3.5}
# Those that rise everywhere, and their values at both ends.
ENDS = {
    "exp": (0.0, np.inf),
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "elu": (-1.0, np.inf),
    "softplus": (0.0, np.inf),
    "normal_cdf": (0.0, 1.0),
}
PAIRS = {"sin_cos": ("sin", "cos"), "normal": ("normal_cdf", "normal_density")}
BOTH = [(name, dtype) for dtype in DTYPES for name in NAMES]
NARROW = pytest.mark.skipif(not survey.EXTENDED, reason="long double is no wider than double on this machine")
JUDGED = [pytest.param(name, dtype, marks=NARROW if dtype == "float64" else ()) for name, dtype in BOTH]
NUMBERS = st.lists(st.floats(width=32), min_size=1, max_size=32)


def _samples(name: str, dtype: str) -> list[tuple[Array, int]]:
    """Return starts and lengths of runs of neighbors: scattered, and around every branch point."""
    scattered = inputs.random_starts(name, dtype, sized(400_000, 40_000), seed=71)
    samples = [(scattered, 3), (inputs.runs_around(inputs.branch_points(name, dtype), dtype, 201), 201)]
    if name in ("sin", "cos"):
        samples.append((inputs.runs_around(inputs.quarter_turns(dtype), dtype, 3), 3))
    return samples


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dtype"), JUDGED)
def test_accurate(name: str, dtype: str) -> None:
    """Every result is within 2 units in the last place of the exact one, or within the documented bound."""
    for starts, length in _samples(name, dtype):
        found = survey.survey(name, dtype, starts, length)
        assert found.error <= MOST_ULP[name], f"{name}({found.worst})"


@pytest.mark.parametrize("dtype", [pytest.param(dtype, marks=NARROW if dtype == "float64" else ()) for dtype in DTYPES])
def test_normal_cdf_is_as_accurate_as_others_from_minus_one(dtype: str) -> None:
    """The documented exception is the tail below -1."""
    x = np.random.default_rng(75).uniform(-1, 10, 200_000).astype(dtype)
    error = survey.ulp_error(survey.apply("normal_cdf", dtype, x), survey.reference("normal_cdf", dtype, x), dtype)
    assert error.max() <= 2.0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dtype"), BOTH)
def test_monotone_between_neighbors(name: str, dtype: str) -> None:
    """From one number to the next, results rise and fall with the function, across branch points too."""
    for starts, length in _samples(name, dtype):
        x = inputs.from_keys(starts[:, np.newaxis] + np.arange(length, dtype=starts.dtype), dtype)
        assert not survey.turns(name, dtype, x, survey.apply(name, dtype, x)).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ENDS)
def test_never_decreasing_from_end_to_end(name: str, dtype: str) -> None:
    """Sorted arguments from -inf to inf have sorted values within the limits of the function."""
    x = inputs.from_keys(np.sort(inputs.random_starts(name, dtype, sized(400_000, 40_000), seed=72)), dtype)
    x = np.concatenate((np.array([-np.inf], dtype), x[~np.isnan(x)], np.array([np.inf], dtype)))
    result = survey.apply(name, dtype, x)
    assert (result[1:] >= result[:-1]).all()
    assert (result[0], result[-1]) == ENDS[name]


@pytest.mark.parametrize(("name", "dtype"), JUDGED)
def test_special_numbers(name: str, dtype: str) -> None:
    """Zeros, subnormal numbers, the largest number, infinities and NaN have the rounded exact value."""
    faults = survey.special_faults(name, dtype)
    # The sign of a zero is not part of the contract.
    assert [fault for fault in faults if not fault.endswith(" = 0.0, not -0.0")] == []


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_nan_stays_in_its_lane(name: str, dtype: str) -> None:
    """NaN of either sign and any payload gives NaN; its neighbors keep their own values."""
    x = np.linspace(-3, 3, 64).astype(dtype)
    expected = survey.apply(name, dtype, x)
    x[::3], x[1::6] = np.nan, -np.nan
    x.view(f"u{x.itemsize}")[::3] |= np.random.default_rng(74).integers(2**20, size=22).astype(f"u{x.itemsize}")
    result, ill = survey.apply(name, dtype, x), np.isnan(x)
    ill |= (x < 0) & (name == "log")
    assert (np.isnan(result) == ill).all()
    assert (result[~ill] == expected[~ill]).all()


@cache
def _pair_kernel(name: str, dtype: str) -> Callable[[Array, Array], None]:
    memory = make_memory(dtype, 8)
    load, store, function = memory.load, memory.store, getattr(elementary(dtype), name)

    @jit.kernel(f"test of a pair {name} {dtype}")
    def run(x: Array, out: Array) -> None:
        for k in range(x.shape[0]):
            first, second = function(load(x, k))
            store(out, 2 * k, first)
            store(out, 2 * k + 1, second)

    return run


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PAIRS)
def test_pairs_are_their_parts(name: str, dtype: str) -> None:
    """A function of two values gives the bits of the two single functions."""
    x, out = aligned_rows(64, 8, dtype), aligned_rows(128, 8, dtype)
    x[:] = np.random.default_rng(76).normal(0, 4, x.shape)
    with np.errstate(all="ignore"):
        _pair_kernel(name, dtype)(x, out)
    for k, part in enumerate(PAIRS[name]):
        assert (out[k::2] == survey.apply(part, dtype, x)).all()


@given(NUMBERS)
def test_symmetries(numbers: list[float]) -> None:
    """The functions tanh and sin are odd; cos and the density are even."""
    for dtype in DTYPES:
        x = np.array(numbers, dtype)
        for name, sign in (("tanh", -1), ("sin", -1), ("cos", 1), ("normal_density", 1)):
            value, mirrored = survey.apply(name, dtype, x), survey.apply(name, dtype, -x)
            np.testing.assert_array_equal(mirrored, sign * value)


@given(NUMBERS)
def test_bounds(numbers: list[float]) -> None:
    """No value lies outside the range of its function, however large the argument."""
    for dtype in DTYPES:
        x = np.array(numbers, dtype)
        x = x[np.isfinite(x)]
        for name, low, high in (
            ("tanh", -1, 1),
            ("sigmoid", 0, 1),
            ("elu", -1, np.inf),
            ("softplus", 0, np.inf),
            ("sin", -1, 1),
            ("cos", -1, 1),
            ("normal_cdf", 0, 1),
            ("normal_density", 0, 0.4),
        ):
            value = survey.apply(name, dtype, x)
            assert ((low <= value) & (value <= high)).all(), name
        assert (survey.apply("softplus", dtype, x) >= x).all()
        assert (survey.apply("elu", dtype, x) >= x).all()


@given(NUMBERS)
def test_tails_of_the_normal_distribution_are_one_together(numbers: list[float]) -> None:
    """Outside of the middle, one tail is the rounded complement of the other."""
    for dtype in DTYPES:
        x = np.abs(np.array(numbers, dtype))
        x = x[x >= 1]
        below, above = survey.apply("normal_cdf", dtype, -x), survey.apply("normal_cdf", dtype, x)
        assert (above == 1 - below).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_trigonometric_functions_far_from_zero(dtype: str) -> None:
    """Beyond their accurate range sin and cos are those of a neighbor of x, and finally those of zero."""
    random, far = np.random.default_rng(77), trigonometric.FAR[dtype]
    x = random.uniform(trigonometric.ACCURATE, far, 20_000).astype(dtype)
    for name in ("sin", "cos"):
        error = np.abs(survey.apply(name, dtype, x) - survey.reference(name, dtype, x))
        assert (error <= np.maximum(np.spacing(x), 4e-6)).all()
    x = np.nextafter(np.array([far, -far], dtype), np.array([np.inf, -np.inf], dtype))
    x = np.concatenate((x, np.array([np.finfo(dtype).max, -np.finfo(dtype).max], dtype)))
    assert (survey.apply("sin", dtype, x) == 0).all()
    assert (survey.apply("cos", dtype, x) == 1).all()
