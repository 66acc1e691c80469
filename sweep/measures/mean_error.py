"""The mean distance of outputs from their targets."""

from __future__ import annotations

from sweep.measures.measure import Array, Measure, Networks, ordered_sum


def _mean_error(networks: Networks) -> Array:
    """Return the mean distance, (runs,)."""
    import numpy as np

    targets = networks.targets
    errors = np.abs(networks.outputs - targets).reshape(len(networks.outputs), -1)
    return np.where(networks.diverged, np.inf, ordered_sum(errors) / errors.shape[1])


MEASURE = Measure(
    "mean_error",
    130,
    "mean error",
    "output",
    "mean absolute difference of outputs and targets; inf if diverged",
    at_best="mean_error_at_best",
    compute=_mean_error,
)
