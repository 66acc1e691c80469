"""The smallest distance of an output from the decision threshold, on the side of its target."""

from __future__ import annotations

from sweep.measures.measure import Array, Measure, Networks, largest_other


def _margin(networks: Networks) -> Array:
    """Return the smallest distance, (runs,)."""
    import numpy as np

    targets, middle = networks.targets, networks.decision_threshold
    y = networks.outputs
    if networks.of_classes:
        own = np.broadcast_to(targets.argmax(axis=2), y.shape[:2])
        apart = np.stack([y[:, :, o] - largest_other(y, o) for o in range(y.shape[2])], axis=2)
        distances = np.take_along_axis(apart, own[:, :, np.newaxis], axis=2)
    else:
        distances = np.where(targets > middle, y - middle, middle - y)
    return np.where(networks.diverged, -np.inf, distances.min(axis=(1, 2)))


MEASURE = Measure(
    "margin",
    120,
    "margin",
    "output",
    "smallest distance of an output from the decision threshold, negative if it is not on the side of its target; "
    "with softmax, of the output of the class from the largest other output; -inf if diverged",
    more_is_better=True,
    is_signed=True,
    at_best="margin_at_best",
    compute=_margin,
)
