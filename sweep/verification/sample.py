"""The runs that are trained again for comparison: an unpredictable sample, all, or none."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from secrets import randbelow
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import StudyError, shown
from sweep.store.commits import Commit
from sweep.system.plain_values import is_integer

_SEEDS = 2**32


class Sample:
    """Runs drawn from commits by a seed.

    Parameters
    ----------
    n_runs
        Number of runs; -1 for all.
    seed
        Seed of the draw, below 2^32. By default it is unpredictable, so that nobody can forge only runs that are not
        drawn.

    Attributes
    ----------
    n_runs, seed
        As above.

    Raises
    ------
    StudyError
        If a number is not an integer, or out of range.
    """

    def __init__(self, n_runs: int, seed: int | None = None) -> None:
        if not is_integer(n_runs) or n_runs < -1:
            raise StudyError([f"sample: must be an integer of at least 0, or -1 for all runs, got {shown(n_runs)}"])
        if seed is not None and not (is_integer(seed) and 0 <= seed < _SEEDS):
            raise StudyError([f"sample_seed: must be an integer from 0 to {_SEEDS - 1}, got {shown(seed)}"])
        self.n_runs = n_runs
        self.seed = randbelow(_SEEDS) if seed is None else seed
        self._rows: dict[int, NDArray[Any]] = {}

    @property
    def takes_all(self) -> bool:
        """Whether all runs are trained again."""
        return self.n_runs < 0

    @property
    def draws(self) -> bool:
        """Whether some runs are drawn."""
        return self.n_runs > 0

    def draw(self, commits: Sequence[Commit], *, whole: bool = False) -> None:
        """Draw runs of these commits, all with equal probability.

        With ``whole``, draw parts instead of single runs, weighted by their runs, until they have as many runs.
        """
        if whole:
            random, n_drawn, self._rows = Random(self.seed), 0, {}
            keys = [random.random() ** (1 / max(commit.n_runs, 1)) for commit in commits]
            for _, commit in sorted(zip(keys, commits, strict=True), key=lambda pair: -pair[0]):
                if n_drawn < self.n_runs:
                    self._rows[commit.part] = np.arange(commit.n_runs)
                    n_drawn += commit.n_runs
            return
        starts = np.cumsum([0, *(commit.n_runs for commit in commits)])
        n_held = int(starts[-1])
        drawn = np.array(sorted(Random(self.seed).sample(range(n_held), min(max(self.n_runs, 0), n_held))), np.int64)
        cuts = np.searchsorted(drawn, starts)
        self._rows = {
            commit.part: drawn[first:last] - start
            for commit, start, first, last in zip(commits, starts, cuts, cuts[1:], strict=False)
            if first < last
        }

    def choose(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Draw as many of ``numbers`` as there are runs in the sample, with equal probability."""
        n_drawn = len(numbers) if self.takes_all else min(self.n_runs, len(numbers))
        return numbers[sorted(Random(self.seed).sample(range(len(numbers)), n_drawn))]

    def rows_of(self, commit: Commit) -> NDArray[Any]:
        """Return the drawn row numbers of a part."""
        return self._rows.get(commit.part, np.empty(0, np.int64))
