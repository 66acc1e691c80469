"""The runs that are trained again for comparison: a random sample, all, or none."""

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
    """Runs drawn from commits by a seed, -1 for all. By default each check draws other runs."""

    def __init__(self, n_runs: int, seed: int | None = None) -> None:
        if not is_integer(n_runs) or n_runs < -1:
            raise StudyError(f"sample: must be an integer of at least 0, or -1 for all runs, got {shown(n_runs)}")
        if seed is not None and not (is_integer(seed) and 0 <= seed < _SEEDS):
            raise StudyError(f"sample_seed: must be an integer from 0 to {_SEEDS - 1}, got {shown(seed)}")
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
        """Draw runs of these commits, all with equal probability, or ``whole`` parts that have as many runs."""
        self._rows = {}
        if whole:
            n_drawn = 0
            for commit in Random(self.seed).sample(commits, len(commits)):
                if n_drawn < self.n_runs:
                    self._rows[commit.part] = np.arange(commit.n_runs)
                    n_drawn += commit.n_runs
            return
        if not self.draws or not commits:
            return
        stops = np.cumsum([commit.n_runs for commit in commits])
        drawn = self._places(int(stops[-1]))
        by_commit = np.split(drawn, np.searchsorted(drawn, stops[:-1]))
        for commit, stop, places in zip(commits, stops, by_commit, strict=True):
            self._rows[commit.part] = places - (stop - commit.n_runs)

    def choose(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Draw as many of ``numbers`` as there are runs in the sample, with equal probability."""
        return numbers if self.takes_all else numbers[self._places(len(numbers))]

    def _places(self, n_held: int) -> NDArray[np.int64]:
        """Draw numbers below ``n_held``, none twice, in ascending order."""
        return np.array(sorted(Random(self.seed).sample(range(n_held), min(self.n_runs, n_held))), np.int64)

    def rows_of(self, commit: Commit) -> NDArray[Any]:
        """Return the drawn row numbers of a part."""
        return self._rows.get(commit.part, np.empty(0, np.int64))
