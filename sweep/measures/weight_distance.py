"""The Euclidean distance of the trained parameters from the initial ones."""

from __future__ import annotations

from sweep.measures.measure import Array, Measure, Networks, ordered_sum


def _weight_distance(networks: Networks) -> Array:
    """Return the distance, (runs,)."""
    import numpy as np

    change = networks.final - networks.initial
    return np.where(networks.diverged, np.inf, np.sqrt(ordered_sum(change * change)))


MEASURE = Measure(
    "weight_distance",
    145,
    "weight distance",
    "weight",
    "Euclidean norm of the changes of all parameters; inf if diverged",
    compute=_weight_distance,
)
