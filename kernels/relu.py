"""ReLU in kernels that know their patterns: forms that cost less than a maximum.

They may lose a NaN and the sign of a zero. A NaN comes from a parameter that is not
finite, for which runs are checked when they end; see :func:`kernels.measures.make_measure`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from kernels.activations import relu
from kernels.architecture import Architecture
from kernels.batch import Patterns, PatternSource, Table, sums_watched
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, Memory, Rows, bits, from_bits, select


class ReluForms(NamedTuple):
    """At which patterns ReLU takes which form; at the others it is :func:`kernels.activations.relu`.

    Attributes
    ----------
    of_bits : (patterns,)
        A maximum of integers.
    gated : (patterns,)
        None: z is kept, and its products are zero where it is not positive.
    bias_only : (patterns,)
        Gated, and z is the hidden bias, so that nothing need be kept.
    """

    of_bits: tuple[bool, ...]
    gated: tuple[bool, ...]
    bias_only: tuple[bool, ...]


def relu_forms(
    architecture: Architecture, table: Table | None, *, one_pass: bool, unrolls: bool, gates: bool
) -> ReluForms | None:
    """Choose the forms of a kernel, or None if it must lose nothing or has no ReLU.

    ``gates`` is whether a loop over units in two passes gates all products; see
    :class:`kernels.tuning.Tuning`.

    Notes
    -----
    As an integer maximum ReLU competes with multiplications on a Zen 4, as one of
    floating-point numbers with additions. One pass through all has as many of both, so half
    of them are integers. Two passes have more additions. There a loop over units is fastest
    with gates on a Zen 4, since what it stores waits for no maximum; a Zen 5 waits longer
    for a comparison, 9 cycles with the product that it masks against 5. Where the loop is
    unrolled, so many masks would spill, and only z that are biases are gated: a register less each.
    On Intel's CPUs maxima, additions and multiplications share the same ports.
    """
    if architecture.activation != "relu" or table is None or not sums_watched(table):
        return None
    zeros = [architecture.bias and not any(row) for row in table[0]]
    gated = tuple(not one_pass and (zero if unrolls else gates) for zero in zeros)
    return ReluForms(
        of_bits=tuple(not gate and not (one_pass and n % 2) for n, gate in enumerate(gated)),
        gated=gated,
        bias_only=tuple(zero and gate for zero, gate in zip(zeros, gated, strict=True)),
    )


@cache
def relu_of_bits(dtype: str) -> Callable[[Lanes], Lanes]:
    """Return ReLU as an integer operation on the bits; with AVX-512 it is one instruction."""
    sign = 2**63 if dtype == "float64" else 2**31

    @device
    def of_bits(z: Lanes) -> Lanes:
        return from_bits(select(bits(z) < sign, bits(z), 0))

    return of_bits


@cache
def make_activate_relu(known: PatternSource, memory: Memory, forms: ReluForms) -> Callable[[Patterns, Rows, int], None]:
    """Return ReLU in place, of a row a pattern, as :func:`kernels.activations.make_activate`."""
    load, store = memory.load, memory.store
    quick = relu_of_bits(memory.dtype)
    of_bits, gated = np.array(forms.of_bits), np.array(forms.gated)

    @device
    def activate(patterns: Patterns, rows: Rows, first: int) -> None:
        for n in range(known(patterns).inputs.shape[0]):
            if of_bits[n]:
                store(rows, first + n, quick(load(rows, first + n)))
            elif not gated[n]:
                store(rows, first + n, relu(load(rows, first + n)))

    return activate


class Kept(NamedTuple):
    """Access to what a forward pass keeps of a unit for each pattern: its activation, or z that is gated.

    Attributes
    ----------
    store : (hidden, k, n, z) -> None
        Write z of pattern n to row k of ``hidden``, where it will be activated.
    load : (unit, hidden, k, n) -> lanes
        Read what was kept, given also the parameters of the unit.
    weigh : (kept, factor, n) -> lanes
        The product of the activation with a factor.
    """

    store: Callable[[Rows, int, int, Lanes], None]
    load: Callable[[Rows, Rows, int, int], Lanes]
    weigh: Callable[[Lanes, Lanes, int], Lanes]


@cache
def make_kept(architecture: Architecture, memory: Memory, forms: ReluForms | None) -> Kept:
    """Return the access for kernels with these forms, or for any activation without."""
    load, store = memory.load, memory.store
    if forms is None:

        @device
        def store_activation(hidden: Rows, k: int, n: int, z: Lanes) -> None:
            store(hidden, k, z)

        @device
        def load_activation(unit: Rows, hidden: Rows, k: int, n: int) -> Lanes:
            return load(hidden, k)

        @device
        def product(kept: Lanes, factor: Lanes, n: int) -> Lanes:
            return kept * factor

        return Kept(store_activation, load_activation, product)

    gated, bias_only = np.array(forms.gated), np.array(forms.bias_only)
    bias_row = architecture.n_unit_parameters - 1

    @device
    def store_kept(hidden: Rows, k: int, n: int, z: Lanes) -> None:
        if not bias_only[n]:
            store(hidden, k, z)

    @device
    def load_kept(unit: Rows, hidden: Rows, k: int, n: int) -> Lanes:
        return load(unit, bias_row) if bias_only[n] else load(hidden, k)

    @device
    def weigh(kept: Lanes, factor: Lanes, n: int) -> Lanes:
        return select(kept > 0.0, kept * factor, 0.0) if gated[n] else kept * factor

    return Kept(store_kept, load_kept, weigh)
