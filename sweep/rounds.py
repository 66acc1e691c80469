"""Which cells need more seeds, round after round: decided from finished rounds alone, however they were trained."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sweep.plan import Plan
from sweep.shards import Shard
from sweep.statistics.intervals import wilson_interval
from sweep.statistics.tally import TallySum
from sweep.store.parts import Parts


class Rounds:
    """The open cells of each round of a study.

    Parameters
    ----------
    plan
        Of the study.
    parts
        Where its results are; of a round they are read once all rounds before are finished.
    """

    def __init__(self, plan: Plan, parts: Parts) -> None:
        self._plan, self._parts = plan, parts
        self._open = cache(self._open_cells)

    def restrict(self, shard: Shard) -> Shard:
        """Return a shard with those of its cells that are open in its round.

        Raises
        ------
        StoreError
            If a part of an earlier round is missing or damaged.
        """
        number = self._plan.shards.round_of(shard)
        return replace(shard, open=self._open(number)[self._plan.cells(shard)[0]]) if number else shard

    def _open_cells(self, number: int) -> NDArray[np.bool_]:
        """Return which cells are trained in a round: those whose interval was wide still after the one before."""
        if number == 0:
            return np.ones(self._plan.n_cells, np.bool_)
        until = self._plan.study.seeds.until
        assert until is not None
        before = [
            commit
            for commit in self._parts.commits().values()
            if self._plan.shards.round_of(Shard(commit.shard, commit.start, commit.stop, 0.0)) < number
        ]
        sums = TallySum()
        for commit in before:
            sums.add(self._parts.tally(commit))
        tally = sums.total()
        n_runs = np.zeros(self._plan.n_cells, np.int64)
        n_converged = np.zeros(self._plan.n_cells, np.int64)
        np.add.at(n_runs, tally["cell"].to_numpy(), tally["n"].to_numpy())
        converged = tally[tally["status"] == "converged"]
        np.add.at(n_converged, converged["cell"].to_numpy(), converged["n"].to_numpy())
        low, high = wilson_interval(n_converged, n_runs)
        return self._open(number - 1) & (high - low >= until.width)
