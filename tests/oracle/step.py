"""One forward and one backward pass, in the contract's order and grouping."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tests.oracle.components import (
    CHAINS,
    OWN_OUTPUTS,
    SLOPES,
    TERMS,
    VALUES,
    Array,
    Functions,
    Own,
    add_in_order,
    count,
    loss_total,
    softmax,
)

Grid = Array  # [n][h] or [n][o], each an array (R,); functions of one number are computed for all at once
Sizes = int | tuple[int, ...]  # hidden units, of one layer or of several from the inputs up
Skip = bool | str  # whether inputs join outputs too, or "all": all earlier layers join all later ones
Window = Sequence[Any]  # the patterns of a step in visiting order, each a number or an array (R,) with one for each run


def parameter_shapes(inputs: int, hidden: Sizes, outputs: int, bias: bool, skip: Skip = False) -> dict[str, Any]:
    """Return the shapes of the parameters of a network, by name, in drawing order.

    Those of hidden layers are w and b, or where there are several w1, w2, .. and b1, b2, ..
    Without hidden units, hidden 0, v joins inputs to outputs, and nothing skips. With skip "all" k2, k3, .. and k join
    to each layer the inputs and the units of all layers but the one below it.
    """
    sizes = sizes_of(hidden)
    numbers = [""] if len(sizes) == 1 else list(map(str, range(1, len(sizes) + 1)))
    skip = skip if sizes else False
    pairs = itertools.pairwise((inputs, *sizes))
    shapes: dict[str, Any] = {f"w{number}": shape for number, shape in zip(numbers, pairs, strict=True)}
    shapes["v"] = (inputs, *sizes)[-1], outputs
    if bias:
        shapes |= {f"b{number}": (size,) for number, size in zip(numbers, sizes, strict=True)} | {"c": (outputs,)}
    if skip == "all":
        shapes |= {f"k{layer + 1}": (inputs + sum(sizes[: layer - 1]), sizes[layer]) for layer in range(1, len(sizes))}
    if skip:
        shapes |= {"k": (inputs + (sum(sizes[:-1]) if skip == "all" else 0), outputs)}
    return shapes


def sizes_of(hidden: Sizes) -> tuple[int, ...]:
    """Return the hidden units of each layer, none where they are 0."""
    return tuple(size for size in ((hidden,) if isinstance(hidden, int) else hidden) if size)


@dataclass(frozen=True)
class Network:
    """Arguments of a pass over patterns, shared by all runs of a call or different for each.

    A product with a scale of 1 is exact, so it may be left out.
    """

    inputs: Array  # (N, I), rounded to the dtype
    targets: Array  # (N, O), rounded to the dtype
    sizes: tuple[int, ...]  # hidden units, from the inputs up
    activation: str
    output: str
    bias: bool
    functions: Functions
    skip: Skip = False
    loss: str = "squared"
    reduction: str = "sum"
    class_weight: str | Sequence[float] = ""  # factors of the terms of each class, or "balanced"
    is_training: bool = True  # whether its patterns are those to train on, whose loss has smoothed labels and weights
    own: Own = field(default_factory=dict)  # settings of the components
    s1: tuple[Any, ...] = (1,)  # each (R,): the factors of the sums of each hidden layer
    s2: Any = 1  # the factor of sums over the units of the last hidden layer
    one_hot: bool = False  # whether a pattern is right where the output of its class is the largest
    decision_threshold: float | None = (
        None  # between low outputs and high ones; None is the middle of the range of the targets
    )

    @property
    def ranges(self) -> tuple[range, range, range]:
        """Return the loops over n, i and o."""
        (n_patterns, n_inputs), n_outputs = self.inputs.shape, self.targets.shape[1]
        return range(n_patterns), range(n_inputs), range(n_outputs)

    @property
    def n_layers(self) -> int:
        """Count the hidden layers."""
        return len(self.sizes)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all parameters, in drawing order."""
        _, ins, outs = map(len, self.ranges)
        return parameter_shapes(ins, self.sizes, outs, self.bias, self.skip)


class Activity(NamedTuple):
    """One forward pass over the patterns of a window: z and a of each hidden layer by [n][h]; u and y by [n][o]."""

    window: Window
    z: list[Grid]
    a: list[Grid]
    u: Grid
    y: Grid


def split(net: Network, weights: Array) -> dict[str, Array]:
    """View `weights` (P, R) as arrays (.., R) of all parameters, by name."""
    parts, first = {}, 0
    for name, shape in net.shapes.items():
        size = math.prod(shape)
        parts[name] = weights[first : first + size].reshape(*shape, -1)
        first += size
    assert first == len(weights), f"{len(weights)} parameters, not {first}"
    return parts


def of_layers(net: Network, weights: Array, kind: str) -> list[Array]:
    """View the weights w or the biases b of each hidden layer, from the inputs up."""
    return [part for name, part in split(net, weights).items() if name[0] == kind]


