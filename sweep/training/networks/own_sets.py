"""The patterns of runs that each draw their own, with their seeds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.study.data.data_sets import DataSets
from sweep.study.model import Study

Array = NDArray[Any]

# Most numbers of patterns that are in memory together, 20 MiB in Python.
_MOST_NUMBERS = 2**19
_LAST_SEED = 2**32 - 1


class OwnSets:
    """Draws the patterns of some runs at a time; threads share one, and cells with the same patterns their draws."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self.most_runs = max(1, _MOST_NUMBERS // study.data.n_numbers)
        self._drawn = lru_cache(self.most_runs)(study.data.of_run)

    def of_runs(self, cells: Array, seeds: Array) -> tuple[DataSets, NDArray[np.int64]]:
        """Return the sets of patterns of some runs, and the number of the set of each, (runs,).

        There are always several, so one kernel trains any runs.
        """
        pairs = np.column_stack([self._study.set_numbers(cells), seeds])
        each, numbers = np.unique(pairs, axis=0, return_inverse=True)
        chosen: list[tuple[int, int]] = [(number, seed) for number, seed in each.tolist()]
        if len(chosen) == 1:
            (number, seed), *_ = chosen
            chosen.append((number, seed + 1 if seed < _LAST_SEED else 0))
        sets = tuple(self._drawn(number, seed) for number, seed in chosen)
        return DataSets(sets, (), {}), numbers.reshape(-1)
