"""Which function the trained network has learned, as a bit mask of its high outputs."""

from __future__ import annotations

from typing import Any

from sweep.measures.measure import Array, Measure, Networks, largest_other


def _learned_function(networks: Networks) -> Array:
    """Return the bit mask of high outputs, (runs,)."""
    import numpy as np

    y = np.concatenate([networks.patterns[of].outputs for of in ("train", "test") if of in networks.patterns], axis=1)
    if networks.of_classes:
        high = np.stack([y[:, :, o] > largest_other(y, o) for o in range(y.shape[2])], axis=2)
    else:
        high = y > networks.decision_threshold
    mask = np.zeros(len(y), np.int64)
    for bit, is_high in enumerate(high.reshape(len(y), -1).T):
        mask |= is_high.astype(np.int64) << bit
    return np.where(networks.diverged, -1, mask)


# Most outputs of a network in the bit mask: bits of a positive number.
_MOST_BITS = 62


def _fault(study: Any) -> str | None:
    """Return why a study cannot record it: it has too many outputs."""
    n_bits = (study.data.n_patterns + study.data.n_tests) * study.data.n_targets
    return f"needs at most {_MOST_BITS} outputs over all patterns, got {n_bits}" if n_bits > _MOST_BITS else None


MEASURE = Measure(
    "learned_function",
    110,
    "learned function",
    "",
    "bit mask of the outputs above the decision threshold, with softmax of the largest ones: bit n * outputs + o "
    "is output o of pattern n, and test patterns follow those to train on; -1 if diverged",
    kind="name",
    compute=_learned_function,
    fault=_fault,
)
