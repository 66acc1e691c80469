"""Preparation of patterns by the table [data]: split off test patterns, and add label noise."""

from __future__ import annotations

from inspect import Parameter
from typing import Any

from sweep.errors import shown
from sweep.study.data.pattern_files import MAX_PATTERNS, Matrix
from sweep.study.data.tasks import Argument, Patterns
from sweep.study.reading.section import MAX_SEED

# Keys of the table [data] for patterns from any source, and their defaults.
PREPARATIONS = {
    "train_count": Argument("number of patterns to train on; all others test the networks", int, 1, MAX_PATTERNS),
    "split_seed": Argument("seed that chooses these patterns, as in scikit-learn's train_test_split", int, 0, MAX_SEED),
    "label_noise": Argument("fraction of the patterns to train on that get another pattern's targets", float, 0, 1),
    "noise_seed": Argument("seed that chooses the noisy patterns and their targets", int, 0, MAX_SEED),
}
DEFAULTS: dict[str, Any] = {"train_count": Parameter.empty, "split_seed": 0, "label_noise": 0.0, "noise_seed": 0}

# Keys that have an effect only with another key.
NEEDED = {"split_seed": "train_count", "noise_seed": "label_noise"}


def prepare(patterns: Patterns, values: dict[str, Any]) -> tuple[Patterns, Patterns | None]:
    """Return the patterns to train on, and the test patterns, if any.

    ``values`` are those of :data:`PREPARATIONS`, and ``train``, the numbers of the patterns to train on, not yet
    validated. Label noise is added after the split, so test patterns keep their targets.
    """
    for name, argument in PREPARATIONS.items():
        if name in values and not argument.allows(values[name]):
            raise ValueError(argument.refusal(name, values[name]))
    for name, needed in NEEDED.items():
        if values.get(name, DEFAULTS[name]) != DEFAULTS[name] and needed not in values:
            raise ValueError(f"{name} {shown(values[name])} has no effect without {needed}; set {needed}, or remove it")
    tested = None
    if "train" in values or "train_count" in values:
        patterns, tested = _split(patterns, values)
    if values.get("label_noise"):
        patterns = patterns[0], _with_noise(patterns[1], values["label_noise"], values.get("noise_seed", 0))
    return patterns, tested


def _split(patterns: Patterns, values: dict[str, Any]) -> tuple[Patterns, Patterns]:
    """Return the patterns to train on and all others."""
    n_patterns = len(patterns[0])
    if "train" in values and "train_count" in values:
        raise ValueError("train and train_count are both set; remove one")
    if "train" in values:
        chosen = values["train"]
        numbers = chosen if isinstance(chosen, (list, tuple)) else []
        is_number = [isinstance(k, int) and not isinstance(k, bool) and 0 <= k < n_patterns for k in numbers]
        if not numbers or not all(is_number) or len(set(numbers)) < len(numbers) or len(numbers) == n_patterns:
            raise ValueError(
                f"train must be a list of different pattern numbers from 0 to {n_patterns - 1}, but not all of them; "
                f"got {shown(chosen)}"
            )
    else:
        numbers = _drawn(n_patterns, values["train_count"], values.get("split_seed", 0))
    others = sorted(set(range(n_patterns)) - set(numbers))
    return _rows(patterns, list(numbers)), _rows(patterns, others)


def _drawn(n_patterns: int, count: int, seed: int) -> list[int]:
    """Return the numbers of the patterns, ascending, on which scikit-learn's split trains."""
    import numpy as np

    if count >= n_patterns:
        raise ValueError(f"train_count must be below {n_patterns}, to leave patterns to test with; got {count}")
    order = np.random.RandomState(seed).permutation(n_patterns)
    return sorted(order[n_patterns - count :].tolist())


def _rows(patterns: Patterns, numbers: list[int]) -> Patterns:
    inputs, targets = (tuple(rows[k] for k in numbers) for rows in patterns)
    return inputs, targets


def _with_noise(targets: Matrix, share: float, seed: int) -> Matrix:
    """Return targets in which a fraction of the patterns, rounded, has the targets of another pattern.

    The other pattern is drawn uniformly among those with different targets; if all targets are equal, nothing changes.
    """
    import numpy as np

    state = np.random.RandomState(seed)
    noisy = list(targets)
    for k in sorted(state.permutation(len(targets))[: round(share * len(targets))].tolist()):
        others = [row for row in targets if row != targets[k]]
        if others:
            noisy[k] = others[state.randint(len(others))]
    return tuple(noisy)
