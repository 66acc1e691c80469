"""What the roofs of the machine measure."""

from __future__ import annotations

import numpy as np
import pytest

from kernels import roof
from kernels.lanes import aligned_rows
from tests.accuracy import survey
from tests.kernels.support import sized


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_peak_kernel_does_the_operations_that_are_counted(dtype: str) -> None:
    """Each of the chains takes ``count`` additions and as many multiplications."""
    rows = aligned_rows(1 + roof.CHAINS, roof.REGISTER_BYTES // np.dtype(dtype).itemsize, dtype)
    rows[0] = 1.5
    roof._make_peak(dtype)(rows, 10)
    np.testing.assert_array_equal(rows[1:], np.full(rows[1:].shape, 1 + 10 * 1.5 + 1.5**10, dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_tanh_kernel_takes_tanh(dtype: str) -> None:
    """Every element is replaced by its tanh, as often as asked."""
    rows = aligned_rows(roof.TANH_ROWS, roof.GROUP_BYTES // np.dtype(dtype).itemsize, dtype)
    rows[:] = np.linspace(-4, 4, rows.size).reshape(rows.shape)
    expected = survey.apply("tanh", dtype, survey.apply("tanh", dtype, rows.ravel().copy()))
    roof._make_tanh(dtype)(rows, 2)
    np.testing.assert_array_equal(rows.ravel(), expected)


def test_roofs_are_rates() -> None:
    """More operations than tanh fit in a second, and more of the narrower type."""
    seconds = sized(0.005, 0.0001)
    peak, tanh = roof.peak_operations("float64", 1, seconds), roof.tanh_rate("float64", 1, seconds)
    assert peak > tanh > 0
