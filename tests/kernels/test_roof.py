"""What the roofs of the machine measure."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.simd import roof
from kernels.simd.lanes import aligned_rows
from tests.accuracy import survey
from tests.kernels.support import sized


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_peak_kernel_does_the_operations_that_are_counted(dtype: str) -> None:
    """Each of the chains takes ``count`` additions and as many multiplications."""
    width, chains, _ = roof._shape(dtype)
    rows = aligned_rows(1 + chains, width, dtype)
    rows[0] = 1.5
    roof._make_peak(dtype)(rows, 10)
    np.testing.assert_array_equal(rows[1:], np.full(rows[1:].shape, 1 + 10 * 1.5 + 1.5**10, dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_tanh_kernel_takes_tanh(dtype: str) -> None:
    """Every element is replaced by its tanh, as often as asked."""
    rows = aligned_rows(roof.TANH_ROWS, roof._shape(dtype).tanh_width, dtype)
    rows[:] = np.linspace(-4, 4, rows.size).reshape(rows.shape)
    expected = survey.apply("tanh", dtype, survey.apply("tanh", dtype, rows.ravel().copy()))
    roof._make_tanh(dtype)(rows, 2)
    np.testing.assert_array_equal(rows.ravel(), expected)


def test_roofs_are_rates() -> None:
    """Both are counts per second: of threads together, and above 0."""
    seconds = sized(0.005, 0.0001)
    for threads in (1, 2):
        assert roof.peak_operations("float64", threads, seconds) > 0
        assert roof.tanh_rate("float64", threads, seconds) > 0
