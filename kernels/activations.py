"""Activation functions: value and derivative side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from kernels.batch import Patterns, PatternSource
from kernels.simd.elementary import elementary
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Memory, Rows, select
from kernels.tuning import elementary_rows, tuning_here

NAMES = ("relu", "tanh", "sigmoid", "identity")

# What several rows go through side by side.
ELEMENTARY = ("tanh", "sigmoid")


class Activation(NamedTuple):
    """One activation function on lanes.

    Attributes
    ----------
    value : (z) -> a
        The function itself.
    chain : (gradient, a) -> lanes
        The gradient with respect to z, given that with respect to a = value(z).
    """

    value: Callable[[Lanes], Lanes]
    chain: Callable[[Lanes, Lanes], Lanes]


@device
def identity(z: Lanes) -> Lanes:
    return z


@device
def identity_chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient


@device
def relu(z: Lanes) -> Lanes:
    return select(z < 0.0, 0.0, z)  # so written, NaN stays NaN


@device
def relu_chain(gradient: Lanes, a: Lanes) -> Lanes:
    return select(a > 0.0, gradient, 0.0)  # the derivative at 0 is 0


@device
def sigmoid_chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient * (a * (1.0 - a))


@device
def tanh_chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient * (1.0 - a * a)


@cache
def activation(name: str, dtype: str) -> Activation:
    """Return one of the activations of :data:`NAMES` for lanes of ``dtype``."""
    if name == "identity":
        return Activation(identity, identity_chain)
    if name == "relu":
        return Activation(relu, relu_chain)
    if name == "tanh":
        return Activation(elementary(dtype).tanh, tanh_chain)
    if name == "sigmoid":
        return Activation(elementary(dtype).sigmoid, sigmoid_chain)
    raise ValueError(f"activation {name!r} is not one of {', '.join(NAMES)}")


@cache
def make_activate(
    name: str, known: PatternSource, memory: Memory, per_pattern: int = 1
) -> Callable[[Patterns, Rows, int], None]:
    """Return an activation in place.

    The function takes ``(patterns, rows, first)`` and overwrites ``per_pattern`` rows for
    each pattern, from row ``first`` on.

    Notes
    -----
    An elementary function is a chain of some 30 operations, each of which waits for the one
    before. A CPU does not look far enough ahead to find the next chain, so several rows go
    through it side by side.
    """
    value = activation(name, memory.dtype).value
    load, store = memory.load, memory.store
    count = elementary_rows(memory.width * np.dtype(memory.dtype).itemsize, tuning_here().row_bytes)
    load_group, store_group = memory.group(count)

    @device
    def activate_groups(patterns: Patterns, rows: Rows, first: int) -> None:
        end = first + known(patterns).inputs.shape[0] * per_pattern
        rest = (end - first) % count
        for k in range(first, end - rest, count):
            store_group(rows, k, value(load_group(rows, k)))
        for k in range(end - rest, end):
            store(rows, k, value(load(rows, k)))

    @device
    def activate_rows(patterns: Patterns, rows: Rows, first: int) -> None:
        for k in range(first, first + known(patterns).inputs.shape[0] * per_pattern):
            store(rows, k, value(load(rows, k)))

    return activate_groups if name in ELEMENTARY else activate_rows