def forward(net: Network, weights: Array, window: Window | None = None) -> Activity:
    """Pass the patterns of a window, by default all in file order, through every network of `weights` (P, R)."""
    patterns, ins, outs = net.ranges
    window = patterns if window is None else window
    x, part, last = net.inputs, split(net, weights), range((len(ins), *net.sizes)[-1])
    sums, activities = [], []
    below: Any = [[x[n, i] for i in ins] for n in window]
    earlier = below  # the inputs and then the units that are joined to the next layer, without those of ``below``
    for layer, w in enumerate(of_layers(net, weights, "w")):
        fan_in, units = map(range, w.shape[:2])
        z = [[add_in_order(row[i] * w[i, h] for i in fan_in) * net.s1[layer] for h in units] for row in below]
        if net.skip == "all" and layer > 0:
            z = added(z, joined(earlier, part[f"k{layer + 1}"]))
            earlier = [[*row, *units] for row, units in zip(earlier, below, strict=True)]
        if net.bias:
            b = of_layers(net, weights, "b")[layer]
            z = [[row[h] + b[h] for h in units] for row in z]
        sums.append(np.array(z))
        below = VALUES[net.activation](sums[-1], net.own, net.functions)
        activities.append(below)
    u = [[add_in_order(row[h] * part["v"][h, o] for h in last) * net.s2 for o in outs] for row in below]
    if net.skip and net.sizes:
        u = added(u, joined(earlier, part["k"]))
    if net.bias:
        u = [[row[o] + part["c"][o] for o in outs] for row in u]
    of_outputs = np.array(u)
    if net.output == "softmax":
        y = np.stack(softmax(of_outputs.swapaxes(0, 1), net.functions)[0], axis=1)
    else:
        y = VALUES[net.output](of_outputs, net.own, net.functions)
    return Activity(window, sums, activities, of_outputs, y)


def joined(earlier: Any, k: Array) -> Grid:
    """Sum products of inputs and units of earlier layers, by [n][i], with their weights k: by [n][h]."""
    return [[add_in_order(row[i] * k[i, h] for i in range(len(k))) for h in range(k.shape[1])] for row in earlier]


def added(sums: Any, others: Any) -> Any:
    """Add two sums of each unit, both by [n][h]."""
    return [[z + also for z, also in zip(*rows, strict=True)] for rows in zip(sums, others, strict=True)]


def decision_threshold(net: Network) -> Any:
    """Return the decision threshold: by default the middle of the range of all targets, computed in float64."""
    low, high = np.float64(net.targets.min()), np.float64(net.targets.max())
    return net.targets.dtype.type((low + high) / 2 if net.decision_threshold is None else net.decision_threshold)


def targets_of(net: Network, window: Window, y: Grid) -> Grid:
    """Return the targets that the loss sees, by [n][o], of a window with outputs y: those of classes smoothed."""
    outs = net.ranges[2]
    targets = np.array([[np.broadcast_to(net.targets[n, o], y.shape[2:]) for o in outs] for n in window])
    if not net.is_training or net.loss not in OWN_OUTPUTS:
        return targets
    smoothing = net.own["label_smoothing"]
    return targets * (1 - smoothing) + smoothing / (len(outs) if net.output == "softmax" else 2)


def weights_of(net: Network, window: Window) -> Array:
    """Return the factors of the terms of the patterns of a window, by [n] or by [n](R,), each 1 without class weights.

    A pattern of one output is of class 1 where its target is high, otherwise it is of that of the largest target.
    """
    dtype = net.targets.dtype
    if not net.is_training or net.class_weight in ("", "none"):
        return np.ones(len(window), dtype)
    is_high = np.ravel(net.targets > decision_threshold(net))
    classes = np.argmax(net.targets, axis=1) if net.targets.shape[1] > 1 else is_high.astype(int)
    if net.class_weight == "balanced":
        counts = np.bincount(classes, minlength=1).astype(dtype)
        weights = dtype.type(len(classes)) / (dtype.type(np.count_nonzero(counts)) * counts)
    else:
        given = net.class_weight.split() if isinstance(net.class_weight, str) else net.class_weight
        weights = np.array(given, dtype)
    return np.array([weights[classes[n]] for n in window])


def loss_terms(net: Network, activity: Activity) -> list[Array]:
    """Return the terms of the loss, each (R,), of the patterns and outputs of a pass in order."""
    (_, _, outs), (window, _, _, u, y) = net.ranges, activity
    targets, weights = targets_of(net, window, y), weights_of(net, window)
    if net.loss == "cross_entropy":
        logarithms = softmax(u.swapaxes(0, 1), net.functions)[1]  # of the probabilities, negative
        return [weights[m] * (targets[m, o] * logarithms[o][m]) for m, o in itertools.product(range(len(window)), outs)]
    terms = TERMS[net.loss](u, y, targets, net.own, net.functions)
    return [weights[m] * terms[m, o] for m, o in itertools.product(range(len(window)), outs)]


