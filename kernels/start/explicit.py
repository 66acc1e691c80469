"""Initial parameters that are given in place of drawn ones: whole arrays, or single elements."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.recipe import Architecture, Hidden

Array = NDArray[Any]

# Stands for all parameters of a network, in the order of :meth:`kernels.recipe.Architecture.shapes`.
ALL = "parameters"


class Given(NamedTuple):
    """Values of a parameter array, or of one of its elements.

    Attributes
    ----------
    name
        As in :meth:`kernels.recipe.Architecture.shapes`, or ALL.
    element
        Its index, or empty for the whole array.
    values
        A number, an array of the parameter's shape, or one with such an array for each seed.
    """

    name: str
    element: tuple[int, ...]
    values: Array


def place_given(
    weights: Array, given: list[Given], rows: NDArray[np.int64], architecture: Architecture, hidden: Hidden
) -> None:
    """Overwrite initial parameters by those that are given, one after another.

    Parameters
    ----------
    weights : (n, parameters)
    given
        Which parameters; later ones win.
    rows : (n,)
        Of each network, its row in values that differ from seed to seed.
    architecture, hidden
        Of the networks.
    """
    shapes, first = architecture.shapes(hidden), {}
    end = 0
    for name, shape in shapes.items():
        first[name], end = end, end + math.prod(shape)
    shapes[ALL], first[ALL] = (end,), 0
    for name, element, values in given:
        if name not in shapes:
            continue
        shape = shapes[name]
        of_seeds = values[rows] if values.ndim > (0 if element else len(shape)) else values
        if element:
            weights[:, first[name] + np.ravel_multi_index(element, shape)] = of_seeds
            continue
        size = math.prod(shape)
        rows_of = of_seeds.reshape(*of_seeds.shape[: -len(shape)], size) if of_seeds.ndim else of_seeds
        weights[:, first[name] : first[name] + size] = rows_of
