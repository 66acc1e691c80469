"""Activation functions: value and slope side by side.

The operations and their order are those of the oracle (``tests/oracle/words.py``): the gradient is multiplied by
the slope, but with ReLU it is chosen or 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from kernels.simd.elementary import elementary
from kernels.simd.jit import device
from kernels.simd.lanes import Lanes, bits, from_bits, select

NAMES = ("relu", "leaky_relu", "elu", "softplus", "silu", "gelu", "sin", "tanh", "sigmoid", "identity")


class Activation(NamedTuple):
    """One activation function on lanes.

    Attributes
    ----------
    value : (z, negative_slope) -> a
        The function itself.
    value_and_slope : (z, negative_slope) -> (a, slope), or None
        The function and its derivative, where a alone does not tell the derivative.
    chain : (gradient, slope or a) -> lanes
        The gradient with respect to z, given that with respect to a. It takes the slope if there is a
        ``value_and_slope``, and otherwise a, which tells the slope.
    elementary
        Whether it is a long chain of operations, so that several rows should go through it side by side.
    """

    value: Callable[[Lanes, Lanes], Lanes]
    value_and_slope: Callable[[Lanes, Lanes], tuple[Lanes, Lanes]] | None
    chain: Callable[[Lanes, Lanes], Lanes]
    elementary: bool


@device
def identity(z: Lanes, negative_slope: Lanes) -> Lanes:
    return z


@device
def identity_chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient


@device
def relu(z: Lanes, negative_slope: Lanes) -> Lanes:
    return select(z < 0.0, 0.0, z)  # so written, NaN stays NaN


@device
def relu_chain(gradient: Lanes, a: Lanes) -> Lanes:
    return select(a > 0.0, gradient, 0.0)  # the derivative at 0 is 0


@device
def leaky_relu(z: Lanes, negative_slope: Lanes) -> Lanes:
    return select(z < 0.0, negative_slope * z, z)


@device
def leaky_relu_and_slope(z: Lanes, negative_slope: Lanes) -> tuple[Lanes, Lanes]:
    return leaky_relu(z, negative_slope), select(z > 0.0, 1.0, negative_slope)


@device
def product(gradient: Lanes, slope: Lanes) -> Lanes:
    return gradient * slope


@device
def sigmoid_chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient * (a * (1.0 - a))


@device
def tanh_chain(gradient: Lanes, a: Lanes) -> Lanes:
    return gradient * (1.0 - a * a)


def of_z_alone(function: Callable[[Lanes], Any]) -> Callable[[Lanes, Lanes], Any]:
    """Give a function of z the arguments of an activation."""

    @device
    def activation_of_z(z: Lanes, negative_slope: Lanes) -> Any:
        return function(z)

    return activation_of_z


@cache
def integer_relu(dtype: str) -> Activation:
    """Return ReLU as a maximum of integers: with AVX-512 one instruction, which leaves the adders to sums.

    It loses a NaN, so it is for kernels that find a NaN elsewhere; see :func:`kernels.data.patterns.sums_watched`.
    """
    sign = 2**63 if dtype == "float64" else 2**31

    @device
    def value(z: Lanes, negative_slope: Lanes) -> Lanes:
        return from_bits(select(bits(z) < sign, bits(z), 0))

    return Activation(value, None, relu_chain, elementary=False)


@cache
def activation(name: str, dtype: str) -> Activation:
    """Return one of the activations of :data:`NAMES` for lanes of ``dtype``."""
    f = elementary(dtype)

    @device
    def elu_and_slope(z: Lanes, negative_slope: Lanes) -> tuple[Lanes, Lanes]:
        return f.elu(z), select(z > 0.0, 1.0, f.exp(z))

    @device
    def softplus_and_slope(z: Lanes, negative_slope: Lanes) -> tuple[Lanes, Lanes]:
        return f.softplus(z), f.sigmoid(z)

    @device
    def silu(z: Lanes, negative_slope: Lanes) -> Lanes:
        return z * f.sigmoid(z)

    @device
    def silu_and_slope(z: Lanes, negative_slope: Lanes) -> tuple[Lanes, Lanes]:
        s = f.sigmoid(z)
        return z * s, s * (1.0 + z * (1.0 - s))

    @device
    def gelu(z: Lanes, negative_slope: Lanes) -> Lanes:
        return z * f.normal_cdf(z)

    @device
    def gelu_and_slope(z: Lanes, negative_slope: Lanes) -> tuple[Lanes, Lanes]:
        probability, density = f.normal(z)
        return z * probability, probability + z * density

    return {
        "identity": Activation(identity, None, identity_chain, elementary=False),
        "relu": Activation(relu, None, relu_chain, elementary=False),
        "leaky_relu": Activation(leaky_relu, leaky_relu_and_slope, product, elementary=False),
        "elu": Activation(of_z_alone(f.elu), elu_and_slope, product, elementary=True),
        "softplus": Activation(of_z_alone(f.softplus), softplus_and_slope, product, elementary=True),
        "silu": Activation(silu, silu_and_slope, product, elementary=True),
        "gelu": Activation(gelu, gelu_and_slope, product, elementary=True),
        "sin": Activation(of_z_alone(f.sin), of_z_alone(f.sin_cos), product, elementary=True),
        "tanh": Activation(of_z_alone(f.tanh), None, tanh_chain, elementary=True),
        "sigmoid": Activation(of_z_alone(f.sigmoid), None, sigmoid_chain, elementary=True),
    }[name]
