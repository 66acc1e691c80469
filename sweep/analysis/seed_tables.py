"""The end of every seed in every cell, and measures of runs, read from tables of rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.study_measures import as_measured
from sweep.analysis.table_values import status_codes, updates_of
from sweep.columns import STATUSES
from sweep.statistics.outcomes import Measured
from sweep.study.axes.grid import Grid

if TYPE_CHECKING:
    import pyarrow as pa

# Columns of the runs table that are read, beside that of updates.
COLUMNS = ["run", "status"]

_CONVERGED = STATUSES.index("converged")


def measured_from_tables(tables: Iterable[pa.Table], grid: Grid, measure: str) -> Measured:
    """Read a measure from tables of runs, with any rows in any order; NaN where they have no row."""
    values = np.full(grid.n_runs, np.nan)
    for table in tables:
        values[table["run"].to_numpy()] = as_measured(table[measure].to_numpy(), measure)
    return Measured(values.reshape(grid.n_cells, grid.n_seeds))


def outcomes_from_tables(tables: Iterable[pa.Table], grid: Grid) -> Measured:
    """Read the steps that runs need to converge from tables of runs, with any rows in any order."""
    values = np.full(grid.n_runs, np.nan)
    steps = np.full(grid.n_runs, -1, np.int32)
    for table in tables:
        runs = table["run"].to_numpy()
        steps[runs] = updates_of(table)
        values[runs] = np.where(status_codes(table["status"]) == _CONVERGED, steps[runs], np.inf)
    shape = grid.n_cells, grid.n_seeds
    return Measured(values.reshape(shape), ends=steps.reshape(shape))
