"""Measure the accuracy of the elementary functions, and whether they rise and fall where they should.

float32 is measured at all 2^32 bit patterns, float64 at 10^7 random numbers and
around every point where the formulas change. Not part of the test run (it takes half
an hour); the tests call its functions with smaller counts. From the root of the
repository:

    python -m tests.accuracy.survey [--only NAME]
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
import pandas as pd
from numpy.typing import NDArray

from kernels.elementary.by_dtype import elementary
from kernels.lanes.lane_rows import aligned_rows, make_memory
from kernels.numba import jit
from tests.accuracy import inputs, references
from tests.accuracy.inputs import UNSIGNED

Array: TypeAlias = NDArray[Any]

NAMES = tuple(references.FUNCTIONS)
# Whether long double is wide enough to evaluate float64 (it is not on Windows and Apple silicon).
EXTENDED = bool(np.finfo(np.longdouble).eps < np.finfo(np.float64).eps / 1000)

_WIDE: dict[str, type[np.floating[Any]]] = {"float32": np.float64, "float64": np.longdouble}
# Functions that kernels compute as the second value of a pair, and never alone.
_SECOND_OF = {"cos": "sin_cos", "normal_density": "normal"}
_WIDTH = 16
_BATCH = 1 << 15  # numbers evaluated at a time: few enough for the cache
_EXAMPLES = 10


@dataclass(frozen=True)
class Tally:
    """The errors over some runs."""

    pairs: int  # of neighbors
    error: float  # the largest, in ulp
    worst: Any  # an input with that error
    turned: int  # pairs whose results move against the function
    examples: tuple[Any, ...]  # the lower inputs of the first such pairs

    def __add__(self, other: Tally) -> Tally:
        """Combine the errors over two sets of runs."""
        larger = self if self.error >= other.error else other
        return Tally(
            self.pairs + other.pairs,
            larger.error,
            larger.worst,
            self.turned + other.turned,
            (self.examples + other.examples)[:_EXAMPLES],
        )


def _function(name: str, dtype: str) -> Callable[[Any], Any]:
    """Return the kernels' function of that name; two exist only as the second value of a pair."""
    functions = elementary(dtype)
    if name not in _SECOND_OF:
        function: Callable[[Any], Any] = getattr(functions, name)
        return function
    pair = getattr(functions, _SECOND_OF[name])

    @jit.device
    def second(x: Any) -> Any:
        return pair(x)[1]

    return second


@cache
def _kernel(name: str, dtype: str) -> Callable[[Array, Array], None]:
    memory = make_memory(dtype, _WIDTH)
    load, store, function = memory.load, memory.store, _function(name, dtype)

    @jit.kernel(f"accuracy survey {name} {dtype}")
    def run(x: Array, out: Array) -> None:
        for k in range(x.shape[0]):
            store(out, k, function(load(x, k)))

    return run


