"""Recorded measures and weights of trained networks according to the oracle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sweep import Study
from sweep.study.data.data_table import Data
from tests import oracle
from tests.oracle.options import Options, make_network
from tests.oracle.step import sizes_of

Rows = list[list[float]]
# Measures of curvature, which test_sharpness.py compares with exact derivatives.
SHARPNESS = ("sharpness", "sharpness_at_best")


@dataclass(frozen=True)
class TrainedNetwork:
    """One network that has not diverged, with all numbers as float64.

    The first layer has a row of final weights for each input.
    Outputs and targets have a row for each pattern, by their use: ``"train"``, ``"validation"``, ``"test"``.
    """

    start: list[float]
    end: list[float]
    first_layer: Rows
    outputs: dict[str, Rows]
    targets: dict[str, Rows]
    decision_threshold: float
    of_classes: bool

    @property
    def trained(self) -> Iterable[tuple[list[float], list[float]]]:
        """Outputs and targets of the training patterns."""
        return zip(self.outputs["train"], self.targets["train"], strict=True)


def _largest_other(row: list[float], o: int) -> float:
    """Return the largest of the other outputs; NaN if one of them is NaN."""
    others = row[:o] + row[o + 1 :]
    return math.nan if any(map(math.isnan, others)) else max(others, default=-math.inf)


def _learned_function(net: TrainedNetwork) -> int:
    bits = [
        y > (_largest_other(row, o) if net.of_classes else net.decision_threshold)
        for row in [*net.outputs["train"], *net.outputs.get("test", [])]
        for o, y in enumerate(row)
    ]
    return sum(2**k for k, is_high in enumerate(bits) if is_high)


def _margin(net: TrainedNetwork) -> float:
    if net.of_classes:
        own = [(row, targets.index(max(targets))) for row, targets in net.trained]
        distances = [row[o] - _largest_other(row, o) for row, o in own]
    else:
        pairs = [pair for row, targets in net.trained for pair in zip(row, targets, strict=True)]
        distances = [
            y - net.decision_threshold if target > net.decision_threshold else net.decision_threshold - y
            for y, target in pairs
        ]
    return math.nan if any(map(math.isnan, distances)) else min(distances)


def _sum(terms: Iterable[float]) -> float:
    """Add up in order; Python's sum would compensate for rounding."""
    total = -0.0
    for term in terms:
        total += term
    return total


def _mean_error(net: TrainedNetwork) -> float:
    errors = [abs(y - target) for row, targets in net.trained for y, target in zip(row, targets, strict=True)]
    return _sum(errors) / len(errors)


def _balanced_accuracy(net: TrainedNetwork, of: str) -> float:
    right: dict[int, list[bool]] = {}
    for row, targets in zip(net.outputs[of], net.targets[of], strict=True):
        if len(row) == 1:  # two classes, the sides of the decision threshold
            distance = row[0] - net.decision_threshold
            own = int(targets[0] > net.decision_threshold)
            hit = distance > 0 if own else distance < 0
        else:
            own = targets.index(max(targets))
            others = [y for o, y in enumerate(row) if o != own]
            hit = all(y < row[own] for y in others)
        right.setdefault(own, []).append(hit)
    return _sum(sum(right[own]) / len(right[own]) for own in sorted(right)) / len(right)


def _effective_dimension(net: TrainedNetwork) -> float:
    rows = net.first_layer
    if len(rows) > len(rows[0]):
        rows = [list(column) for column in zip(*rows, strict=True)]
    largest = max(abs(weight) for row in rows for weight in row) or 1.0
    rows = [[weight / largest for weight in row] for row in rows]
    products = [[_sum(p * q for p, q in zip(row, other, strict=True)) for other in rows] for row in rows]
    total = _sum(products[i][i] for i in range(len(rows)))
    squares = _sum(product * product for row in products for product in row)
    return total * total / squares if squares else 0.0


def _distance(changes: Iterable[float]) -> float:
    return math.sqrt(_sum(change * change for change in changes))


