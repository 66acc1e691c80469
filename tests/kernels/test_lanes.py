"""Lanes and masks compute what NumPy computes, element by element."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from kernels.lanes.arithmetic import absolute, select, sqrt
from kernels.lanes.lane_rows import ALIGNMENT, aligned_rows, make_memory
from kernels.lanes.operations import any_lane, bits, from_bits, multiply_add, narrow, widen
from kernels.numba import jit
from tests.kernels.support import DTYPES, Array, assert_equal

WIDTH = 8
# A small function over lanes that Python may call, unlike the parts of kernels.
compiled = jit.numba.njit
UNSIGNED = {"float64": "uint64", "float32": "uint32"}
Kernel = Callable[[Array, Array, Array], None]


def _special_pairs(dtype: str) -> tuple[Array, Array]:
    """Pair ordinary and special numbers, in rows of lanes."""
    if dtype == "uint32":
        values = np.array([0, 1, 2, 3, 5, 31, 32, 2**16, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1], dtype)
    else:
        info = np.finfo(dtype)
        sizes = [0.0, info.smallest_subnormal, info.tiny, 0.1, 1.0, 1.5, 3.0, info.max, np.inf]
        values = np.array([np.nan, *sizes, *(-np.array(sizes)), 2.5, -7.25], dtype)
    pairs = np.array(list(itertools.product(values, values)), dtype)
    pairs = pairs[: len(pairs) // WIDTH * WIDTH]
    return _in_lanes(pairs[:, 0]), _in_lanes(pairs[:, 1])


def _in_lanes(values: Array) -> Array:
    rows = aligned_rows(values.size // WIDTH, WIDTH, values.dtype.name)
    rows[:] = values.reshape(-1, WIDTH)
    return rows


def _floating_kernel(dtype: str) -> Kernel:
    memory = make_memory(dtype, WIDTH)
    load, store, fill = memory.load, memory.store, memory.fill

    @compiled
    def run(x: Array, y: Array, out: Array) -> None:
        for k in range(x.shape[0]):
            a, b = load(x, k), load(y, k)
            one, zero = fill(1.0), fill(0.0)
            r = 26 * k
            store(out, r, a + b)
            store(out, r + 1, a - b)
            store(out, r + 2, a * b)
            store(out, r + 3, a / b)
            store(out, r + 4, -a)
            store(out, r + 5, absolute(a))
            store(out, r + 6, 0.1 + a)
            store(out, r + 7, a * 0.1)
            store(out, r + 8, 0.1 / a)
            store(out, r + 9, a - 3)
            store(out, r + 10, select(a < b, one, zero))
            store(out, r + 11, select(a <= b, one, zero))
            store(out, r + 12, select(a > b, one, zero))
            store(out, r + 13, select(a >= b, one, zero))
            store(out, r + 14, select(a == b, one, zero))
            store(out, r + 15, select(a != b, one, zero))
            store(out, r + 16, select(a < 0.1, a, 0.1))
            store(out, r + 17, select((a < b) & (b > 0.0), 0.1, b))
            store(out, r + 18, select((a < b) | (b > 0.0), a, b))
            store(out, r + 19, select(~(a < b), a, b))
            store(out, r + 20, from_bits(bits(a)))
            store(out, r + 21, from_bits((bits(a) >> 1) ^ (bits(b) & 1023)))
            store(out, r + 22, fill(0.1))
            store(out, r + 23, 0.1)
            store(out, r + 24, multiply_add(a, 2.0, -0.1))
            store(out, r + 25, sqrt(a))

    return run


def _floating_expected(a: Array, b: Array) -> list[Array]:
    """Compute the formulas of the kernel with NumPy."""
    dtype, unsigned = a.dtype.type, UNSIGNED[a.dtype.name]
    tenth, three = dtype(0.1), dtype(3)
    comparisons = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
    components_a, components_b = a.view(unsigned), b.view(unsigned)
    one, mask = components_a.dtype.type(1), components_a.dtype.type(1023)
    return [
        *(a + b, a - b, a * b, a / b, -a, np.abs(a)),
        *(tenth + a, a * tenth, tenth / a, a - three),
        *(compare(a, b).astype(dtype) for compare in comparisons),
        np.where(a < tenth, a, tenth),
        np.where((a < b) & (b > 0), tenth, b),
        np.where((a < b) | (b > 0), a, b),
        np.where(a < b, b, a),
        a,
        ((components_a >> one) ^ (components_b & mask)).view(dtype),
        np.full_like(a, tenth),
        np.full_like(a, tenth),
        dtype(2) * a - tenth,
        np.sqrt(a),
    ]


@pytest.mark.parametrize("dtype", DTYPES)
def test_floating_lanes(dtype: str) -> None:
    """Arithmetic, comparisons, masks, selection and bits equal NumPy's, scalars rounded first, zeros signed alike."""
    a, b = _special_pairs(dtype)
    out = aligned_rows(26 * len(a), WIDTH, dtype)
    with np.errstate(all="ignore"):
        _floating_kernel(dtype)(a, b, out)
        for row, expected in enumerate(_floating_expected(a, b)):
            given = out[row::26]
            assert_equal(given, expected, f"formula {row}")
            number = ~np.isnan(expected)
            assert (np.signbit(given) == np.signbit(expected))[number].all(), f"sign of formula {row}"


