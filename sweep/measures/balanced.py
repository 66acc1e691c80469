"""Balanced accuracies, in which rare classes count as much as frequent ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sweep.measures.measure import Array, Measure, Networks, Patterns, ordered_sum


def balanced(of: str, place: int) -> Measure:
    """Return the measure of some patterns: ``"train"``, ``"validation"`` or ``"test"``."""
    patterns = {"train": "patterns to train on"}.get(of, f"{of} patterns")
    return Measure(
        f"{of}_balanced_accuracy",
        place,
        f"balanced {'training' if of == 'train' else of} accuracy",
        "fraction",
        f"mean over the classes of the {patterns} of the share that is right, as {of}_accuracy counts them; "
        "classes without a pattern do not count; 0 if diverged",
        needs=() if of == "train" else (of,),
        kind="balanced share",
        more_is_better=True,
        at_best=f"{of}_balanced_accuracy_at_best",
        compute=_balanced_accuracy(of),
        fault=_lacks_classes,
    )


def _lacks_classes(study: Any) -> str | None:
    from kernels.vocabulary import OVER_OUTPUTS

    if study.data.n_targets == 1 or study.data.is_one_hot or {*study.values_of("output")} <= {*OVER_OUTPUTS}:
        return None
    return "needs classes: one output, softmax, or one-hot targets"


def _balanced_accuracy(of: str) -> Callable[[Networks], Array]:
    def compute(networks: Networks) -> Array:
        import numpy as np

        patterns = networks.patterns[of]
        right, classes = _right(networks, patterns), _classes(networks, patterns)
        n_classes = max(2, patterns.targets.shape[2])
        shares, is_there = np.zeros((2, len(right), n_classes))
        for k in range(n_classes):
            own = classes == k
            counts = np.broadcast_to(own.sum(axis=1), len(right))
            shares[:, k] = (right & own).sum(axis=1) / np.maximum(counts, 1)
            is_there[:, k] = counts > 0
        return np.where(networks.diverged, 0.0, ordered_sum(shares) / is_there.sum(axis=1))

    return compute


def _classes(networks: Networks, patterns: Patterns) -> Array:
    """Return the class of each pattern, (runs or 1, patterns); of one target its side of the decision threshold."""
    if patterns.targets.shape[2] == 1:
        return (patterns.targets > networks.decision_threshold)[:, :, 0].astype(int)
    classes: Array = patterns.targets.argmax(axis=2)
    return classes


def _right(networks: Networks, patterns: Patterns) -> Array:
    """Return which patterns are right, (runs, patterns), as kernels count them for accuracies."""
    import numpy as np

    y = patterns.outputs
    if y.shape[2] == 1:
        low, high = y < networks.decision_threshold, y > networks.decision_threshold
        right: Array = np.where(patterns.targets > networks.decision_threshold, high, low)[:, :, 0]
    else:
        own = np.take_along_axis(y, np.broadcast_to(_classes(networks, patterns), y.shape[:2])[:, :, np.newaxis], 2)
        right = (y < own).sum(axis=2) == y.shape[2] - 1
    return right
