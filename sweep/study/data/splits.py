"""Preparation of patterns by the table [data]: split off held-out patterns, and add label noise."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from inspect import Parameter
from math import fsum
from typing import TYPE_CHECKING, Any, NamedTuple

from sweep.errors import shown
from sweep.study.data.held_out_orders import drawn_first, fold_first
from sweep.study.data.pattern_files import MAX_PATTERNS, Matrix
from sweep.study.data.tasks import Argument, Patterns
from sweep.study.reading.section import MAX_SEED
from sweep.system.formatting import list_text
from sweep.system.plain_values import is_integer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Keys of the table [data] for patterns from any source, and their defaults.
PREPARATIONS = {
    "train_count": Argument(
        "number of patterns to train on; of the rest, validation_count are for validation and all others, or only "
        "test_count of them, are test patterns",
        int,
        1,
        MAX_PATTERNS,
        is_size=True,
        example="12",
        names=("train_size", "train_fraction", "train_split", "n_train"),
    ),
    "test_count": Argument(
        "number of test patterns; the rest are patterns to train on",
        int,
        1,
        MAX_PATTERNS,
        is_size=True,
        example="4",
        names=("test_size", "test_fraction", "test_split", "n_test"),
    ),
    "split_seed": Argument(
        "seed that chooses the test patterns, as in scikit-learn's train_test_split or KFold",
        int,
        0,
        MAX_SEED,
        example="3",
    ),
    "validation_count": Argument(
        "number of validation patterns, taken from those that are not test patterns",
        int,
        1,
        MAX_PATTERNS,
        is_size=True,
        example="3",
        names=("validation_fraction", "validation_split", "val_size", "n_val", "val_split"),
    ),
    "validation_seed": Argument(
        "seed that chooses the validation patterns, in the same way", int, 0, MAX_SEED, example="3"
    ),
    "folds": Argument(
        "number of equal parts of the patterns (k-fold cross-validation): one part is held out, and networks train on "
        "the others. The part tests the networks or, if there are other test patterns, validates them. Without fold, "
        "each part is held out in turn",
        int,
        2,
        MAX_PATTERNS,
        is_size=True,
        example="5",
        names=("n_splits", "cv", "n_folds", "kfold"),
    ),
    "fold": Argument("index of the part that is held out", int, 0, MAX_PATTERNS - 1, example="0"),
    "stratify": Argument(
        "whether classes have the same proportions in each part that is split off", bool, example="true"
    ),
    "label_noise": Argument(
        "fraction of the patterns to train on that get another pattern's targets",
        float,
        0,
        1,
        example="0.1",
        names=("flip_y", "noisy_labels"),
    ),
    "noise_seed": Argument("seed that chooses the noisy patterns and their targets", int, 0, MAX_SEED, example="3"),
    "standardize": Argument(
        "whether inputs are shifted and scaled to mean 0 and standard deviation 1 in the patterns to train on, and in "
        "held-out patterns by the same numbers",
        bool,
        example="true",
        names=("standardise", "standard_scaler", "scaler", "zscore", "normalize_inputs"),
    ),
}
DEFAULTS: dict[str, Any] = dict.fromkeys(PREPARATIONS, Parameter.empty) | {
    "split_seed": 0,
    "validation_seed": 0,
    "stratify": False,
    "label_noise": 0.0,
    "noise_seed": 0,
    "standardize": False,
}

# Keys that have an effect only with one of some others.
NEEDED = {
    "split_seed": ("train_count", "test_count", "folds"),
    "validation_seed": ("validation_count", "folds"),
    "fold": ("folds",),
    "stratify": ("train_count", "test_count", "validation_count", "folds"),
    "noise_seed": ("label_noise",),
}

# The seed that chooses held-out patterns, by their use, in the order in which they are split off.
_SEEDS = {"test": "split_seed", "validation": "validation_seed"}

# Keys that exclude others, and tables of held-out patterns.
_EXCLUSIVE = {
    "train": ("train_count", "test_count", "validation_count", "folds", "test"),
    "train_count": ("folds", "test"),
    "test_count": ("test",),
    "validation_count": ("validation",),
}


def prepare(patterns: Patterns, values: dict[str, Any], held_out: Collection[str] = ()) -> dict[str, Patterns]:
    """Return the patterns to train on, and those that are split off, by their use: train, validation, test.

    ``values`` are those of :data:`PREPARATIONS`, and ``train``, the numbers of the patterns to train on, not yet
    validated. ``held_out`` are the uses for which there are other patterns. Label noise is added after the splits, so
    held-out patterns keep their targets.
    """
    for name, argument in PREPARATIONS.items():
        if name in values and not argument.allows(values[name]):
            raise ValueError(argument.refusal(name, values[name]))
    for name, needed in NEEDED.items():
        if values.get(name, DEFAULTS[name]) != DEFAULTS[name] and not values.keys() & set(needed):
            keys = list_text(needed, "or")
            one = "one" if len(needed) > 1 else keys
            raise ValueError(f"{name} {shown(values[name])} has no effect without {keys}; set {one}, or remove it")
    numbers = _split(patterns[1], values, held_out)
    parts = (
        {use: _rows(patterns, chosen) for use, chosen in numbers.items()} if len(numbers) > 1 else {"train": patterns}
    )
    if values.get("label_noise"):
        inputs, targets = parts["train"]
        parts["train"] = inputs, _with_noise(targets, values["label_noise"], values.get("noise_seed", 0))
    return parts


class Scaling(NamedTuple):
    """How inputs are standardized: a mean and a standard deviation for each."""

    means: tuple[float, ...]
    scales: tuple[float, ...]

    def of(self, rows: Any) -> NDArray[np.float64]:
        """Return standardized rows of inputs."""
        import numpy as np

        found: NDArray[np.float64] = (np.array(rows) - np.array(self.means)) / np.array(self.scales)
        return found


def standardized(trained: Matrix, others: Collection[Matrix]) -> tuple[Scaling, list[Matrix]]:
    """Return the scaling by which the inputs to train on have mean 0 and standard deviation 1, and these and others.

    Both follow from the patterns to train on, as in scikit-learn's StandardScaler. Constant inputs are only shifted.
    Sums are exact, so the bits are the same on each machine.
    """
    import numpy as np

    columns = list(zip(*trained, strict=True))
    is_constant = np.array([min(column) == max(column) for column in columns])
    made, scaling, scales = [], Scaling((), ()), np.array([np.inf])
    with suppress(OverflowError), np.errstate(over="ignore", invalid="ignore"):
        means = np.array([fsum(column) / len(column) for column in columns])
        means[is_constant] = np.array(trained[0])[is_constant]
        squares = ((np.array(trained) - means) ** 2).T.tolist()
        scales = np.sqrt([fsum(column) / len(column) for column in squares])
        scales[is_constant] = 1.0
        scaling = Scaling(tuple(means.tolist()), tuple(scales.tolist()))
        made = [scaling.of(rows) for rows in (trained, *others)]
    if not all(np.isfinite(rows).all() for rows in (scales, *made)):
        raise ValueError("inputs must be at most about 1e150 with standardize, got larger ones; scale them")
    return scaling, [tuple(map(tuple, rows.tolist())) for rows in made]


def _split(targets: Matrix, values: dict[str, Any], held_out: Collection[str]) -> dict[str, list[int]]:
    """Return the numbers of the patterns of each use.

    All folds have equally many patterns. Those of scikit-learn may have one more, which is trained on here.
    """
    n_patterns = len(targets)
    fold_use = _use_of_fold(values, held_out)
    if "train" in values:
        return _named(n_patterns, values["train"])
    n_tests, n_used = _counts(n_patterns, values)
    counts = {"test": n_tests, "validation": values.get("validation_count", 0)}
    parts: dict[str, list[int]] = {}
    left = list(range(n_patterns))
    stratify = values.get("stratify", False)
    for use, seed in ((use, values.get(name, 0)) for use, name in _SEEDS.items()):
        classes = [targets[k] for k in left]
        count = counts[use]
        if use == fold_use:
            folds, fold = _fold(len(left), values)
            count, order = len(left) // folds, fold_first(folds, fold, seed, classes, stratify=stratify)
        elif count:
            order = drawn_first(count, min(n_used, len(left) - count), seed, classes, stratify=stratify)
        else:
            continue
        parts[use] = sorted(left[k] for k in order[:count])
        left = sorted(left[k] for k in order[count:])
    if not left:
        n_left = len(parts["validation"])
        raise ValueError(
            f"validation_count must leave a pattern to train on, got validation_count {n_left} of {n_left}"
        )
    return {"train": left} | parts


def _use_of_fold(values: dict[str, Any], held_out: Collection[str]) -> str:
    """Return the use of the fold that is held out, empty without folds, if the keys can be used together."""
    keys = {*values, *held_out}
    for key, others in _EXCLUSIVE.items():
        for other in others:
            if {key, other} <= keys:
                raise ValueError(f"{key} and {other} are both set; remove one")
    if "folds" not in values:
        return ""
    use = "validation" if keys & {"test", "test_count"} else "test"
    idle = next(seed for other, seed in _SEEDS.items() if other != use)
    if values.get(idle) and not keys & {*NEEDED[idle]} - {"folds"}:
        raise ValueError(f"{idle} {values[idle]} has no effect on folds of {use} patterns; use {_SEEDS[use]}")
    if use == "test":
        return use
    validations = sorted(keys & {"validation", "validation_count"})
    if validations:
        tests = min(keys & {"test", "test_count"})
        raise ValueError(f"folds has no effect with both {tests} and {validations[0]}; remove one")
    return "validation"


def _named(n_patterns: int, chosen: Any) -> dict[str, list[int]]:
    """Return the numbers of the patterns to train on, as the study names them, and all others."""
    numbers = list(chosen) if isinstance(chosen, (list, tuple)) else []
    is_number = [is_integer(k) and 0 <= k < n_patterns for k in numbers]
    if not numbers or not all(is_number) or len(set(numbers)) < len(numbers) or len(numbers) == n_patterns:
        raise ValueError(
            f"train must be a list of different pattern numbers from 0 to {n_patterns - 1}, but not all of them; "
            f"got {shown(chosen)}"
        )
    return {"train": numbers, "test": sorted(set(range(n_patterns)) - set(numbers))}


def _counts(n_patterns: int, values: dict[str, Any]) -> tuple[int, int]:
    """Return the number of test patterns, and of those of training and validation together."""
    counts = {key: values[key] for key in ("train_count", "validation_count", "test_count") if key in values}
    n_used = counts.get("train_count", 1) + counts.get("validation_count", 0)
    if [*counts] == ["train_count"] and n_used >= n_patterns:
        raise ValueError(f"train_count must be below {n_patterns}, to leave patterns to test with; got {n_used}")
    if n_used + counts.get("test_count", 0) > n_patterns:
        limit = f"at most {n_patterns}" if "train_count" in counts else f"below {n_patterns}, to leave one to train on"
        together = "together " if len(counts) > 1 else ""
        listed = list_text([str(count) for count in counts.values()])
        raise ValueError(f"{list_text([*counts])} must {together}be {limit}; got {listed}")
    if "train_count" not in counts:
        n_used = n_patterns - counts.get("test_count", 0)
    return counts.get("test_count", n_patterns - n_used), n_used


def _fold(n_patterns: int, values: dict[str, Any]) -> tuple[int, int]:
    """Return the number of folds, and which of them is held out."""
    folds, fold = values["folds"], values.get("fold")
    if folds > n_patterns:
        raise ValueError(f"folds must be at most {n_patterns}, one pattern each, got {folds}")
    if fold is None or fold >= folds:
        raise ValueError(f"fold must be an integer from 0 to {folds - 1} with folds {folds}, got {shown(fold)}")
    return folds, fold


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
    numbers = {row: number for number, row in enumerate(set(targets))}
    kinds = np.array([numbers[row] for row in targets])  # rows compared as integers, since there may be many
    for k in sorted(state.permutation(len(targets))[: round(share * len(targets))].tolist()):
        others = np.flatnonzero(kinds != kinds[k])
        if len(others):
            noisy[k] = targets[others[state.randint(len(others))]]
    return tuple(noisy)
