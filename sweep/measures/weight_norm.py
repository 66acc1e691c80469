"""The Euclidean norm of the trained parameters."""

from __future__ import annotations

from sweep.measures.measure import Array, Measure, Networks, ordered_sum


def _weight_norm(networks: Networks) -> Array:
    """Return the norm, (runs,)."""
    import numpy as np

    return np.where(networks.diverged, np.inf, np.sqrt(ordered_sum(networks.final * networks.final)))


MEASURE = Measure(
    "weight_norm",
    140,
    "weight norm",
    "weight",
    "Euclidean norm of all final parameters; inf if diverged",
    compute=_weight_norm,
)
