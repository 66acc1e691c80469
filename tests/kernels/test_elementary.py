"""exp, tanh and sigmoid are accurate and never decrease.

``tests/accuracy/survey.py`` measures the same over all of float32; here are samples.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.accuracy import survey
from tests.accuracy.survey import NAMES
from tests.kernels.support import DTYPES, Array, sized

MOST_ULP = 2.0
BOTH = [(name, dtype) for dtype in DTYPES for name in NAMES]
JUDGED = [
    pytest.param(
        name,
        dtype,
        marks=pytest.mark.skipif(
            dtype == "float64" and not survey.EXTENDED, reason="long double is no wider than double on this machine"
        ),
    )
    for name, dtype in BOTH
]


def _samples(name: str, dtype: str) -> list[tuple[Array, int]]:
    """Give starts and lengths of runs of neighbours: scattered, and around every branch point."""
    scattered = survey.random_starts(dtype, sized(1_000_000, 200_000), seed=71)
    return [(scattered, 3), (survey.branch_starts(name, dtype, 501), 501)]


@pytest.mark.parametrize(("name", "dtype"), JUDGED)
def test_within_two_ulp(name: str, dtype: str) -> None:
    """No result is farther than 2 units in the last place from the exact one."""
    for starts, length in _samples(name, dtype):
        found = survey.survey(name, dtype, starts, length)
        assert found.error <= MOST_ULP, f"{name}({found.worst})"


@pytest.mark.parametrize(("name", "dtype"), BOTH)
def test_never_decreasing(name: str, dtype: str) -> None:
    """A larger argument never has a smaller value, across the branches too."""
    for starts, length in _samples(name, dtype):
        keys = starts[:, np.newaxis] + np.arange(length, dtype=starts.dtype)
        result = survey.apply(name, dtype, survey.from_keys(keys, dtype))
        assert not (result[:, 1:] < result[:, :-1]).any()


@pytest.mark.parametrize(("name", "dtype"), BOTH)
def test_never_decreasing_from_end_to_end(name: str, dtype: str) -> None:
    """Sorted arguments from -inf to inf have sorted values within the limits of the function."""
    x = survey.from_keys(np.sort(survey.random_starts(dtype, sized(1_000_000, 200_000), seed=72)), dtype)
    x = np.concatenate((np.array([-np.inf], dtype), x[~np.isnan(x)], np.array([np.inf], dtype)))
    result = survey.apply(name, dtype, x)
    assert (result[1:] >= result[:-1]).all()
    lowest, highest = {"exp": (0.0, np.inf), "tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}[name]
    assert (result[0], result[-1]) == (lowest, highest)


@pytest.mark.parametrize(("name", "dtype"), JUDGED)
def test_special_numbers(name: str, dtype: str) -> None:
    """Zeros, subnormal numbers, the largest, infinities and NaN have the rounded exact value."""
    faults = survey.special_faults(name, dtype)
    # The sign of a zero is not part of the contract.
    assert [fault for fault in faults if not fault.endswith(" = 0.0, not -0.0")] == []


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_nan_stays_and_keeps_to_its_lane(name: str, dtype: str) -> None:
    """NaN of either sign and any payload gives NaN, and its neighbours their own values."""
    x = np.linspace(-3, 3, 64).astype(dtype)
    expected = survey.apply(name, dtype, x)
    x[::3], x[1::6] = np.nan, -np.nan
    x.view(f"u{x.itemsize}")[::3] |= np.random.default_rng(74).integers(2**20, size=22).astype(f"u{x.itemsize}")
    result, ill = survey.apply(name, dtype, x), np.isnan(x)
    assert (np.isnan(result) == ill).all()
    assert (result[~ill] == expected[~ill]).all()


def test_tanh_is_odd() -> None:
    """The sign of the argument is the sign of the value, and nothing else."""
    for dtype in DTYPES:
        x = np.random.default_rng(73).normal(0, 3, 2000).astype(dtype)
        assert (survey.apply("tanh", dtype, -x) == -survey.apply("tanh", dtype, x)).all()
