"""The cells that need more seeds in each round, determined only from finished rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from sweep.analysis.study_race import StudyRace
from sweep.analysis.tally import CountSum, no_runs
from sweep.errors import StoreError
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.statistics.intervals import wilson_interval
from sweep.store.commits import Commit, cover
from sweep.store.stored_runs import StoredResult
from sweep.study.until_faults import raced_statistic


class AdaptiveRounds:
    """The open cells of each round of a study; threads share one.

    Parts of a round are read once all earlier rounds are finished. Each part is read once, and a failure is kept: after
    a repair of parts, create a new object. ``commits`` returns the commits whose parts count; all by default.
    """

    def __init__(self, plan: Plan, parts: StoredResult, commits: Callable[[], Iterable[Commit]] | None = None) -> None:
        self._plan, self._parts = plan, parts
        self._commits = commits or (lambda: parts.commits().values())
        n_cells = plan.n_cells if plan.parts.n_rounds > 1 else 0  # otherwise not used
        self._open = [np.ones(n_cells, np.bool_)]  # of the known rounds
        self._n_runs, self._n_converged = np.zeros((2, n_cells), np.int64)  # before the last known round
        self._race = StudyRace(plan.study) if plan.parts.n_rounds > 1 and raced_statistic(plan.study) else None
        self._fault: StoreError | None = None
        self._lock = Lock()

    def restrict(self, part: Part) -> Part:
        """Restrict a part to the cells that are open in its round.

        StoreError if a part of an earlier round is missing or damaged.
        """
        number = self._plan.parts.round_of(part)
        return replace(part, open=self._open_cells(number)[self._plan.cells(part)[0]]) if number else part

    def _open_cells(self, number: int) -> NDArray[np.bool_]:
        """Return the mask of cells that are trained in a round."""
        with self._lock:
            while len(self._open) <= number:
                if self._fault:
                    raise copy(self._fault)  # one for each thread, since it holds a traceback
                try:
                    self._open.append(self._next_round())
                except StoreError as error:
                    self._fault = error
            return self._open[number]

    def _next_round(self) -> NDArray[np.bool_]:
        """Return the mask of the cells that need more seeds after the last known round."""
        until, number = self._plan.study.seeds.until, len(self._open)
        assert until is not None
        start, stop = (self._plan.parts.start_of(each) for each in (number - 1, number))
        before = sorted((each for each in self._commits() if each.start < stop), key=lambda commit: commit.start)
        if not cover(before, stop):
            raise StoreError("parts of earlier rounds are missing, so the cells of the next round are unknown")
        of_round = [each for each in before if each.start >= start]
        if self._race:
            self._race.add(self._parts.table(each, self._race.columns) for each in of_round)
            return self._race.open_cells
        assert until.width is not None
        return self._open[-1] & self._are_wide(of_round, until.width)

    def _are_wide(self, commits: list[Commit], width: float) -> NDArray[np.bool_]:
        """Count the runs of a round; return the mask of the cells whose interval is not narrower than a width."""
        sums = CountSum(no_runs())
        for commit in commits:
            sums.add(self._parts.tally(commit))
        tally = sums.total()
        np.add.at(self._n_runs, tally["cell"].to_numpy(), tally["n"].to_numpy())
        converged = tally[tally["status"] == "converged"]
        np.add.at(self._n_converged, converged["cell"].to_numpy(), converged["n"].to_numpy())
        low, high = wilson_interval(self._n_converged, self._n_runs)
        are_wide: NDArray[np.bool_] = high - low >= width
        return are_wide
