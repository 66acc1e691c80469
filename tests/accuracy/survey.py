"""Measure the accuracy and monotonicity of exp, tanh and sigmoid.

float32 is measured at all 2^32 bit patterns, float64 at 10^7 random numbers and
around every point where the formulas change. Not part of the test run (it takes
minutes); the tests call its functions with smaller counts. From the root of the
repository:

    python -m tests.accuracy.survey [--markdown]

Everywhere the inputs are *runs* of neighbouring numbers of the format, ascending,
because one evaluation then answers both questions: how far is each result from
the reference, and does any result lie below the one before it? A run is given by
the key of its first number and its length; see :func:`from_keys`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernels import jit, lanes
from kernels.elementary import _FORMATS, _TANH_SPLIT, elementary

Array: TypeAlias = NDArray[Any]

NAMES = ("exp", "tanh", "sigmoid")
# Whether long double is wide enough to judge float64 (it is not on Windows and Apple silicon).
EXTENDED = bool(np.finfo(np.longdouble).eps < np.finfo(np.float64).eps / 1000)

_WIDE: dict[str, type[np.floating[Any]]] = {"float32": np.float64, "float64": np.longdouble}
_UNSIGNED: dict[str, type[np.unsignedinteger[Any]]] = {"float32": np.uint32, "float64": np.uint64}
_SIGN = {"float32": 1 << 31, "float64": 1 << 63}
_WIDTH = 16
_BATCH = 1 << 15  # numbers evaluated at a time: few enough for the cache
_EXAMPLES = 10


@dataclass(frozen=True)
class Tally:
    """Findings over some runs."""

    pairs: int  # of neighbours
    error: float  # the largest, in ulp
    worst: Any  # an input with that error
    decreases: int  # pairs whose second result is less than the first
    examples: tuple[Any, ...]  # the lower inputs of the first such pairs

    def __add__(self, other: Tally) -> Tally:
        """Combine the findings over two sets of runs."""
        larger = self if self.error >= other.error else other
        return Tally(
            self.pairs + other.pairs,
            larger.error,
            larger.worst,
            self.decreases + other.decreases,
            (self.examples + other.examples)[:_EXAMPLES],
        )


@cache
def _kernel(name: str, dtype: str) -> Callable[[Array, Array], None]:
    memory = lanes.memory(dtype, _WIDTH)
    load, store, function = memory.load, memory.store, getattr(elementary(dtype), name)

    @jit.kernel(f"accuracy survey {name} {dtype}")
    def run(x: Array, out: Array) -> None:
        for k in range(x.shape[0]):
            store(out, k, function(load(x, k)))

    return run


def apply(name: str, dtype: str, x: Array) -> Array:
    """Evaluate our own function of that name at an array of ``dtype``, with the JIT or without."""
    width = _WIDTH if jit.ENABLED else max(x.size, 1)
    padded, out = (lanes.aligned_rows(-(-x.size // width), width, dtype) for _ in range(2))
    padded.reshape(-1)[: x.size] = x.reshape(-1)
    with np.errstate(all="ignore"):
        _kernel(name, dtype)(padded, out)
    return out.reshape(-1)[: x.size].reshape(x.shape)


def reference(name: str, dtype: str, x: Array) -> Array:
    """Evaluate the function with NumPy in a format wider than ``dtype``."""
    functions: dict[str, Callable[[Array], Array]] = {"exp": np.exp, "tanh": np.tanh, "sigmoid": _sigmoid}
    with np.errstate(all="ignore"):
        return functions[name](x.astype(_WIDE[dtype]))


def _sigmoid(x: Array) -> Array:
    power = np.exp(-np.abs(x))
    value: Array = np.where(x < 0, power, 1) / (1 + power)
    return value


def ulp_error(result: Array, exact: Array, dtype: str) -> Array:
    """Return how far each result is from the exact value, in units in the last place.

    A unit is the spacing of ``dtype`` at the number nearest the exact value, also
    among the subnormal numbers. Infinity counts as the power of two after the
    largest number, for the result and the exact value alike, and so does every
    exact value beyond it. NaN is no error where both are NaN, else infinitely large.
    """
    info, wide = np.finfo(dtype), exact.dtype.type
    end = np.ldexp(wide(1), info.maxexp)
    exponent_bits = np.array(np.inf, dtype).view(_UNSIGNED[dtype])
    with np.errstate(all="ignore"):
        nearest = np.minimum(np.abs(exact), wide(info.max)).astype(dtype)
        binade = (nearest.view(_UNSIGNED[dtype]) & exponent_bits).view(dtype).astype(wide)
        ulp = np.maximum(binade * wide(info.eps), wide(info.smallest_subnormal))
        error = np.abs(np.clip(result.astype(wide), -end, end) - np.clip(exact, -end, end)) / ulp
    both = np.isnan(result) & np.isnan(exact)
    return np.where(np.isnan(error), np.where(both, 0, np.inf), error)


def from_keys(keys: Array, dtype: str) -> Array:
    """Return the numbers at places in the ascending order of all bit patterns.

    Keys ascend from NaNs with sign over -inf, the negative numbers, -0, +0, the
    positive numbers and inf to the other NaNs; neighbours differ by 1.
    """
    return np.where(keys >= _SIGN[dtype], keys ^ _SIGN[dtype], ~keys).view(dtype)


def to_keys(x: Array, dtype: str) -> Array:
    """Return the places of numbers in the order of :func:`from_keys`."""
    patterns = x.view(_UNSIGNED[dtype])
    return np.where(patterns >= _SIGN[dtype], ~patterns, patterns ^ _SIGN[dtype])


def all_starts(dtype: str) -> Array:
    """Return the keys of runs of ``_BATCH + 1`` that together hold every number of ``dtype``."""
    return np.arange(0, 2 * _SIGN[dtype], _BATCH).astype(_UNSIGNED[dtype])


def random_starts(dtype: str, count: int, seed: int) -> Array:
    """Draw keys: any bit pattern, all of the range of exp, where tanh and sigmoid bend, any exponent below."""
    random = np.random.default_rng(seed)
    low, high, bend = _FORMATS[dtype].exp_low, _FORMATS[dtype].exp_high, 2 * _FORMATS[dtype].tanh_high
    part = count // 4
    numbers = (
        random.uniform(1.02 * low, 1.02 * high, part),
        random.uniform(-bend, bend, part),
        random.choice((-1.0, 1.0), part) * 2.0 ** random.uniform(-64, 7, part),
    )
    patterns = random.integers(0, 2 * _SIGN[dtype] - 1, count - 3 * part, _UNSIGNED[dtype], endpoint=True)
    return np.concatenate((patterns, to_keys(np.concatenate(numbers).astype(dtype), dtype)))


def branch_points(name: str, dtype: str) -> Array:
    """Return the inputs where a formula or its k changes, or the kind of result, and their negatives."""
    constants, info = _FORMATS[dtype], np.finfo(dtype)
    steps = np.arange(0.5, -constants.exp_low / np.log(2)) * np.log(2)
    edges = [0.0, constants.exp_low, constants.exp_high, *np.log((info.max, info.tiny, info.smallest_subnormal))]
    if name == "sigmoid":
        edges.append(constants.sigmoid_low)
    elif name == "tanh":
        steps = steps[steps < 2 * constants.tanh_high] / 2
        edges = [0.0, _TANH_SPLIT, constants.tanh_high]
    points = np.concatenate((edges, steps))
    return np.concatenate((-points, points)).astype(dtype)


def branch_starts(name: str, dtype: str, length: int) -> Array:
    """Return the keys of runs of ``length`` with a branch point in the middle."""
    return to_keys(branch_points(name, dtype), dtype) - length // 2


def measure(name: str, dtype: str, starts: Array, length: int) -> Tally:
    """Evaluate runs of ``length`` neighbours that begin at the keys ``starts``."""
    x = from_keys(starts[:, np.newaxis] + np.arange(length, dtype=_UNSIGNED[dtype]), dtype)
    result = apply(name, dtype, x)
    error = ulp_error(result, reference(name, dtype, x), dtype)
    worst = np.unravel_index(np.argmax(error), error.shape)
    decreases = result[:, 1:] < result[:, :-1]
    examples = tuple(x[:, :-1][decreases][:_EXAMPLES])
    return Tally(decreases.size, float(error[worst]), x[worst], int(decreases.sum()), examples)


def survey(name: str, dtype: str, starts: Array, length: int) -> Tally:
    """Do what :func:`measure` does for any number of runs, on all cores."""
    rows = max(1, _BATCH // length)
    batches = (starts[first : first + rows] for first in range(0, len(starts), rows))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return reduce(Tally.__add__, pool.map(lambda batch: measure(name, dtype, batch, length), batches))


def special_faults(name: str, dtype: str) -> list[str]:
    """List the special inputs whose result is not the rounded reference, sign of zero included."""
    info = np.finfo(dtype)
    sizes = (0.0, info.smallest_subnormal, info.tiny - info.smallest_subnormal, info.tiny, info.max, np.inf)
    x = np.array([np.nan, *sizes, *(-np.array(sizes))], dtype)
    result = apply(name, dtype, x)
    with np.errstate(all="ignore"):
        expected = reference(name, dtype, x).astype(dtype)
    same = (np.isnan(x) & np.isnan(result)) | (result.view(_UNSIGNED[dtype]) == expected.view(_UNSIGNED[dtype]))
    return [f"{name}({a}) = {b}, not {c}" for a, b, c in zip(x[~same], result[~same], expected[~same], strict=True)]


def plan(name: str, dtype: str) -> Iterator[tuple[str, Array, int]]:
    """Yield what to measure: a description, the starts of runs and their length."""
    if dtype == "float32":
        yield "all 2^32", all_starts(dtype), _BATCH + 1
    else:
        yield "random", random_starts(dtype, 10_000_000, seed=1), 2
        yield "branch points", branch_starts(name, dtype, 10_001), 10_001


def table(rows: list[tuple[str, ...]], markdown: bool) -> str:
    """Lay out rows, the first of them the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    edge, gap = ("| ", " | ") if markdown else ("", "  ")
    lines = [edge + gap.join(map(str.ljust, row, widths)) + edge[::-1] for row in rows]
    lines.insert(1, edge + gap.join("-" * width for width in widths) + edge[::-1])
    return "\n".join(line.rstrip() for line in lines)


def main() -> None:
    """Print the table and then every fault."""
    parser = argparse.ArgumentParser(description="Measure the accuracy of exp, tanh and sigmoid.")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    markdown: bool = parser.parse_args().markdown
    if not EXTENDED:
        sys.exit("long double is no wider than double on this machine")
    rows: list[tuple[str, ...]] = [("dtype", "function", "inputs", "pairs", "max error (ulp)", "at", "decreases")]
    faults: list[str] = []
    for dtype in ("float32", "float64"):
        for name in NAMES:
            faults += [f"{dtype}: {fault}" for fault in special_faults(name, dtype)]
            for inputs, starts, length in plan(name, dtype):
                found = survey(name, dtype, starts, length)
                numbers = f"{found.pairs:,}", f"{found.error:.4f}", str(found.worst), f"{found.decreases:,}"
                rows.append((dtype, name, inputs, *numbers))
                faults += [f"{dtype}: {name} decreases after {float(x).hex()} ({x})" for x in found.examples]
    print(table(rows, markdown))
    print(*faults, sep="\n")


if __name__ == "__main__":
    main()