@pytest.mark.parametrize("dtype", DTYPES)
def test_square_roots_are_correctly_rounded(dtype: str) -> None:
    """Over all exponents, no neighbor of a root has a square nearer to the number."""
    load, store = make_memory(dtype, WIDTH).load, make_memory(dtype, WIDTH).store

    @compiled
    def roots(x: Array, out: Array) -> None:
        for k in range(x.shape[0]):
            store(out, k, sqrt(load(x, k)))

    steps = np.arange(1, 2001, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (steps >> np.uint64(1 if dtype == "float64" else 33)).astype(UNSIGNED[dtype]).view(dtype)
    x = _in_lanes(x[np.isfinite(x)][: 1000 // WIDTH * WIDTH])
    out = aligned_rows(len(x), WIDTH, dtype)
    roots(x, out)
    for number, root in zip(x.flat, out.flat, strict=True):
        below, here, above = (
            Fraction(float(np.nextafter(root, end))) for end in (x.dtype.type(0), root, x.dtype.type(np.inf))
        )
        assert (below + here) ** 2 <= 4 * Fraction(float(number)) <= (here + above) ** 2


def test_widening_and_rounding_to_float32() -> None:
    """float32 passes through float64 unchanged; other numbers are rounded as NumPy rounds them."""
    single, double = make_memory("float32", WIDTH), make_memory("float64", WIDTH)
    load, store, load_wide, store_wide = single.load, single.store, double.load, double.store

    @compiled
    def convert(x: Array, wide: Array, there: Array, back: Array) -> None:
        for k in range(x.shape[0]):
            store_wide(there, k, widen(load(x, k)))
            store(back, k, narrow(load_wide(wide, k)))

    x, wide = (_special_pairs(dtype)[0][:40] for dtype in ("float32", "float64"))
    wide[:20] = np.random.default_rng(5).normal(0, 1, (20, WIDTH)) * 10.0 ** np.arange(-50, 50, 5)[:, np.newaxis]
    there, back = (aligned_rows(len(x), WIDTH, dtype) for dtype in DTYPES)
    with np.errstate(all="ignore"):
        convert(x, wide, there, back)
        assert_equal(there, x.astype(np.float64), "widened")
        assert_equal(back, wide.astype(np.float32), "rounded")


def _integer_kernel() -> Kernel:
    memory = make_memory("uint32", WIDTH)
    load, store, fill = memory.load, memory.store, memory.fill

    @compiled
    def run(x: Array, y: Array, out: Array) -> None:
        for k in range(x.shape[0]):
            a, b = load(x, k), load(y, k)
            r = 14 * k
            store(out, r, a + b)
            store(out, r + 1, a - b)
            store(out, r + 2, a * b)
            store(out, r + 3, a ^ b)
            store(out, r + 4, a & b)
            store(out, r + 5, a << (b & 31))
            store(out, r + 6, a >> (b & 31))
            store(out, r + 7, (a << 7) & 0x9D2C5680)
            store(out, r + 8, (a ^ (a >> 30)) * 1812433253 + 5)
            store(out, r + 9, select(a < b, fill(1), 0))
            store(out, r + 10, select(a >= b, fill(1), 0))
            store(out, r + 11, select(a == b, a, 7))
            store(out, r + 12, select(a != b, 0x9908B0DF, b))
            store(out, r + 13, 4294967295)

    return run


def test_unsigned_lanes() -> None:
    """Unsigned integers wrap, shift in zeros and compare without sign."""
    a, b = _special_pairs("uint32")
    out = aligned_rows(14 * len(a), WIDTH, "uint32")
    _integer_kernel()(a, b, out)
    wide_a, wide_b, end = a.astype(object), b.astype(object), 2**32  # Python's integers, exact
    expected = [
        *((wide_a + wide_b) % end, (wide_a - wide_b) % end, (wide_a * wide_b) % end, wide_a ^ wide_b, wide_a & wide_b),
        *((wide_a << (wide_b & 31)) % end, wide_a >> (wide_b & 31), ((wide_a << 7) % end) & 0x9D2C5680),
        ((wide_a ^ (wide_a >> 30)) * 1812433253 + 5) % end,
        *((wide_a < wide_b).astype(int), (wide_a >= wide_b).astype(int)),
        *(np.where(a == b, a, 7), np.where(a != b, 0x9908B0DF, b), np.full(a.shape, end - 1)),
    ]
    for row, values in enumerate(expected):
        assert (out[row::14] == values.astype(np.uint32)).all(), f"formula {row}"


@pytest.mark.parametrize("width", [1, 2, 8, 32])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_lane_reads_every_lane(dtype: str, width: int) -> None:
    """Any single lane is enough; NaN is not below any number."""
    load = make_memory(dtype, width).load

    @compiled
    def below_zero(rows: Array, index: int) -> bool:
        return any_lane(load(rows, index) < 0.0)

    rows = aligned_rows(width + 2, width, dtype)
    np.fill_diagonal(rows, -1.0)
    rows[width + 1] = np.nan
    assert [below_zero(rows, row) for row in range(width + 2)] == [True] * width + [False] * 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_stacks_keep_stored_values(dtype: str) -> None:
    """Rows local to a kernel are written and read like others."""
    memory = make_memory(dtype, WIDTH)
    load, store = memory.load, memory.store
    rows_of = memory.stack(3)

    @compiled
    def rotate(x: Array, out: Array) -> None:
        rows = rows_of()
        for k in range(3):
            store(rows, k, load(x, k))
        for k in range(3):
            store(out, k, load(rows, (k + 1) % 3))

    x = _in_lanes(np.arange(3 * WIDTH, dtype=dtype))
    out = aligned_rows(3, WIDTH, dtype)
    rotate(x, out)
    assert_equal(out, np.roll(x, -1, axis=0), "rows")


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("dtype", DTYPES)
def test_groups_of_rows_are_one_value(dtype: str, count: int) -> None:
    """Adjacent rows are loaded, processed and stored in order; other rows do not change."""
    memory = make_memory(dtype, WIDTH)
    load, store = memory.load, memory.store
    load_group, store_group = memory.group(count)
    rows_of = memory.stack(count)

    @compiled
    def square(x: Array, out: Array) -> None:
        rows = rows_of()
        for k in range(count):
            store(rows, k, load(x, k + 1))
        first, again = load_group(x, 1), load_group(rows, 0)
        store_group(rows, 0, first * again)
        store_group(out, 1, load_group(rows, 0))

    x = _in_lanes(np.arange((count + 2) * WIDTH, dtype=dtype))
    out = aligned_rows(count + 2, WIDTH, dtype)
    square(x, out)
    expected = x * x
    expected[[0, -1]] = 0
    assert_equal(out, expected, "rows")


@pytest.mark.parametrize("width", [1, 3, 16])
@pytest.mark.parametrize("dtype", [*DTYPES, "uint32"])
def test_rows_start_on_a_cache_line(dtype: str, width: int) -> None:
    """Rows are zeros, laid out without gaps from an aligned address."""
    rows = aligned_rows(5, width, dtype)
    assert rows.ctypes.data % ALIGNMENT == 0
    assert rows.flags.c_contiguous
    assert (rows.shape, rows.dtype.name) == ((5, width), dtype)
    assert not rows.any()


@pytest.mark.skipif(not jit.ENABLED, reason="NumPy slices may have any width")
@pytest.mark.parametrize("width", [0, -4, 3, 6, 24])
def test_width_must_be_a_power_of_two(width: int) -> None:
    """Lanes of other widths are refused, with the width in the error."""
    with pytest.raises(ValueError, match=f"width: must be a power of two, got {width}"):
        make_memory("float64", width)
