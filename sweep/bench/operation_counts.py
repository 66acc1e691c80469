"""Floating-point operations of one training step, counted from the contract."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels.recipe import sizes_of
from sweep.bench.case import Array, Case

# Operations of a function's value, and of its slope from the value with the product that follows.
_VALUES = {"relu": 1}
_SLOPES = {"relu": 1, "tanh": 3, "sigmoid": 3}


class Operations(NamedTuple):
    """Operations of a step, by cost."""

    simple: float  # additions, subtractions, multiplications, maxima and comparisons
    # These take several times as long
    divisions: float
    square_roots: float
    # Calls of tanh or sigmoid. :func:`sweep.bench.roof.tanh_rate` measures the cost of a tanh.
    functions: float


# Of one parameter.
_UPDATES = {
    "gd": Operations(2, 0, 0, 0),  # p -= lr g
    "momentum": Operations(4, 0, 0, 0),  # v = mu v + g; p -= lr v
    # m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) (g g); p -= (k m) / (sqrt(v) + q)
    "adam": Operations(3 + 4 + 3, 1, 1, 0),
}
# Of one network: both powers; r = sqrt(1 - b2t); k = (lr r) / (1 - b1t); q = eps r.
_ADAM = Operations(2 + 1 + 2 + 1, 1, 1, 0)


def step_operations(case: Case, *, nominal: bool = False) -> Operations:
    """Count the operations of a step of one network in the contract, on average over an epoch.

    Parameters
    ----------
    case
        What is trained.
    nominal
        Count as if patterns were arbitrary numbers. Otherwise operations that vanish are not counted: products
        with zeros, ones and -1 of the patterns, and additions of a first term or of a zero target.

    Notes
    -----
    With N patterns in the step, of which n_i have input i set, and one output, a unit of the only hidden layer takes

    =========================  =====================================================
    z = sum x w + b            an addition for each input that is set, one less without b,
                               and a product unless the input is 1 or -1
    relu                       a maximum each
    u += a v                   2 N
    gradient of v              N products, N - 1 additions
    g v, times the derivative  N products, and N comparisons (3 N for tanh or sigmoid)
    gradients of w, b          sum of (n_i - 1) and of products as above, and N - 1 additions
    update                     of each parameter by the optimizer
    =========================  =====================================================

    and the output N additions of c, an error for each target that is not zero, N doublings
    unless half of the squares is the loss, N divisions where it is a mean, 3 N for a sigmoid,
    N - 1 additions and the update of c; the first unit saves N additions of u. A scale of a
    layer takes a product for each sum, forward and backward. A unit of another hidden layer counts
    the layer below as inputs that are all set, and the layer above as outputs.
    """
    windows = [_pass_operations(case, x, y, nominal) for x, y in case.windows]
    parts = [Operations(*np.mean(windows, axis=0).tolist())]
    parts.append(Operations(*(case.n_parameters * count for count in _UPDATES[case.optimizer])))
    if case.optimizer == "adam":
        parts.append(_ADAM)
    return Operations(*(sum(counts) for counts in zip(*parts, strict=True)))


def _pass_operations(case: Case, x: Array, y: Array, nominal: bool) -> Operations:
    """Count the operations of the forward and backward pass over some patterns."""
    if nominal:
        x, y = np.full_like(x, 0.5), np.full_like(y, 0.5)
    n_patterns, n_outputs = y.shape
    is_set, scaled = x != 0, [scale != 1 for scale in case.scales]
    products = int((is_set & (np.abs(x) != 1)).sum())
    n_of_pattern, n_of_input = is_set.sum(axis=1), is_set.sum(axis=0)
    patterns_set, inputs_set = int((n_of_pattern > 0).sum()), int((n_of_input > 0).sum())
    signals = n_patterns * n_outputs
    biases = n_patterns - 1 if case.bias else 0

    sizes, total = sizes_of(case.hidden), 0
    for layer, (size, above) in enumerate(zip(sizes, (*sizes[1:], n_outputs), strict=True)):
        if layer:
            below = sizes[layer - 1]
            unit = n_patterns * (2 * below - (not case.bias)) + below * (2 * n_patterns - 1)
            unit += scaled[layer] * (n_patterns + below)
        else:
            unit = 2 * (products + int(is_set.sum())) - (0 if case.bias else patterns_set) - inputs_set
            unit += scaled[0] * (patterns_set + inputs_set)
        unit += biases + (_VALUES.get(case.activation, 0) + _SLOPES.get(case.activation, 0)) * n_patterns
        total += size * (unit + 2 * above * n_patterns - n_patterns + scaled[layer + 1] * n_patterns)
    total += sizes[-1] * (2 * signals + n_outputs * (2 * n_patterns - 1) + scaled[-1] * n_outputs)

    output = -signals + (case.bias + scaled[-1]) * signals + int((y != 0).sum())
    output += (case.loss == "squared") * signals + _SLOPES.get(case.output, 0) * signals + n_outputs * biases
    return Operations(
        total + output,
        signals * (case.reduction == "mean"),
        0,
        _smooth(case.activation) * n_patterns * sum(sizes) + _smooth(case.output) * signals,
    )


def _smooth(function: str) -> bool:
    return function in ("tanh", "sigmoid")
