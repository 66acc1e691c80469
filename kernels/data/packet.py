"""What a packet of networks works on, and where each parameter lies: rows of lanes, one network in each lane.

Parameters lie unit after unit: those of unit h are w[0, h] .., v[h, 0] .., b[h]; the output biases c and then the
skip connections k follow the last unit. Each state of an optimizer lies behind the parameters in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kernels.recipe import Architecture
from kernels.simd.jit import device
from kernels.simd.lanes import Rows


class Packet(NamedTuple):
    """Networks that train side by side.

    Attributes
    ----------
    parameters
        Parameters and behind them the states of the optimizer.
    control
        Rows RATE .. FINITE_FLAG of :mod:`kernels.data.control`.
    sums
        Gradients of the parameters, while the blocks of a window add to them.
    totals
        u of pattern n and output o at n * outputs + o, where the loss wants it.
    outputs
        y likewise.
    output_slopes
        The derivative of y with respect to u likewise, or y itself where that tells it.
    gradients
        The derivative of the loss with respect to u of pattern p of a block and output o at p * outputs + o.
    hidden
        Activation of unit h for pattern p of a block at h * patterns + p.
    hidden_slopes
        Its derivative likewise, or the activation itself.
    previous
        One row: the loss when the networks were judged before.
    latest
        One row: the loss now.
    visits
        Inputs and then targets of pattern n of an epoch at n * (inputs + outputs), where each network has an order of
        its own.
    kept
        A copy of the parameters and states, while updates are tried.
    """

    parameters: Rows
    control: Rows
    sums: Rows
    totals: Rows
    outputs: Rows
    output_slopes: Rows
    gradients: Rows
    hidden: Rows
    hidden_slopes: Rows
    previous: Rows
    latest: Rows
    visits: Rows
    kept: Rows


class Numbering(NamedTuple):
    """Functions for kernels: the row of each parameter, counted from the first one.

    Attributes
    ----------
    w, v, b : (h, i), (h, o) and (h) -> row
    c, k : (n_hidden, o) and (n_hidden, i, o) -> row
    n_parameters : (n_hidden) -> int
    """

    w: Callable[[int, int], int]
    v: Callable[[int, int], int]
    b: Callable[[int], int]
    c: Callable[[int, int], int]
    k: Callable[[int, int, int], int]
    n_parameters: Callable[[int], int]


@cache
def numbering(architecture: Architecture) -> Numbering:
    """Return the row numbers of the parameters of an architecture."""
    n_unit, n_inputs, n_outputs = architecture.n_unit_parameters, architecture.inputs, architecture.outputs
    n_biases, n_tail = n_outputs * architecture.bias, architecture.n_output_parameters

    @device
    def w(h: int, i: int) -> int:
        return h * n_unit + i

    @device
    def v(h: int, o: int) -> int:
        return h * n_unit + n_inputs + o

    @device
    def b(h: int) -> int:
        return h * n_unit + n_inputs + n_outputs

    @device
    def c(n_hidden: int, o: int) -> int:
        return n_hidden * n_unit + o

    @device
    def k(n_hidden: int, i: int, o: int) -> int:
        return n_hidden * n_unit + n_biases + i * n_outputs + o

    @device
    def n_parameters(n_hidden: int) -> int:
        return n_hidden * n_unit + n_tail

    return Numbering(w, v, b, c, k, n_parameters)
