"""Scalings: the powers of their fan-in by which the sums of each layer are multiplied."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple


class Scaling(NamedTuple):
    """Factors of the sums of each layer, as functions of the fan-in."""

    # (fan_in) -> float: of each hidden layer and of the output layer
    hidden: Callable[[int], float]
    output: Callable[[int], float]


def _one(fan_in: int) -> float:
    return 1.0


def _root(fan_in: int) -> float:
    return 1.0 / math.sqrt(fan_in)


def _whole(fan_in: int) -> float:
    return 1.0 / fan_in


# Without scales; of the neural tangent kernel (Jacot, Gabriel and Hongler, NeurIPS 2018); of the mean field (Mei,
# Montanari and Nguyen, PNAS 2018).
SCALINGS = {"standard": Scaling(_one, _one), "ntk": Scaling(_root, _root), "mean_field": Scaling(_root, _whole)}
