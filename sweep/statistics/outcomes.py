"""The end of each seed in each cell, for comparisons on common seeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from sweep.statistics.intervals import Array
from sweep.statistics.measures import as_measured
from sweep.statistics.table_values import status_codes, updates_of
from sweep.study.columns import STATUSES
from sweep.study.grid import Grid

# Columns to read of the runs table, besides that of updates.
COLUMNS = ["run", "status"]

_CONVERGED = STATUSES.index("converged")
_NEVER = np.int64(2**62)


class Outcomes(NamedTuple):
    """Ends of runs, by cell and seed.

    Attributes
    ----------
    steps : (n_cells, n_seeds) of int32
        Steps of the run; -1 where the run is missing, as in a partial result.
    converged : (n_cells, n_seeds) of bool
        Whether the run converged.
    """

    steps: Array
    converged: Array

    @property
    def present(self) -> Array:
        """Which runs are present."""
        return np.asarray(self.steps >= 0)

    def steps_to_converge(self) -> Array:
        """Return the steps of converged runs, and a number above all steps for the others."""
        return np.where(self.converged, self.steps, _NEVER)

    def at(self, cells: Array, seeds: slice = slice(None)) -> Outcomes:
        """Return the outcomes of some cells for a range of seeds. Runs of cell -1 are missing."""
        there = (cells >= 0)[:, None]
        if there.all():
            return Outcomes(self.steps[cells, seeds], self.converged[cells, seeds])
        return Outcomes(np.where(there, self.steps[cells, seeds], -1), there & self.converged[cells, seeds])

    def in_order(self, places: Array) -> Outcomes:
        """Return the outcomes with the seeds of each cell in another order, (n_cells, n_seeds)."""
        return Outcomes(*(np.take_along_axis(each, places, axis=1) for each in self))


class Measured(NamedTuple):
    """A measure of runs, by cell and seed.

    Attributes
    ----------
    values : (n_cells, n_seeds) of float64
        Values of :func:`~sweep.statistics.measures.as_measured`; NaN where the run is missing.
    """

    values: Array

    @property
    def present(self) -> Array:
        """Which runs are present."""
        return ~np.isnan(self.values)

    def at(self, cells: Array, seeds: slice = slice(None)) -> Measured:
        """Return the measure of some cells for a range of seeds. Runs of cell -1 are missing."""
        return Measured(np.where((cells >= 0)[:, None], self.values[cells, seeds], np.nan))

    def in_order(self, places: Array) -> Measured:
        """Return the measure with the seeds of each cell in another order, (n_cells, n_seeds)."""
        return Measured(np.take_along_axis(self.values, places, axis=1))

    def as_outcomes(self) -> Outcomes:
        """Return outcomes of 0 steps in which finite values count as converged."""
        return Outcomes(np.where(self.present, 0, -1).astype(np.int32), np.isfinite(self.values))


def measured_from_tables(tables: Iterable[pa.Table], grid: Grid, measure: str) -> Measured:
    """Read a measure from tables of runs, with any rows in any order.

    Parameters
    ----------
    tables
        Tables with the columns ``run`` and the measure.
    grid
        The grid of the study.
    measure
        Name of the measure.

    Returns
    -------
    Measured
        The measure of all cells and seeds; NaN where the tables have no row.
    """
    values = np.full(grid.n_runs, np.nan)
    for table in tables:
        values[table["run"].to_numpy()] = as_measured(table[measure].to_numpy(), measure)
    return Measured(values.reshape(grid.n_cells, grid.n_seeds))


def outcomes_from_tables(tables: Iterable[pa.Table], grid: Grid) -> Outcomes:
    """Read outcomes from tables of runs, with any rows in any order."""
    steps = np.full(grid.n_runs, -1, np.int32)
    converged = np.zeros(grid.n_runs, np.bool_)
    for table in tables:
        runs = table["run"].to_numpy()
        steps[runs] = updates_of(table)
        converged[runs] = status_codes(table["status"]) == _CONVERGED
    shape = grid.n_cells, grid.n_seeds
    return Outcomes(steps.reshape(shape), converged.reshape(shape))
