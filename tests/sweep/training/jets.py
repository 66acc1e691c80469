"""Numbers with their exact first and second derivatives, and the loss of a network computed with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Jet(NamedTuple):
    """A function of some parameters at a point: its value, gradient and Hessian."""

    value: float
    gradient: Array
    hessian: Array

    def of(self, value: float, slope: float, curvature: float) -> Jet:
        """Return a function of this number, given its value and derivatives here."""
        outer = np.multiply.outer(self.gradient, self.gradient)
        return Jet(value, slope * self.gradient, slope * self.hessian + curvature * outer)

    def plus(self, other: Jet | float) -> Jet:
        """Return the sum."""
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.gradient, self.hessian)
        return Jet(self.value + other.value, self.gradient + other.gradient, self.hessian + other.hessian)

    def times(self, other: Jet | float) -> Jet:
        """Return the product."""
        if not isinstance(other, Jet):
            return Jet(self.value * other, self.gradient * other, self.hessian * other)
        cross = np.multiply.outer(self.gradient, other.gradient)
        hessian = self.value * other.hessian + other.value * self.hessian + cross + cross.T
        return Jet(self.value * other.value, self.value * other.gradient + other.value * self.gradient, hessian)

    def exp(self) -> Jet:
        """Return the exponential."""
        e = math.exp(self.value)
        return self.of(e, e, e)

    def log(self) -> Jet:
        """Return the logarithm."""
        return self.of(math.log(self.value), 1 / self.value, -1 / self.value**2)

    def inverse(self) -> Jet:
        """Return one over the number."""
        return self.of(1 / self.value, -1 / self.value**2, 2 / self.value**3)


def variables(values: Array) -> list[Jet]:
    """Return the parameters themselves."""
    rows = np.eye(len(values))
    return [Jet(float(x), row, np.zeros((len(values),) * 2)) for x, row in zip(values, rows, strict=True)]


def sigmoid(z: Jet) -> Jet:
    """Return 1 / (1 + exp(-z))."""
    return z.times(-1.0).exp().plus(1.0).inverse()


def softplus(z: Jet) -> Jet:
    """Return log(1 + exp(z))."""
    return z.exp().plus(1.0).log()


def tanh(z: Jet) -> Jet:
    """Return the hyperbolic tangent."""
    return sigmoid(z.times(2.0)).times(2.0).plus(-1.0)


def gelu(z: Jet) -> Jet:
    """Return z times the normal distribution function."""
    x = z.value
    density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return z.times(z.of((1 + math.erf(x / math.sqrt(2))) / 2, density, -x * density))


ACTIVATIONS: dict[str, Callable[[Jet], Jet]] = {
    "elu": lambda z: z if z.value > 0 else z.exp().plus(-1.0),
    "gelu": gelu,
    "identity": lambda z: z,
    "leaky_relu": lambda z: z if z.value > 0 else z.times(0.01),
    "mish": lambda z: z.times(tanh(softplus(z))),
    "relu": lambda z: z if z.value > 0 else z.times(0.0),
    "sigmoid": sigmoid,
    "silu": lambda z: z.times(sigmoid(z)),
    "sin": lambda z: z.of(math.sin(z.value), math.cos(z.value), -math.sin(z.value)),
    "softplus": softplus,
    "softsign": lambda z: z.times(z.of(abs(z.value), math.copysign(1, z.value), 0.0).plus(1.0).inverse()),
    "tanh": tanh,
}
# The term of a pattern and an output, from its sum, its output and its target.
TERMS: dict[str, Callable[[Jet, Jet, float], Jet]] = {
    "squared": lambda u, y, t: y.plus(-t).times(y.plus(-t)),
    "half_squared": lambda u, y, t: y.plus(-t).times(y.plus(-t)).times(0.5),
    "bce": lambda u, y, t: softplus(u).plus(u.times(-t)),
    "hinge": lambda u, y, t: y.times(-t).plus(1.0) if 1 - t * y.value > 0 else y.times(0.0),
    "huber": lambda u, y, t: (
        y.plus(-t).times(y.plus(-t)).times(0.5)
        if abs(y.value - t) <= 1
        else y.plus(-t).times(math.copysign(1.0, y.value - t)).plus(-0.5)
    ),
}


def sum_of(terms: Sequence[Jet]) -> Jet:
    """Return the sum of numbers."""
    total = terms[0]
    for term in terms[1:]:
        total = total.plus(term)
    return total


def loss_of(network: Mapping[str, Any], data: Any, words: Mapping[str, str]) -> Jet:
    """Return the loss of a network over all patterns, by all of its parameters in their order."""
    given = variables(np.concatenate([np.ravel(array) for array in network.values()]).astype(np.float64))
    names = [(name, *index) for name, array in network.items() for index in np.ndindex(array.shape)]
    p: dict[tuple[Any, ...], Jet] = dict(zip(names, given, strict=True))
    terms = []
    for x, target in zip(data.inputs, data.targets, strict=True):
        u = _sums(p, network, x, ACTIVATIONS[words["activation"]])
        if words["output"] == "softmax":
            total = sum_of([each.exp() for each in u]).log()
            terms += [total.plus(each.times(-1.0)).times(t) for each, t in zip(u, target, strict=True)]
        else:
            y = [ACTIVATIONS[words["output"]](each) for each in u]
            terms += [TERMS[words["loss"]](*each) for each in zip(u, y, target, strict=True)]
    n_patterns, n_outputs = np.shape(data.targets)
    n_terms = n_patterns if words["output"] == "softmax" else n_patterns * n_outputs
    divisor = {"sum": 1, "mean": n_terms, "pattern_mean": n_patterns}[words["reduction"]]
    return sum_of(terms).times(1 / divisor)


def _sums(p: Mapping[Any, Jet], network: Mapping[str, Any], x: Sequence[float], f: Callable[[Jet], Jet]) -> list[Jet]:
    """Return the sums of the outputs for one pattern."""
    nothing = next(iter(p.values())).times(0.0)
    below = [nothing.plus(float(each)) for each in x]
    earlier: list[Jet] = []  # outputs of all layers but the one directly below
    n_units = {name[1:]: array.shape[1] for name, array in network.items() if name[0] == "w"}

    def sums_of(weights: str, skips: str, n: int) -> list[Jet]:
        sums = [sum_of([a.times(p[weights, i, h]) for i, a in enumerate(below)]) for h in range(n)]
        if skips in network:  # the outputs' alone, or those of all layers but the first
            direct = (earlier or below)[: len(network[skips])]
            sums = [z.plus(sum_of([e.times(p[skips, j, h]) for j, e in enumerate(direct)])) for h, z in enumerate(sums)]
        return sums

    for layer, n in n_units.items():
        sums = sums_of(f"w{layer}", f"k{layer}" if layer else "", n)
        earlier += below
        below = [f(z.plus(p.get((f"b{layer}", h), 0.0))) for h, z in enumerate(sums)]
    return [u.plus(p.get(("c", o), 0.0)) for o, u in enumerate(sums_of("v", "k", network["v"].shape[1]))]
