"""What the table [data] may do with patterns before they are learned: set some apart for testing, and spoil targets."""

from __future__ import annotations

from inspect import Parameter
from typing import Any

from sweep.errors import shown
from sweep.study.patterns import MAX_PATTERNS, Matrix
from sweep.study.sections import MAX_SEED
from sweep.study.tasks import Argument, Patterns

# Keys of the table [data] for patterns from any source, and their defaults.
PREPARATIONS = {
    "train_count": Argument("patterns that are trained on; all others test the networks", int, 1, MAX_PATTERNS),
    "split_seed": Argument("seed by which they are chosen, as train_test_split of scikit-learn does", int, 0, MAX_SEED),
    "label_noise": Argument("share of the patterns trained on that get the targets of another one", float, 0, 1),
    "noise_seed": Argument("seed by which these and their targets are chosen", int, 0, MAX_SEED),
}
DEFAULTS: dict[str, Any] = {"train_count": Parameter.empty, "split_seed": 0, "label_noise": 0.0, "noise_seed": 0}

# Keys that say nothing without another one.
NEEDED = {"split_seed": "train_count", "noise_seed": "label_noise"}


def prepare(patterns: Patterns, given: dict[str, Any]) -> tuple[Patterns, Patterns | None]:
    """Return the patterns to train on, and those to test with, if any.

    Parameters
    ----------
    patterns
        A row of inputs and one of targets for each pattern.
    given
        Values of :data:`PREPARATIONS`, and ``train``, the numbers of the patterns to train on, not yet validated.

    Returns
    -------
    tuple
        Both as ``patterns``. Targets are spoiled after the others are set apart, which keep theirs.

    Raises
    ------
    ValueError
        If a value is not allowed, or has no effect.
    """
    for name, argument in PREPARATIONS.items():
        if name in given and not argument.allows(given[name]):
            raise ValueError(argument.refusal(name, given[name]))
    for name, needed in NEEDED.items():
        if given.get(name, DEFAULTS[name]) != DEFAULTS[name] and needed not in given:
            raise ValueError(f"{name} {shown(given[name])} given without {needed}, beside which alone it has an effect")
    tested = None
    if "train" in given or "train_count" in given:
        patterns, tested = _split(patterns, given)
    if given.get("label_noise"):
        patterns = patterns[0], _spoiled(patterns[1], given["label_noise"], given.get("noise_seed", 0))
    return patterns, tested


def _split(patterns: Patterns, given: dict[str, Any]) -> tuple[Patterns, Patterns]:
    """Return the patterns to train on and all others."""
    n_patterns = len(patterns[0])
    if "train" in given and "train_count" in given:
        raise ValueError("train and train_count given; give one")
    if "train" in given:
        chosen = given["train"]
        numbers = chosen if isinstance(chosen, (list, tuple)) else []
        is_number = [isinstance(k, int) and not isinstance(k, bool) and 0 <= k < n_patterns for k in numbers]
        if not numbers or not all(is_number) or len(set(numbers)) < len(numbers) or len(numbers) == n_patterns:
            raise ValueError(
                f"train {shown(chosen)} given; must be a list of different pattern numbers from 0 to {n_patterns - 1}, "
                "but not of all"
            )
    else:
        numbers = _drawn(n_patterns, given["train_count"], given.get("split_seed", 0))
    others = sorted(set(range(n_patterns)) - set(numbers))
    return _rows(patterns, list(numbers)), _rows(patterns, others)


def _drawn(n_patterns: int, count: int, seed: int) -> list[int]:
    """Return the numbers of so many patterns in ascending order, those that scikit-learn's split trains on."""
    import numpy as np

    if count >= n_patterns:
        raise ValueError(f"train_count {count} given; must leave some of the {n_patterns} patterns to test with")
    order = np.random.RandomState(seed).permutation(n_patterns)
    return sorted(order[n_patterns - count :].tolist())


def _rows(patterns: Patterns, numbers: list[int]) -> Patterns:
    inputs, targets = (tuple(rows[k] for k in numbers) for rows in patterns)
    return inputs, targets


def _spoiled(targets: Matrix, share: float, seed: int) -> Matrix:
    """Return targets in which a share of the patterns, rounded, has the targets of another pattern that differ.

    Each is drawn among the patterns with other targets, evenly; where all targets are equal, nothing changes.
    """
    import numpy as np

    state, spoiled = np.random.RandomState(seed), list(targets)
    for k in sorted(state.permutation(len(targets))[: round(share * len(targets))].tolist()):
        others = [row for row in targets if row != targets[k]]
        if others:
            spoiled[k] = others[state.randint(len(others))]
    return tuple(spoiled)
