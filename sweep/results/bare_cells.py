"""One statistic of very many cells, without their other columns: what a map draws."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweep.analysis.cells import cells_of
from sweep.analysis.study_measures import as_measured, measures_of
from sweep.results.result import Result
from sweep.results.run_order import in_run_order
from sweep.schemas.cell_columns import cells_columns
from sweep.statistics.intervals import Array
from sweep.statistics.of_cells import every, measure_of


def bare_cells(result: Result, statistic: str) -> pd.DataFrame | None:
    """Return the swept parameters, ``n_runs`` and ``statistic`` with its interval of all cells of a complete result.

    Return None if it is not in files, or the statistic is neither stored nor the value of a run. All columns of ten
    million cells would take several GB.
    """
    study = result.study
    if not result.complete or result.place is None:
        return None
    cells = cells_of(study.grid)
    if statistic in (column.name for column in cells_columns(study)):
        stored = result.stored.read_cells([*every()[statistic].columns, "n_runs"])
        for name in stored.column_names:
            cells[name] = stored[name].to_numpy()
        return cells
    measure = measure_of(statistic)
    if measure in measures_of(study) and study.seeds.count == 1 and result.keeps_runs:
        cells["n_runs"] = 1
        cells[statistic] = _only_values(result, measure)
        return cells
    return None


def _only_values(result: Result, measure: str) -> Array:
    """Return a measure of the only run of each cell, which each quartile and mean of the cell equals."""
    tables = in_run_order(result.stored, [measure])
    return np.concatenate([as_measured(table[measure].to_numpy(), measure) for table in tables])
