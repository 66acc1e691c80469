"""Activation functions: value and derivative side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from kernels.elementary import elementary
from kernels.jit import device
from kernels.lanes import Lanes, bits, from_bits, select

NAMES = ("relu", "tanh", "sigmoid", "identity")


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
def activation(name: str, dtype: str, nan_watched: bool = False) -> Activation:
    """Return an activation for lanes.

    Parameters
    ----------
    name
        One of :data:`NAMES`.
    dtype
        Of the lanes.
    nan_watched
        Whether the kernel finds out from the parameters where an argument of ``value``
        is NaN, so that ``value`` may lose it. Else NaN gives NaN.
    """
    if name == "identity":
        return Activation(identity, identity_chain)
    if name == "relu":
        return Activation(relu_by_sign(dtype) if nan_watched else relu, relu_chain)
    if name == "tanh":
        return Activation(elementary(dtype).tanh, tanh_chain)
    if name == "sigmoid":
        return Activation(elementary(dtype).sigmoid, sigmoid_chain)
    raise ValueError(f"activation {name!r} is not one of {', '.join(NAMES)}")