def apply(name: str, dtype: str, x: Array) -> Array:
    """Compute the kernels' function of that name for an array of ``dtype``, with the JIT or without."""
    width = _WIDTH if jit.ENABLED else max(x.size, 1)
    padded, out = (aligned_rows(-(-x.size // width), width, dtype) for _ in range(2))
    padded.reshape(-1)[: x.size] = x.reshape(-1)
    with np.errstate(all="ignore"):
        _kernel(name, dtype)(padded, out)
    return out.reshape(-1)[: x.size].reshape(x.shape)


def reference(name: str, dtype: str, x: Array) -> Array:
    """Compute the function with NumPy in a format wider than ``dtype``."""
    with np.errstate(all="ignore"):
        return references.FUNCTIONS[name](x.astype(_WIDE[dtype]))


def ulp_error(result: Array, exact: Array, dtype: str) -> Array:
    """Return how far each result is from the exact value, in units in the last place.

    A unit is the spacing of ``dtype`` at the number nearest the exact value, even
    among the subnormal numbers. Infinity counts as the power of two after the
    largest number, for the result and the exact value alike, and so does every
    exact value beyond it. NaN is no error where both are NaN, else infinitely large.
    """
    info, wide = np.finfo(dtype), exact.dtype.type
    end = np.ldexp(wide(1), info.maxexp)
    exponent_bits = np.array(np.inf, dtype).view(UNSIGNED[dtype])
    with np.errstate(all="ignore"):
        nearest = np.minimum(np.abs(exact), wide(info.max)).astype(dtype)
        binade = (nearest.view(UNSIGNED[dtype]) & exponent_bits).view(dtype).astype(wide)
        ulp = np.maximum(binade * wide(info.eps), wide(info.smallest_subnormal))
        error = np.abs(np.clip(result.astype(wide), -end, end) - np.clip(exact, -end, end)) / ulp
    both = np.isnan(result) & np.isnan(exact)
    return np.where(np.isnan(error), np.where(both, 0, np.inf), error)


def turns(name: str, dtype: str, x: Array, result: Array) -> Array:
    """Return between which neighbors, along the last axis, the result moves against the function."""
    falls, rises = result[..., 1:] < result[..., :-1], result[..., 1:] > result[..., :-1]
    if name not in references.SLOPES:
        return falls
    with np.errstate(all="ignore"):
        slope = references.SLOPES[name](x.astype(_WIDE[dtype]))
    up, down = ((slope[..., 1:] * sign > 0) & (slope[..., :-1] * sign > 0) for sign in (1, -1))
    within = inputs.accurate(name, x)
    return ((falls & up) | (rises & down)) & within[..., 1:] & within[..., :-1]


def measure(name: str, dtype: str, starts: Array, length: int) -> Tally:
    """Measure runs of ``length`` neighbors that start at the keys ``starts``."""
    x = inputs.from_keys(starts[:, np.newaxis] + np.arange(length, dtype=UNSIGNED[dtype]), dtype)
    result = apply(name, dtype, x)
    error = np.where(inputs.accurate(name, x), ulp_error(result, reference(name, dtype, x), dtype), np.zeros(1))
    worst = np.unravel_index(np.argmax(error), error.shape)
    turned = turns(name, dtype, x, result)
    examples = tuple(x[:, :-1][turned][:_EXAMPLES])
    return Tally(turned.size, float(error[worst]), x[worst], int(turned.sum()), examples)


def survey(name: str, dtype: str, starts: Array, length: int) -> Tally:
    """Apply :func:`measure` to any number of runs, on all cores."""
    rows = max(1, _BATCH // length)
    batches = (starts[first : first + rows] for first in range(0, len(starts), rows))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return reduce(Tally.__add__, pool.map(lambda batch: measure(name, dtype, batch, length), batches))


def special_faults(name: str, dtype: str) -> list[str]:
    """List the special inputs whose result is not the rounded reference, sign of zero included."""
    info = np.finfo(dtype)
    sizes = (0.0, info.smallest_subnormal, info.tiny - info.smallest_subnormal, info.tiny, info.max, np.inf)
    x = np.array([np.nan, *sizes, *(-np.array(sizes))], dtype)
    x = x[inputs.accurate(name, x)]
    result = apply(name, dtype, x)
    with np.errstate(all="ignore"):
        expected = reference(name, dtype, x).astype(dtype)
    same = (np.isnan(x) & np.isnan(result)) | (np.isnan(expected) & np.isnan(result))
    same |= result.view(UNSIGNED[dtype]) == expected.view(UNSIGNED[dtype])
    return [f"{name}({a}) = {b}, not {c}" for a, b, c in zip(x[~same], result[~same], expected[~same], strict=True)]


def plan(name: str, dtype: str) -> Iterator[tuple[str, Array, int]]:
    """Yield what to measure: a description, the starts of runs and their length."""
    if dtype == "float32":
        yield "all 2^32", inputs.all_starts(dtype, _BATCH), _BATCH + 1
        return
    yield "random", inputs.random_starts(name, dtype, 10_000_000, seed=1), 2
    yield "branch points", inputs.runs_around(inputs.branch_points(name, dtype), dtype, 10_001), 10_001
    if name in ("sin", "cos"):
        yield "multiples of pi/2", inputs.runs_around(inputs.quarter_turns(dtype), dtype, 5), 5


def main() -> None:
    """Print the table and then every fault."""
    parser = argparse.ArgumentParser(description="Measure the accuracy of the elementary functions.")
    parser.add_argument("--only", choices=NAMES, help="measure one function")
    arguments = parser.parse_args()
    if not EXTENDED:
        sys.exit("long double is no wider than double on this machine")
    rows: list[tuple[str, ...]] = []
    faults: list[str] = []
    for dtype in ("float32", "float64"):
        for name in (arguments.only,) if arguments.only else NAMES:
            faults += [f"{dtype}: {fault}" for fault in special_faults(name, dtype)]
            for description, starts, length in plan(name, dtype):
                found = survey(name, dtype, starts, length)
                numbers = f"{found.pairs:,}", f"{found.error:.4f}", str(found.worst), f"{found.turned:,}"
                rows.append((dtype, name, description, *numbers))
                faults += [f"{dtype}: {name} is not monotone after {float(x).hex()} ({x})" for x in found.examples]
    columns = ["dtype", "function", "inputs", "pairs", "max error (ulp)", "at", "turned"]
    print(pd.DataFrame(rows, columns=columns).to_string(index=False))
    print(*faults, sep="\n")


if __name__ == "__main__":
    main()
