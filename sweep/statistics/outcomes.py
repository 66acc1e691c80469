"""How every seed ended in every cell: what comparisons on common seeds are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from sweep.statistics.intervals import Array
from sweep.statistics.measures import as_measured
from sweep.statistics.table_values import status_codes
from sweep.study.columns import STATUSES
from sweep.study.grid import Grid

# Columns of the runs table that are read.
COLUMNS = ["run", "status", "steps"]

_CONVERGED = STATUSES.index("converged")
_NEVER = np.int64(2**62)


class Outcomes(NamedTuple):
    """Ends of runs, by cell and seed.

    Attributes
    ----------
    steps : (n_cells, n_seeds) of int32
        Steps taken; -1 where the run is not there, as in a partial result.
    converged : (n_cells, n_seeds) of bool
    """

    steps: Array
    converged: Array

    @property
    def present(self) -> Array:
        """Which runs are there."""
        return np.asarray(self.steps >= 0)

    def steps_to_converge(self) -> Array:
        """Return the steps of runs that converged, for others a number beyond all steps."""
        return np.where(self.converged, self.steps, _NEVER)

    def at(self, cells: Array, seeds: slice = slice(None)) -> Outcomes:
        """Return the outcomes of some cells, for a range of seeds."""
        return Outcomes(self.steps[cells, seeds], self.converged[cells, seeds])


class Measured(NamedTuple):
    """What was measured of runs, by cell and seed.

    Attributes
    ----------
    values : (n_cells, n_seeds) of float64
        As of :func:`~sweep.statistics.measures.as_measured`; NaN where the run is not there.
    """

    values: Array

    @property
    def present(self) -> Array:
        """Which runs are there."""
        return ~np.isnan(self.values)

    def at(self, cells: Array, seeds: slice = slice(None)) -> Measured:
        """Return what was measured of some cells, for a range of seeds."""
        return Measured(self.values[cells, seeds])

    def as_outcomes(self) -> Outcomes:
        """Return which runs are there and which of them are finite, as runs of no steps that converged."""
        return Outcomes(np.where(self.present, 0, -1).astype(np.int32), np.isfinite(self.values))


def measured_from_tables(tables: Iterable[pa.Table], grid: Grid, measure: str) -> Measured:
    """Read a measure from tables of runs, of any rows in any order."""
    values = np.full(grid.n_runs, np.nan)
    for table in tables:
        values[table["run"].to_numpy()] = as_measured(table[measure].to_numpy())
    return Measured(values.reshape(grid.n_cells, grid.n_seeds))


def outcomes_from_tables(tables: Iterable[pa.Table], grid: Grid) -> Outcomes:
    """Read outcomes from tables of runs, of any rows in any order."""
    steps = np.full(grid.n_runs, -1, np.int32)
    converged = np.zeros(grid.n_runs, np.bool_)
    for table in tables:
        runs = table["run"].to_numpy()
        steps[runs] = table["steps"].to_numpy()
        converged[runs] = status_codes(table["status"]) == _CONVERGED
    shape = grid.n_cells, grid.n_seeds
    return Outcomes(steps.reshape(shape), converged.reshape(shape))
