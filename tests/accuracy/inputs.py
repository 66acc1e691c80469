"""Arguments at which the elementary functions are measured: runs of neighboring numbers of a format.

One computation of a run answers two questions: how far is each result from the
reference, and is it monotone from number to number as the function is? A run is given
by the key of its first number and its length; see :func:`from_keys`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernels.elementary import exponentials, log1p_exp, normal, trigonometric

Array: TypeAlias = NDArray[Any]

UNSIGNED: dict[str, type[np.unsignedinteger[Any]]] = {"float32": np.uint32, "float64": np.uint64}
_SIGN = {"float32": 1 << 31, "float64": 1 << 63}


def from_keys(keys: Array, dtype: str) -> Array:
    """Return the numbers at places in the ascending order of all bit patterns.

    Keys ascend from NaNs with sign over -inf, the negative numbers, -0, +0, the
    positive numbers and inf to the other NaNs; neighbors differ by 1.
    """
    return np.where(keys >= _SIGN[dtype], keys ^ _SIGN[dtype], ~keys).view(dtype)


def to_keys(x: Array, dtype: str) -> Array:
    """Return the places of numbers in the order of :func:`from_keys`."""
    patterns = x.view(UNSIGNED[dtype])
    return np.where(patterns >= _SIGN[dtype], ~patterns, patterns ^ _SIGN[dtype])


def accurate(name: str, x: Array) -> Array:
    """Return for which arguments the function promises accurate values, including infinities and NaN."""
    if name not in ("sin", "cos"):
        return np.ones(x.shape, bool)
    return ~((np.abs(x) > trigonometric.ACCURATE) & np.isfinite(x))


def all_starts(dtype: str, length: int) -> Array:
    """Return the keys of runs of ``length + 1``, a power of two and one, that together hold every number."""
    return np.arange(0, 2 * _SIGN[dtype], length).astype(UNSIGNED[dtype])


def random_starts(name: str, dtype: str, count: int, seed: int) -> Array:
    """Draw keys: any bit pattern, the range of the function, where it bends, and any exponent below."""
    random = np.random.default_rng(seed)
    constants = exponentials.FORMATS[dtype]
    low, high, bend = constants.exp_low, constants.exp_high, 2 * constants.tanh_high
    if name in ("sin", "cos"):
        low, high, bend = -trigonometric.ACCURATE, trigonometric.ACCURATE, 2 * np.pi
    elif name == "log":
        low, high, bend = 0.0, 100.0, 2.0
    elif name.startswith("normal"):
        low, high, bend = -normal.CONSTANTS[dtype].high, normal.CONSTANTS[dtype].high, 3.0
    part = count // 4
    numbers = (
        random.uniform(1.02 * low, 1.02 * high, part),
        random.uniform(-bend, bend, part),
        random.choice((-1.0, 1.0), part) * 2.0 ** random.uniform(-64, 7, part),
    )
    patterns = random.integers(0, 2 * _SIGN[dtype] - 1, count - 3 * part, UNSIGNED[dtype], endpoint=True)
    return np.concatenate((patterns, to_keys(np.concatenate(numbers).astype(dtype), dtype)))


def branch_points(name: str, dtype: str) -> Array:
    """Return the inputs where a formula or its k changes, or the kind of result, and their negatives."""
    constants, info = exponentials.FORMATS[dtype], np.finfo(dtype)
    steps = np.arange(0.5, -constants.exp_low / np.log(2)) * np.log(2)
    edges = [0.0, constants.exp_low, constants.exp_high, *np.log((info.max, info.tiny, info.smallest_subnormal))]
    if name == "sigmoid":
        edges.append(constants.sigmoid_low)
    elif name == "softplus":
        edges.append(log1p_exp.SPLIT)
    elif name == "elu":
        steps = steps[steps < -constants.elu_low]
        edges = [0.0, constants.elu_low]
    elif name == "tanh":
        steps = steps[steps < 2 * constants.tanh_high] / 2
        edges = [0.0, exponentials.TANH_SPLIT, constants.tanh_high]
    elif name == "log":
        exponents = np.arange(info.minexp - 3, info.maxexp)
        edges, steps = [0.0, 1.0, info.tiny, info.smallest_subnormal, info.max], np.sqrt(2.0) * 2.0**exponents
    elif name in ("sin", "cos"):
        steps = np.arange(120) * (np.pi / 4)
        edges = [trigonometric.ACCURATE, trigonometric.FAR[dtype]]
    elif name.startswith("normal"):
        high = normal.CONSTANTS[dtype].high
        steps = np.sqrt(2 * steps[2 * steps < high**2])
        edges = [0.0, normal.SPLIT, high]
    points = np.concatenate((edges, steps))
    return np.concatenate((-points, points)).astype(dtype)


def runs_around(points: Array, dtype: str, length: int) -> Array:
    """Return the keys of runs of ``length``, each around one of the points."""
    return to_keys(points, dtype) - length // 2


def quarter_turns(dtype: str) -> Array:
    """Return the numbers next to multiples of pi/2, in the accurate range of sin and cos."""
    turns = np.arange(1, int(trigonometric.ACCURATE / (np.pi / 2)))
    return (turns * (np.longdouble(np.pi / 2) + np.longdouble(6.123233995736766e-17))).astype(dtype)
