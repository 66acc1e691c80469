"""One forward and one backward pass, in the contract's order and grouping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tests.oracle.words import CHAINS, SLOPES, VALUES, Array, Functions, Own, add_in_order, count

Grid = list[list[Array]]  # [n][h] or [n][o], each an array (R,)
Window = Sequence[Any]  # the patterns of a step in visiting order, each a number or an array (R,) of each run's own


def parameter_shapes(inputs: int, hidden: int, outputs: int, bias: bool, skip: bool = False) -> dict[str, Any]:
    """Give the shapes of the parameters that such a network has, by name, in drawing order."""
    shapes: dict[str, Any] = {"w": (inputs, hidden), "v": (hidden, outputs)}
    if bias:
        shapes |= {"b": (hidden,), "c": (outputs,)}
    if skip:
        shapes |= {"k": (inputs, outputs)}
    return shapes


@dataclass(frozen=True)
class Network:
    """What all runs of a call share in a pass over patterns, and what each run has of its own there.

    A product with a scale of 1 is exact, so that it may as well be left out.
    """

    inputs: Array  # (N, I), rounded to the dtype
    targets: Array  # (N, O), rounded to the dtype
    hidden: int
    activation: str
    output: str
    bias: bool
    functions: Functions
    skip: bool = False
    loss: str = "squared"
    reduction: str = "sum"
    own: Own = field(default_factory=dict)  # settings of the words
    s1: Any = 1  # (R,), what sums over inputs are multiplied by
    s2: Any = 1  # what sums over hidden units are multiplied by

    @property
    def ranges(self) -> tuple[range, range, range, range]:
        """Give the loops over n, i, h and o."""
        (n_patterns, n_inputs), n_outputs = self.inputs.shape, self.targets.shape[1]
        return range(n_patterns), range(n_inputs), range(self.hidden), range(n_outputs)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Give the shapes of the parameters that there are, in drawing order."""
        _, ins, units, outs = map(len, self.ranges)
        return parameter_shapes(ins, units, outs, self.bias, self.skip)


class Activity(NamedTuple):
    """One forward pass over the patterns of a window: z and a by [n][h]; u and y by [n][o]."""

    window: Window
    z: Grid
    a: Grid
    u: Grid
    y: Grid


def split(net: Network, weights: Array) -> dict[str, Array]:
    """View `weights` (P, R) as w (I, H, R), v (H, O, R), b (H, R), c (O, R) and k (I, O, R), those that there are."""
    parts, first = {}, 0
    for name, shape in net.shapes.items():
        size = math.prod(shape)
        parts[name] = weights[first : first + size].reshape(*shape, -1)
        first += size
    assert first == len(weights), f"{len(weights)} parameters, not {first}"
    return parts


def forward(net: Network, weights: Array, window: Window | None = None) -> Activity:
    """Pass the patterns of a window, or else all in file order, through every network of `weights` (P, R)."""
    patterns, ins, units, outs = net.ranges
    window = patterns if window is None else window
    x, part = net.inputs, split(net, weights)
    z = [[add_in_order(x[n, i] * part["w"][i, h] for i in ins) * net.s1 for h in units] for n in window]
    if net.bias:
        z = [[row[h] + part["b"][h] for h in units] for row in z]
    a = [[VALUES[net.activation](row[h], net.own, net.functions) for h in units] for row in z]
    u = [[add_in_order(row[h] * part["v"][h, o] for h in units) * net.s2 for o in outs] for row in a]
    if net.skip:
        skipped = [[add_in_order(x[n, i] * part["k"][i, o] for i in ins) for o in outs] for n in window]
        u = [[row[o] + also[o] for o in outs] for row, also in zip(u, skipped, strict=True)]
    if net.bias:
        u = [[row[o] + part["c"][o] for o in outs] for row in u]
    y = [[VALUES[net.output](row[o], net.own, net.functions) for o in outs] for row in u]
    return Activity(window, z, a, u, y)


def output_gradients(net: Network, activity: Activity) -> Grid:
    """Differentiate the loss over the window by u: g by [n][o]."""
    outs, (window, _, _, u, y) = net.ranges[3], activity
    visits, divisor, own = range(len(window)), count(net.reduction, len(window), len(outs)), (net.own, net.functions)
    g = [[SLOPES[net.loss](y[m][o], net.targets[window[m], o], net.own) / divisor for o in outs] for m in visits]
    if net.loss == "bce":
        return g
    return [[CHAINS[net.output](g[m][o], u[m][o], y[m][o], *own) for o in outs] for m in visits]


def gradient(net: Network, weights: Array, activity: Activity) -> Array:
    """Differentiate the loss over the window by every parameter: (P, R), rows in drawing order."""
    _, ins, units, outs = net.ranges
    x, (window, z, a, _, _), g = net.inputs, activity, output_gradients(net, activity)
    v, visits, own = split(net, weights)["v"], range(len(window)), (net.own, net.functions)
    back = [[add_in_order(g[m][o] * v[h, o] for o in outs) * net.s2 for h in units] for m in visits]
    delta = [[CHAINS[net.activation](back[m][h], z[m][h], a[m][h], *own) for h in units] for m in visits]
    rows = [add_in_order(x[window[m], i] * delta[m][h] for m in visits) * net.s1 for i in ins for h in units]
    rows += [add_in_order(a[m][h] * g[m][o] for m in visits) * net.s2 for h in units for o in outs]
    if net.bias:
        rows += [add_in_order(delta[m][h] for m in visits) for h in units]
        rows += [add_in_order(g[m][o] for m in visits) for o in outs]
    if net.skip:
        rows += [add_in_order(x[window[m], i] * g[m][o] for m in visits) for i in ins for o in outs]
    return np.stack(rows)
