"""Activation functions: value and derivative side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from kernels.batch import Patterns, PatternSource
from kernels.elementary import elementary
from kernels.jit import device
from kernels.lanes import Lanes, Memory, Rows, bits, from_bits, select

NAMES = ("relu", "tanh", "sigmoid", "identity")

# Elementary functions are computed for so many bytes of rows at a time.
ELEMENTARY = ("tanh", "sigmoid")
GROUP_BYTES = 256


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


class ReluForms(NamedTuple):
    """At which patterns ReLU takes another form than :func:`relu`, which may lose NaN and the sign of a zero.

    Attributes
    ----------
    of_bits : (patterns,)
        An operation on the bits.
    gated : (patterns,)
        None: the row keeps z, whose products are zero where z is not positive.
    """

    of_bits: tuple[bool, ...]
    gated: tuple[bool, ...]


@cache
def relu_by_sign(dtype: str) -> Callable[[Lanes], Lanes]:
    """Return ReLU as an integer operation on the bits, which leaves the adders of a CPU free.

    NaN becomes 0 where its sign bit is set. With AVX-512 it is one instruction.
    """
    sign = 2**63 if dtype == "float64" else 2**31

    @device
    def relu_of_bits(z: Lanes) -> Lanes:
        return from_bits(select(bits(z) < sign, bits(z), 0))

    return relu_of_bits


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
    name: str, known: PatternSource, memory: Memory, per_pattern: int = 1, forms: ReluForms | None = None
) -> Callable[[Patterns, Rows, int], None]:
    """Return an activation in place.

    The function takes ``(patterns, rows, first)`` and overwrites ``per_pattern`` rows for
    each pattern, from row ``first`` on; with ``forms``, one.

    Notes
    -----
    An elementary function is a chain of some 30 operations, each of which waits for the one
    before. A CPU does not look far enough ahead to find the next chain, so several rows go
    through it side by side.
    """
    value, of_bits = activation(name, memory.dtype).value, relu_by_sign(memory.dtype)
    load, store = memory.load, memory.store
    count = max(1, GROUP_BYTES // (memory.width * np.dtype(memory.dtype).itemsize))
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

    if forms is None:
        return activate_groups if name in ELEMENTARY else activate_rows
    by_bits, gated = map(np.array, forms)

    @device
    def activate_forms(patterns: Patterns, rows: Rows, first: int) -> None:
        for n in range(known(patterns).inputs.shape[0]):
            z = load(rows, first + n)
            if by_bits[n]:
                store(rows, first + n, of_bits(z))
            elif not gated[n]:
                store(rows, first + n, value(z))

    return activate_forms


@cache
def make_weigh(forms: ReluForms | None) -> Callable[[Lanes, Lanes, int], Lanes]:
    """Return the product of an activation, or what stands for it in its row, with a factor.

    The function takes ``(row, factor, n)``, n the pattern.
    """

    @device
    def plain(row: Lanes, factor: Lanes, n: int) -> Lanes:
        return row * factor

    if forms is None:
        return plain
    gated = np.array(forms.gated)

    @device
    def weigh(row: Lanes, factor: Lanes, n: int) -> Lanes:
        return select(row > 0.0, row * factor, 0.0) if gated[n] else row * factor

    return weigh
