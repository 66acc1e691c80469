"""The largest eigenvalue of the Hessian of the loss of trained networks, from central differences of gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.measures.curvature.eigenvalues import largest_eigenvalues

Array = NDArray[Any]

# From numbers of networks and weights (networks, parameters) to gradients.
GradientsAt = Callable[[NDArray[np.int64], Array], Array]

# A parameter is moved by 2^-20, or by 2^-30 of itself if that is more. Differences then err by 2^-42 of derivatives of
# fourth order, and by the rounding of gradients over a step, 2^-33 of their terms: 1e-10. Steps of 2^-17 err less,
# but reach kinks of ReLU, to which gradient descent leads, eight times as far (README.md).
_STEP, _LARGE = 2.0**-20, 2.0**-10
# Most weights in memory at a time.
_MOST_NUMBERS = 2**22


def sharpness(
    gradients: GradientsAt, weights: Array, trained: NDArray[np.bool_], shared: Sequence[Sequence[list[int]]] = ()
) -> Array:
    """Return the largest eigenvalue of the Hessian of the loss of each network, (networks,).

    It is infinite where a gradient is not finite, and 0 where no parameter is trained. Only parameters that training
    may change, ``trained``, have rows and columns in the Hessian. ``trained`` and ``weights``, of
    float64, are (networks, parameters). The k-th parameters of all members of a group in ``shared`` are one parameter:
    they move together, so their rows and columns are added.
    """
    n_networks, n_parameters = weights.shape
    each = max(1, _MOST_NUMBERS // (2 * n_parameters + 1) // max(n_parameters, 1))
    found = np.empty(n_networks)
    for first in range(0, n_networks, each):
        numbers = np.arange(first, min(first + each, n_networks))
        hessians, free = _hessians(gradients, numbers, weights[numbers], trained[numbers]), trained[numbers].copy()
        for places, *others in shared:
            for other in others:
                hessians[:, places] += hessians[:, other]
                hessians[:, :, places] += hessians[:, :, other]
                free[:, other] = False
        found[numbers] = _largest(hessians, free)
    return found


def _largest(hessians: Array, trained: NDArray[np.bool_]) -> Array:
    """Return the largest eigenvalues of Hessians (networks, parameters, parameters) of trained parameters."""
    values = np.zeros(len(trained))
    for kind in np.unique(trained, axis=0):
        own, rows = (trained == kind).all(axis=1), np.flatnonzero(kind)
        if len(rows):
            values[own] = largest_eigenvalues(hessians[np.ix_(np.flatnonzero(own), rows, rows)])
    return np.where(np.isnan(values), np.inf, values)


def _hessians(gradients: GradientsAt, numbers: Array, weights: Array, trained: NDArray[np.bool_]) -> Array:
    """Return symmetric Hessians (networks, parameters, parameters); rows of parameters that no network trains are 0."""
    n_networks, n_parameters = weights.shape
    moved = np.flatnonzero(trained.any(axis=0))
    steps = _STEP * np.maximum(1.0, _LARGE * np.abs(weights[:, moved]))
    points = np.repeat(weights[:, np.newaxis], 2 * len(moved) + 1, axis=1)
    places = 2 * np.arange(len(moved))
    points[:, places, moved] -= steps
    points[:, places + 1, moved] += steps
    of_points = gradients(np.repeat(numbers, points.shape[1]), points.reshape(-1, n_parameters)).reshape(points.shape)
    here = of_points[:, -1:]
    with np.errstate(all="ignore"):
        below = weights[:, moved] - points[:, places, moved]  # exact, unlike the steps
        above = points[:, places + 1, moved] - weights[:, moved]
        sides = (
            (here - of_points[:, :-1:2]) / below[:, :, np.newaxis],
            (of_points[:, 1::2] - here) / above[:, :, np.newaxis],
        )
        both = (of_points[:, 1::2] - of_points[:, :-1:2]) / (below + above)[:, :, np.newaxis]
        hessians = np.zeros((n_networks, n_parameters, n_parameters))
        hessians[:, moved] = _of_one_piece(*sides, both)
        hessians += hessians.swapaxes(1, 2).copy()
        hessians *= 0.5
    return hessians


def _of_one_piece(below: Array, above: Array, both: Array) -> Array:
    """Return central differences, or if one side has a kink, those of the other side.

    Across a kink a gradient jumps, and a difference is that jump over a tiny step. With a smooth loss, one side is more
    than twice the other only where both are as small as 2^-20 of third derivatives.
    """
    low, high = (np.abs(side).max(axis=2, keepdims=True) for side in (below, above))
    return np.where(high > 2.0 * low, below, np.where(low > 2.0 * high, above, both))
