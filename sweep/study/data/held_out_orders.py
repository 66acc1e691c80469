"""Orders of patterns in which those to hold out come first, as scikit-learn draws them, with and without classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweep.errors import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

# The class of each pattern is its targets.
Classes = Sequence[tuple[float, ...]]


def drawn_first(n_held_out: int, n_kept: int, seed: int, patterns: Classes, *, stratify: bool) -> list[int]:
    """Return numbers of patterns, first those that are held out, then those kept: as ``train_test_split``."""
    import numpy as np

    state = np.random.RandomState(seed)
    if not stratify:
        order: list[int] = state.permutation(len(patterns)).tolist()
        return order[: n_held_out + n_kept]
    codes = _codes(patterns)
    counts = np.bincount(codes)
    _refuse_small(patterns, codes, counts, n_held_out, n_kept)
    kept = _shares(counts, n_kept, state)
    held_out = _shares(counts - kept, n_held_out, state)
    first: list[int] = []
    then: list[int] = []
    for code, (n_first, n_then) in enumerate(zip(held_out, kept, strict=True)):
        shuffled = np.flatnonzero(codes == code)[state.permutation(counts[code])].tolist()
        then += shuffled[:n_then]
        first += shuffled[n_then : n_then + n_first]
    return first + then


def fold_first(folds: int, fold: int, seed: int, patterns: Classes, *, stratify: bool) -> list[int]:
    """Return numbers of patterns, first those of a fold: as ``KFold`` and ``StratifiedKFold``, shuffled."""
    import numpy as np

    state = np.random.RandomState(seed)
    n_patterns = len(patterns)
    if not stratify:
        order = state.permutation(n_patterns)
        numbers = np.empty(n_patterns, np.int64)
        numbers[order] = np.repeat(np.arange(folds), [len(part) for part in np.array_split(order, folds)])
    else:
        codes = _codes(patterns)
        appearing = np.argsort([int(np.argmax(codes == code)) for code in range(codes.max() + 1)])
        sorted_codes = np.sort(np.argsort(appearing)[codes])
        numbers = np.empty(n_patterns, np.int64)
        for place, code in enumerate(appearing):
            counts = [np.count_nonzero(sorted_codes[k::folds] == place) for k in range(folds)]
            of_class = np.repeat(np.arange(folds), counts)
            state.shuffle(of_class)
            numbers[codes == code] = of_class
        order = np.arange(n_patterns)
    return [*order[numbers[order] == fold].tolist(), *order[numbers[order] != fold].tolist()]


def _codes(patterns: Classes) -> Numbers:
    """Return the number of the class of each pattern, in ascending order of classes."""
    import numpy as np

    ascending = sorted(set(patterns), reverse=len(patterns[0]) > 1)  # the first of several targets is the first class
    numbers = {each: k for k, each in enumerate(ascending)}
    return np.array([numbers[each] for each in patterns])


def _refuse_small(patterns: Classes, codes: Numbers, counts: Numbers, n_held_out: int, n_kept: int) -> None:
    """Raise an error if a class or a part is too small to have all classes in it."""
    if counts.min() < 2:
        targets = patterns[int((codes == counts.argmin()).argmax())]
        raise ValueError(f"stratify needs two or more patterns of each class, got one with targets {shown([*targets])}")
    if min(n_held_out, n_kept) < len(counts):
        raise ValueError(
            f"stratify needs {len(counts)} or more patterns in each part, one of each class, got "
            f"{min(n_held_out, n_kept)} in one part"
        )


def _shares(counts: Numbers, n_drawn: int, state: Any) -> Numbers:
    """Return how many patterns of each class are drawn; of equal remainders, random ones are rounded up."""
    import numpy as np

    exact = counts / counts.sum() * n_drawn
    shares = np.floor(exact)
    missing = int(n_drawn - shares.sum())
    remainders = exact - shares
    for remainder in np.unique(remainders)[::-1]:
        (equal,) = np.nonzero(remainders == remainder)
        n_more = min(len(equal), missing)
        if n_more:
            shares[state.choice(equal, size=n_more, replace=False)] += 1
        missing -= n_more
    found: Numbers = shares.astype(np.int64)
    return found
