"""The measured upper bounds of the speed of the machine."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.lanes.lane_rows import aligned_rows
from sweep.bench import roof
from tests.accuracy import survey
from tests.kernels.support import sized


@pytest.mark.parametrize("chains", roof.CHAINS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_peak_kernel_does_the_counted_operations(dtype: str, chains: int) -> None:
    """Each of the chains takes ``count`` additions and as many multiplications."""
    rows = aligned_rows(1 + chains, roof.width_of(dtype), dtype)
    rows[0] = 1.5
    roof.make_peak(dtype, chains)(rows, 10)
    np.testing.assert_array_equal(rows[1:], np.full(rows[1:].shape, 1 + 10 * 1.5 + 1.5**10, dtype))


@pytest.mark.parametrize("registers", roof.REGISTERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_tanh_kernel_takes_tanh(dtype: str, registers: int) -> None:
    """Every element is replaced by its tanh, ``count`` times."""
    (rows,) = roof.arguments_of(dtype, 1, registers)
    assert rows.size == roof.ARGUMENTS * roof.width_of(dtype)
    expected = survey.apply("tanh", dtype, survey.apply("tanh", dtype, rows.ravel().copy()))
    roof.make_tanh(dtype, registers)(rows, 2)
    np.testing.assert_array_equal(rows.ravel(), expected)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_root_kernel_takes_a_root_and_a_division(dtype: str) -> None:
    """Every element goes through both, ``count`` times."""
    (rows,) = roof.arguments_of(dtype, 1)
    rows[:] = np.abs(rows)
    expected = 2 / (np.sqrt(2 / (np.sqrt(rows) + np.float32(0.5))) + np.float32(0.5))
    roof.make_roots(dtype)(rows, 2)
    np.testing.assert_array_equal(rows, expected)


def test_roofs_are_rates() -> None:
    """All are counts per second over all threads, and above 0."""
    seconds = sized(0.005, 0.0001)
    for threads in (1, 2):
        for roof_of in (roof.peak_operations, roof.tanh_rate, roof.root_rate):
            assert roof_of("float64", threads, seconds) > 0