def loss_of_terms(net: Network, terms: list[Array]) -> Array:
    """Return the loss over all patterns from its terms."""
    patterns, _, outs = net.ranges
    return loss_total(net.loss, terms, count(net.reduction, len(patterns), len(outs)))


def output_gradients(net: Network, activity: Activity) -> Grid:
    """Differentiate the loss over the window by u: g by [n][o]."""
    outs, (window, _, _, u, y) = net.ranges[2], activity
    divisor = count(net.reduction, len(window), len(outs))
    slopes = SLOPES[net.loss](y, targets_of(net, window, y), net.own)
    g = np.stack([weight * slope for weight, slope in zip(weights_of(net, window), slopes, strict=True)]) / divisor
    return g if net.loss in OWN_OUTPUTS else CHAINS[net.output](g, u, y, net.own, net.functions)


def deltas(net: Network, weights: Array, activity: Activity, g: Grid) -> list[Grid]:
    """Differentiate the loss over the window by the sums z of each hidden layer: by [n][h]."""
    above, joins, scale, found = g, split(net, weights)["v"], net.s2, list[Grid]()
    for layer in reversed(range(net.n_layers)):
        units, uppers, z, a = range(net.sizes[layer]), range(joins.shape[1]), activity.z[layer], activity.a[layer]
        back = [[add_in_order(row[o] * joins[h, o] for o in uppers) * scale for h in units] for row in above]
        if net.skip == "all" and found:
            back = added(back, back_through_shortcuts(net, weights, layer, [*found[1:], g]))
        above = CHAINS[net.activation](np.array(back), z, a, net.own, net.functions)
        joins, scale = of_layers(net, weights, "w")[layer], net.s1[layer]
        found.insert(0, above)
    return found


def back_through_shortcuts(net: Network, weights: Array, layer: int, above: list[Any]) -> Any:
    """Sum what the later layers but the next one, and at last the outputs, give to each unit of a layer, by [n][h].

    `above` are the derivatives by the sums of these layers from below, each by [n][h].
    """
    part, ins = split(net, weights), net.inputs.shape[1]
    arrays = [*(part[f"k{number + 1}"] for number in range(layer + 2, net.n_layers)), part["k"]]
    first = ins + sum(net.sizes[:layer])
    rows = range(first, first + net.sizes[layer])
    n_patterns = range(len(above[0]))
    return [
        [
            add_in_order(of[n][h] * k[i, h] for of, k in zip(above, arrays, strict=True) for h in range(k.shape[1]))
            for i in rows
        ]
        for n in n_patterns
    ]


def gradient(net: Network, weights: Array, activity: Activity, shared: Sequence[Sequence[Sequence[int]]] = ()) -> Array:
    """Differentiate the loss over the window by every parameter: (P, R), rows in drawing order.

    `shared` are groups of rows of parameters that stay equal: the sums of each are added up in its order.
    """
    _, ins, outs = net.ranges
    window, g = activity.window, output_gradients(net, activity)
    visits, delta = range(len(window)), deltas(net, weights, activity, g)
    x = [[net.inputs[n, i] for i in ins] for n in window]
    below = [x, *activity.a]  # the inputs of each layer, and finally the outputs
    rows, scales = list[Array](), list[Any]()
    for layer, size in enumerate(net.sizes):
        pairs = itertools.product(range(len(below[layer][0])), range(size))
        rows += [add_in_order(below[layer][m][i] * delta[layer][m][h] for m in visits) for i, h in pairs]
        scales += [net.s1[layer]] * (len(rows) - len(scales))
    pairs = itertools.product(range(len(below[-1][0])), outs)
    rows += [add_in_order(below[-1][m][h] * g[m][o] for m in visits) for h, o in pairs]
    scales += [net.s2] * (len(rows) - len(scales))
    if net.bias:
        rows += [add_in_order(of[m][h] for m in visits) for of in delta for h in range(len(of[0]))]
        rows += [add_in_order(g[m][o] for m in visits) for o in outs]
    earlier = x
    for layer in range(1, net.n_layers) if net.skip == "all" else ():
        pairs = itertools.product(range(len(earlier[0])), range(net.sizes[layer]))
        rows += [add_in_order(earlier[m][i] * delta[layer][m][h] for m in visits) for i, h in pairs]
        earlier = [[*earlier[m], *below[layer][m]] for m in visits]
    if net.skip and net.sizes:
        rows += [add_in_order(earlier[m][i] * g[m][o] for m in visits) for i in range(len(earlier[0])) for o in outs]
    for group in shared:
        for numbers in zip(*group, strict=True):
            total = add_in_order(rows[number] for number in numbers)
            for number in numbers:
                rows[number] = total
    return np.stack([row * scales[k] if k < len(scales) else row for k, row in enumerate(rows)])