# Each measure of a network, and its value for a diverged one. Sharpness is not exact and tested separately; sums of
# losses are no measures of a network.
MEASURES: dict[str, tuple[Callable[[TrainedNetwork], float], float]] = {
    "learned_function": (_learned_function, -1),
    "margin": (_margin, -math.inf),
    "mean_error": (_mean_error, math.inf),
    "effective_dimension": (_effective_dimension, math.inf),
    **{f"{of}_balanced_accuracy": (partial(_balanced_accuracy, of=of), 0.0) for of in ("train", "validation", "test")},
    "weight_norm": (lambda net: _distance(net.end), math.inf),
    "weight_distance": (lambda net: _distance(q - p for p, q in zip(net.start, net.end, strict=True)), math.inf),
}


def recorded_names(study: Study) -> list[str]:
    """Return the names of the recorded columns of measures and weights, in their order, without sharpness."""
    which = {"both": ("initial", "final"), "all": ("initial", "final", "best"), "none": ()}
    weights = [f"{name}_weights" for name in which.get(study.record.weights, (study.record.weights,))]
    return [*(name for name in study.record.measures if name not in (*SHARPNESS, "train_accuracy")), *weights]


def recorded(
    study: Study,
    options: dict[str, Any],
    patterns: Data,
    functions: oracle.Functions,
    networks: tuple[Any, Any, Any, Any, Any],
) -> list[dict[str, Any]]:
    """Return the columns of measures and weights of runs.

    Parameters
    ----------
    study
    options
        In the oracle's terms.
    patterns
        Of the runs.
    functions
        Elementary functions.
    networks
        Initial and final parameters (R, P), which runs have diverged (R,), and the best parameters (R, P) with their
        steps (R,), or None.

    Returns
    -------
    list of dict
    """
    start, end, diverged, best, best_steps = networks
    final = trained_networks(study, options, patterns, functions, (start, end))
    at_best = [] if best is None else trained_networks(study, options, patterns, functions, (start, best))
    rows = []
    for k, is_lost in enumerate(diverged):
        row: dict[str, Any] = {}
        for name in study.record.measures:
            formula, lost = MEASURES.get(name.removesuffix("_at_best"), (None, 0))
            if formula and name.endswith("_at_best"):
                row[name] = lost if best_steps[k] < 0 else formula(at_best[k])
            elif formula:
                row[name] = lost if is_lost else formula(final[k])
        row |= {"initial_weights": start[k].tolist(), "final_weights": end[k].tolist()}
        rows.append(row if best is None else row | {"best_weights": best[k].tolist()})
    return rows


def trained_networks(
    study: Study, options: dict[str, Any], patterns: Data, functions: oracle.Functions, weights: tuple[Any, Any]
) -> list[TrainedNetwork]:
    """Return networks by their initial weights and those after training, each (R, P); arguments as of `recorded`."""
    start, end = weights
    dtype = end.dtype
    own = Options(**options, dtype=dtype)
    targets: dict[str, Rows] = {}
    outputs: dict[str, Any] = {}
    for of, each in ({"train": patterns} | patterns.held_out).items():
        no_targets = [patterns.targets[0]] * len(each.inputs)  # which outputs do not depend on
        with np.errstate(all="ignore"):
            net = make_network(each.inputs, no_targets, own, functions)
            outputs[of] = np.array(oracle.forward(net, end.T).y, np.float64).transpose(2, 0, 1).tolist()
        targets[of] = np.asarray(each.targets, dtype).astype(np.float64).tolist()
    middle = patterns.decision_threshold
    if middle is None:
        middle = (min(map(min, targets["train"])) + max(map(max, targets["train"]))) / 2
    middle = float(np.asarray(middle, dtype))
    n_inputs, n_units = len(patterns.inputs[0]), (*sizes_of(own.hidden), len(patterns.targets[0]))[0]
    return [
        TrainedNetwork(
            start[k].astype(np.float64).tolist(),
            end[k].astype(np.float64).tolist(),
            end[k][: n_inputs * n_units].reshape(-1, n_units).astype(np.float64).tolist(),
            {of: rows[k] for of, rows in outputs.items()},
            targets,
            middle,
            own.output == "softmax",
        )
        for k in range(len(end))
    ]
