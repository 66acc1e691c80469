"""Kernels consist of parts, which take and return any kind of value, and compiling them does not change Python."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import kernels
from kernels.numba import jit
from kernels.numba.jit import device, kernel, routine
from tests.kernels.support import of_fast_compiler

pytestmark = pytest.mark.usefixtures("own_cache")

Array = NDArray[Any]


class Pair(NamedTuple):
    """A record like those of kernels: arrays and numbers."""

    numbers: Array
    factor: float


class Found(NamedTuple):
    """The result of a part: numbers and a truth value."""

    total: float
    is_large: bool


def make_parts(decorate: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Return a part that calls another one: it takes a tuple of records and a truth value, and returns a record."""

    @decorate
    def add_up(pair: Pair, first: int, doubled: bool) -> float:
        total = 0.0
        for k in range(first, pair.numbers.size, 2):
            total += pair.numbers[k] * pair.factor
        return total * 2.0 if doubled else total

    @decorate
    def find(pairs: tuple[Pair, Pair], doubled: bool) -> Found:
        totals = add_up(pairs[0], 0, doubled), add_up(pairs[1], 1, not doubled)
        return Found(min(totals[0], totals[1]), totals[1] > totals[0])

    return add_up, find


def pairs() -> tuple[Pair, Pair]:
    """Return arguments of parts."""
    return Pair(np.arange(1.0, 6.0), 0.5), Pair(np.arange(10.0, 14.0), 3.0)


@pytest.mark.parametrize("decorate", [device, routine])
def test_parts_take_and_return_all_kinds_of_values(decorate: Callable[[Any], Any]) -> None:
    """Records, tuples of records and truth values pass unchanged, also from Numba's own functions."""
    _, find = make_parts(decorate)

    @kernel("records")
    def call(given: tuple[Pair, Pair], out: Array) -> bool:
        found = find(given, True)
        out[0] = found.total
        return found.is_large

    out = np.zeros(1)
    is_large = call(pairs(), out)
    assert (out[0], bool(is_large)) == (9.0, True)  # 2 (1 + 3 + 5) / 2, and 3 (11 + 13) is larger


def test_kernels_share_parts() -> None:
    """A part is compiled once for two kernels, and each kernel is complete."""
    add_up, find = make_parts(device)

    @kernel("first")
    def first(given: tuple[Pair, Pair], doubled: bool) -> float:
        return find(given, doubled).total

    @kernel("second")
    def second(given: tuple[Pair, Pair], doubled: bool) -> float:
        return find(given, doubled).total + add_up(given[0], 0, doubled)

    assert first(pairs(), False) == 4.5
    assert second(pairs(), True) == 18.0
    assert first(pairs(), True) == 9.0
    if jit.ENABLED:
        assert len(find.overloads) == 1


LINEAR_ALGEBRA = """
import sys
import numba
import numpy as np
from kernels.numba import jit

@jit.kernel("one")
def one(number):
    return number + 1.0

one(1.0)
found = "scipy.linalg" in sys.modules
matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
product = numba.njit(lambda a: np.dot(a, a))(matrix)
print(found, np.array_equal(product, matrix @ matrix))
"""


@pytest.mark.compiled
@of_fast_compiler
def test_linear_algebra_is_loaded_only_where_needed(tmp_path: Path) -> None:
    """A kernel does not load it; other functions that need it still find it."""
    pytest.importorskip("scipy")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    components = [sys.executable, "-W", "ignore", "-c", LINEAR_ALGEBRA]
    root = Path(kernels.__file__).parents[1]
    found = subprocess.run(components, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout
    assert found.split() == ["False", "True"]
