"""Compute the measures of trained networks that a study records, with sums in order: the same bits everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweep.training.sharpness import GradientsAt, sharpness

Array = NDArray[Any]


class Curved(NamedTuple):
    """What the second derivatives of the loss are computed from.

    Attributes
    ----------
    trained : (runs, parameters) of bool
        Parameters that training may change: those that are not frozen, of layers whose learning rate is above 0.
    gradients
        Returns gradients of the loss at other weights of runs.
    """

    trained: NDArray[np.bool_]
    gradients: GradientsAt


class Networks(NamedTuple):
    """Trained networks of one shape, as float64.

    Attributes
    ----------
    initial, final : (runs, parameters)
    outputs : (runs, trained and then test patterns, outputs)
    targets : (runs or 1, trained patterns, outputs)
    decision_threshold : (runs or 1, 1, 1)
        Threshold between low and high outputs.
    of_classes
        Whether outputs are those of classes (softmax), where the largest one counts.
    diverged : (runs,) of bool
    curved
        Needed by ``sharpness`` alone.
    """

    initial: Array
    final: Array
    outputs: Array
    targets: Array
    decision_threshold: Array
    of_classes: bool
    diverged: NDArray[np.bool_]
    curved: Curved | None = None


def ordered_sum(terms: Array) -> Array:
    """Return the sums of rows, (runs, terms), from the first term to the last."""
    total: Array = terms[:, 0].copy()
    for k in range(1, terms.shape[1]):
        total += terms[:, k]
    return total


def _largest_other(outputs: Array, o: int) -> Array:
    """Return the largest of the other outputs of each pattern; below all numbers if there is none."""
    others = np.delete(outputs, o, axis=2)
    return others.max(axis=2) if others.shape[2] else np.full(outputs.shape[:2], -np.inf)


def _learned_function(networks: Networks) -> Array:
    y = networks.outputs
    if networks.of_classes:
        high = np.stack([y[:, :, o] > _largest_other(y, o) for o in range(y.shape[2])], axis=2)
    else:
        high = y > networks.decision_threshold
    mask = np.zeros(len(y), np.int64)
    for bit, is_high in enumerate(high.reshape(len(y), -1).T):
        mask |= is_high.astype(np.int64) << bit
    return np.where(networks.diverged, -1, mask)


def _margin(networks: Networks) -> Array:
    targets = networks.targets
    y = networks.outputs[:, : targets.shape[1]]
    if networks.of_classes:
        own = np.broadcast_to(targets.argmax(axis=2), y.shape[:2])
        apart = np.stack([y[:, :, o] - _largest_other(y, o) for o in range(y.shape[2])], axis=2)
        distances = np.take_along_axis(apart, own[:, :, np.newaxis], axis=2)
    else:
        distances = np.where(
            targets > networks.decision_threshold, y - networks.decision_threshold, networks.decision_threshold - y
        )
    return np.where(networks.diverged, -np.inf, distances.min(axis=(1, 2)))


def _mean_error(networks: Networks) -> Array:
    targets = networks.targets
    errors = np.abs(networks.outputs[:, : targets.shape[1]] - targets).reshape(len(networks.outputs), -1)
    return np.where(networks.diverged, np.inf, ordered_sum(errors) / errors.shape[1])


def _weight_norm(networks: Networks) -> Array:
    return np.where(networks.diverged, np.inf, np.sqrt(ordered_sum(networks.final * networks.final)))


def _weight_distance(networks: Networks) -> Array:
    change = networks.final - networks.initial
    return np.where(networks.diverged, np.inf, np.sqrt(ordered_sum(change * change)))


def _sharpness(networks: Networks) -> Array:
    found, usable = np.full(len(networks.final), np.inf), np.flatnonzero(~networks.diverged)
    if networks.curved is None:
        raise ValueError("curved: must have gradients for the sharpness, got None")
    trained, at = networks.curved
    found[usable] = sharpness(lambda runs, weights: at(usable[runs], weights), networks.final[usable], trained[usable])
    return found


# A value for each network by the names of :data:`sweep.study.network_measures.NETWORK_MEASURES`.
MEASURES: dict[str, Callable[[Networks], Array]] = {
    "learned_function": _learned_function,
    "margin": _margin,
    "mean_error": _mean_error,
    "weight_norm": _weight_norm,
    "weight_distance": _weight_distance,
    "sharpness": _sharpness,
}
