"""Explicit initial parameters, which replace drawn ones: whole arrays, or single elements."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.recipe import Architecture, Hidden
from kernels.shapes import parameter_slices
from kernels.start.names import ALL

Array = NDArray[Any]


class Explicit(NamedTuple):
    """Values of a parameter array, or of one of its elements."""

    name: str  # as in :meth:`kernels.recipe.Architecture.shapes`, or ALL
    element: tuple[int, ...]  # its index, or empty for the whole array
    values: Array  # a number, an array of the parameter's shape, or an array with one such array for each seed


def place_explicit(
    weights: Array, explicit: list[Explicit], rows: NDArray[np.int64], architecture: Architecture, hidden: Hidden
) -> None:
    """Overwrite drawn initial parameters with explicit ones, one after another; later ones win.

    ``rows`` has the row of each network in values that differ from seed to seed.
    """
    shapes = architecture.shapes(hidden)
    places = parameter_slices(shapes)
    shapes[ALL] = (weights.shape[1],)
    places[ALL] = slice(None)
    for name, element, values in explicit:
        if name not in shapes:
            continue
        shape = shapes[name]
        of_seeds = values[rows] if values.ndim > (0 if element else len(shape)) else values
        if element:
            weights[:, places[name].start + np.ravel_multi_index(element, shape)] = of_seeds
        else:
            of_networks = of_seeds.reshape(*of_seeds.shape[: -len(shape)], -1) if of_seeds.ndim else of_seeds
            weights[:, places[name]] = of_networks
