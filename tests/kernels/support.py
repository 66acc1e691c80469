"""Functions that all tests of the kernels share: dtypes, sizes with and without the JIT, exact comparison of arrays.

All run without the JIT and with it. Without it a step takes milliseconds for any number of networks side by side, so
tests have fewer and shorter runs there, all of them in one packet. With it every kernel takes seconds to compile, so
``make test-all`` takes those cases that cover each component and each way of taking a step, and ``make soak`` takes
all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.numba import jit
from kernels.numba.choice import choose_compiler
from kernels.tuning import Tuning, tuning_here

Array = NDArray[Any]
T = TypeVar("T")
Test = TypeVar("Test", bound=Callable[..., None])

DTYPES = ("float64", "float32")

of_fast_compiler = pytest.mark.skipif(
    not jit.ENABLED or choose_compiler().name != "fast", reason="only the fast compiler does this"
)


def sized(with_jit: T, without: T) -> T:
    """Choose a size with the JIT or without."""
    return with_jit if jit.ENABLED else without


def some_compiled(
    cases: Iterable[T], compiled: Callable[[T], bool], interpreted: Callable[[T], bool] = lambda _: True
) -> list[Any]:
    """Parametrize a test: interpreted, few cases in ``make test`` and many in ``make test-all``; compiled, few there.

    Parameters
    ----------
    cases
        Arguments of the test, tuples if it takes several.
    compiled
        Which cases ``make test-all`` has time for with the JIT; the others are for ``make soak``. Without the JIT
        ``make test`` takes these, or the first if there are none.
    interpreted
        Which ``make test-all`` has time for without the JIT.
    """
    cases = list(cases)
    in_all = list(filter(sized(compiled, interpreted), cases))
    in_test = list(filter(compiled, in_all)) or in_all[:1]
    parameters = []
    for case in cases:
        marks = [pytest.mark.soak] if case not in in_all else [] if case in in_test else [pytest.mark.wide]
        parameters.append(pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=marks))
    return parameters


needs_jit = pytest.mark.skipif(not jit.ENABLED, reason="without the JIT nothing is compiled, and many steps take long")
# The marks of a module of such tests.
compiled_only_marks = [pytest.mark.compiled, needs_jit]


def compiled_only(test: Test) -> Test:
    """Mark a test of the compiler, or of very many steps: ``make test`` runs it with the JIT, and nothing without."""
    return pytest.mark.compiled(needs_jit(test))


def in_soak_if_compiled(test: Test) -> Test:
    """Leave a test that compiles its own kernel to ``make soak``, as :func:`some_compiled` does with cases."""
    return pytest.mark.soak(test) if jit.ENABLED else test


def of_width(width: int | None, dtype: str, tuning: Tuning | None = None) -> Tuning:
    """Return a tuning, by default of this CPU, with ``width`` networks in a packet unless that is None."""
    tuning = tuning or tuning_here()
    return tuning._replace(row_bytes=width * np.dtype(dtype).itemsize) if width else tuning


def assert_equal(given: Array, expected: Array, what: str) -> None:
    """Require arrays of one shape, type and content: == or both NaN."""
    given, expected = np.asarray(given), np.asarray(expected)
    assert given.shape == expected.shape, f"{what}: shape {given.shape}, expected {expected.shape}"
    floating = expected.dtype.kind == "f"
    assert not floating or given.dtype == expected.dtype, f"{what}: {given.dtype}, expected {expected.dtype}"
    same = given == expected
    if floating:
        same |= np.isnan(given) & np.isnan(expected)
    where = np.argwhere(~same)[:3]
    assert same.all(), f"{what} differs at {where.tolist()}: {given[~same][:3]}, expected {expected[~same][:3]}"


def pad(losses: Array, columns: int) -> Array:
    """Pad losses (R, evaluations) with NaN to this number of columns."""
    return np.pad(losses, ((0, 0), (0, columns - losses.shape[1])), constant_values=np.nan)
