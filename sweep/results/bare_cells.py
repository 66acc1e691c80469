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
    """Return the swept parameters of all cells, and the columns of :func:`bare_numbers`; None where these are None."""
    numbers = bare_numbers(result, statistic)
    return None if numbers is None else cells_of(result.study.grid).assign(**numbers)


def bare_numbers(result: Result, statistic: str) -> dict[str, Array] | None:
    """Return ``n_runs`` and ``statistic`` with its interval of all cells of a complete result, each (cells,).

    Return None if it is not in files, or the statistic is neither stored nor the value of a run. All columns of ten
    million cells would take several GB.
    """
    study = result.study
    if not result.complete or result.place is None:
        return None
    if statistic in (column.name for column in cells_columns(study)):
        stored = result.stored.read_cells([*every()[statistic].columns, "n_runs"])
        return {name: stored[name].to_numpy() for name in stored.column_names}
    measure = measure_of(statistic)
    if measure in measures_of(study) and study.seeds.count == 1 and result.keeps_runs:
        return {"n_runs": np.ones(study.n_cells, np.int64), statistic: _only_values(result, measure)}
    return None


def _only_values(result: Result, measure: str) -> Array:
    """Return a measure of the only run of each cell, which each quartile and mean of the cell equals."""
    tables = in_run_order(result.stored, [measure])
    return np.concatenate([as_measured(table[measure].to_numpy(), measure) for table in tables])
