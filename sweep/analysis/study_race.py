"""The race of the cells of a study, from the rows of finished rounds of seeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.study_measures import as_measured, most_correct
from sweep.analysis.table_values import status_codes, updates_of
from sweep.columns import STATUSES
from sweep.schemas.run_columns import updates_column
from sweep.statistics.intervals import Array
from sweep.statistics.racing import Race
from sweep.study.axes.grid import replicate_axes
from sweep.study.model import Study
from sweep.study.until_faults import n_contenders, raced_statistic, races_by_wins

if TYPE_CHECKING:
    import pyarrow as pa

_CONVERGED = STATUSES.index("converged")


class StudyRace:
    """The race of the cells of a study."""

    def __init__(self, study: Study) -> None:
        until, statistic = study.seeds.until, raced_statistic(study)
        assert until
        assert until.confidence
        assert statistic
        self._study, self.statistic = study, statistic
        # The columns of runs that are read
        self.columns = ["run", *([statistic.measure] if statistic.measure else ["status", updates_column(study)])]
        by_wins = races_by_wins(study)
        self._scale = 1 if by_wins or not statistic.measure else most_correct(study, statistic.measure).most
        self.cells = _contenders(study)  # (contenders, replicates)
        margin = until.margin if until.margin is None else until.margin / self._scale
        self.race = Race(len(self.cells), len(study.seeds.rounds), until.confidence, by_wins=by_wins, margin=margin)
        self._n_rounds = 0

    @property
    def open_cells(self) -> Array:
        """Which cells get the seeds of the next round, (cells,) of bool."""
        return self.of_cells(self.race.open)

    def of_cells(self, values: Array) -> Array:
        """Return values of contenders as those of their cells."""
        found = np.empty(self.cells.size, values.dtype)
        found[self.cells] = values[:, None]
        return found

    def add(self, tables: Iterable[pa.Table]) -> None:
        """Add the next round from tables that hold all its runs, perhaps among others; none if the race has ended."""
        if not self.race.open.any():
            return
        seeds = self._study.seeds
        n_seeds = seeds.rounds[self._n_rounds]
        first = sum(seeds.rounds[: self._n_rounds])
        own = self.cells[self.race.open]
        places = np.full(self._study.n_cells, -1)
        places[own.ravel()] = np.arange(own.size)
        values = np.empty((own.size, n_seeds))
        for table in tables:
            cell, seed = np.divmod(table["run"].to_numpy(), seeds.count)
            place, seed = places[cell], seed - first
            needed = (place >= 0) & (seed >= 0) & (seed < n_seeds)
            values[place[needed], seed[needed]] = self.values_of(table)[needed]
        self.race.add(values.reshape(*own.shape, n_seeds))
        self._n_rounds += 1

    def values_of(self, table: pa.Table) -> Array:
        """Return the values of runs by which cells race; high ones are better."""
        if self.statistic.measure:
            values: Array = as_measured(table[self.statistic.measure].to_numpy(), self.statistic.measure)
            return values / self._scale if self.statistic.more_is_better else -values
        converged = status_codes(table["status"]) == _CONVERGED
        if self.statistic.compared == "rate":
            return np.asarray(converged, np.float64)
        return np.asarray(np.where(converged, -updates_of(table).astype(np.float64), -np.inf))


def _contenders(study: Study) -> Array:
    """Return the cells of each contender, (contenders, replicates): cells that differ in replicates only."""
    replicates = replicate_axes(study.axes)
    cells = np.arange(study.n_cells).reshape(study.grid.sizes)
    return np.moveaxis(cells, replicates, range(-len(replicates), 0)).reshape(n_contenders(study), -1)


def race_of_tables(study: Study, tables: Iterable[pa.Table]) -> StudyRace:
    """Return the race of a complete result."""
    found, every = StudyRace(study), list(tables)
    for _ in study.seeds.rounds:
        found.add(every)
    return found
