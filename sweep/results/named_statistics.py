"""Statistics of cells by name: those that tables of cells have, and those that are computed where they are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.analysis.cells import columns_of, group_of
from sweep.errors import SweepError
from sweep.results.pooled_cells import MOST_PAIRED, counted_runs, pairs_seeds, summarize_over
from sweep.results.run_rows import RunRows, check_kept
from sweep.schemas.run_columns import runs_columns
from sweep.statistics.by_function import N_RESAMPLES, ByFunction
from sweep.statistics.estimates import Estimate
from sweep.statistics.intervals import Array
from sweep.statistics.of_cells import every
from sweep.statistics.outcomes import Measured
from sweep.statistics.runs import Runs
from sweep.statistics.statistic import Statistic

if TYPE_CHECKING:
    from sweep.results.evaluated_runs import EvaluatedRuns
    from sweep.study.axes.grid import Grid


def cells_with(result: EvaluatedRuns, statistic: str) -> pd.DataFrame:
    """Return the numbered cells of a result with the columns of a statistic of :func:`sweep.statistics.of_cells.every`.

    They are the last columns if the table of cells lacks them. StoreError is raised if the statistic needs rows of
    runs, and these were not kept; SweepError if the study does not have the measure.
    """
    found, cells = every()[statistic], result.numbered_cells
    if found.measure:
        return result.measures.in_cells(found.measure, cells)
    if found.computed == "always":
        return cells
    if found.computed == "from rows":
        return cells.join(_columns(found, cells["cell"].to_numpy(), _by_cell(result, statistic)), on="cell")
    return cells.join(named_over(result, statistic, cells, cells["cell"].to_numpy()), on="cell")


def pooled_with(
    result: EvaluatedRuns, by: Sequence[str], cells: pd.DataFrame, *statistics: str, grid: Grid | None = None
) -> pd.DataFrame:
    """Return the table of :func:`sweep.results.pooled_cells.summarize_over` with the columns of statistics."""
    found = [every()[name] for name in statistics]
    measure = next((each.measure for each in found if each.measure), None)
    table = summarize_over(result, by, cells, measure, grid)
    group = group_of(grid or result.study.grid, by, cells["cell"].to_numpy())
    for each in found:
        if each.computed != "always":
            table = table.assign(**named_over(result, each.name, cells, group, grid).reset_index(drop=True))
    return table


def named_over(
    result: EvaluatedRuns, statistic: str, cells: pd.DataFrame, group: Array, grid: Grid | None = None
) -> pd.DataFrame:
    """Return the columns of a statistic that is computed where it is named, by the number of the group of cells.

    The statistic is one of :data:`sweep.statistics.of_cells.NAMED`; other arguments are as for
    :func:`sweep.results.pooled_cells.convergence_over`. Intervals of several cells count each seed once; they are
    missing if rows are not kept or too many to be read.
    """
    grid, numbers = grid or result.study.grid, cells["cell"].to_numpy()
    if every()[statistic].computed == "from rows":
        rows, replicate = _rows_of(result, statistic)
        own = rows["cell"].isin(numbers).to_numpy()
        rows, of_cells = rows[own], pd.Series(group, numbers)
        runs = Runs.of_rows(rows, of_cells.loc[rows["cell"]].to_numpy(), replicate[own])
    elif len(np.unique(group)) < len(group) and pairs_seeds(result):
        runs = Runs.of_measured(result.outcomes.at(numbers), group, grid.most_steps(numbers))
    else:
        runs = counted_runs(result, numbers, group, grid=grid)
    return columns_of([every()[statistic]], runs)


def resampled_values(result: EvaluatedRuns, statistic: str) -> Measured:
    """Return the values of a statistic of rows for resamples of the seeds, (cells, resamples); NaN for unknown ones."""
    values = np.full((result.study.grid.n_cells, N_RESAMPLES), np.nan)
    values[result.numbered_cells["cell"].to_numpy()] = _by_cell(result, statistic).distribution
    return Measured(values, result.replicates)


def _by_cell(result: EvaluatedRuns, statistic: str) -> ByFunction:
    """Return the estimate of a statistic of rows for each cell; it is kept, since resamples take long."""
    found = every()[statistic]
    if found not in result.by_function:
        rows, replicate = _rows_of(result, statistic)
        assert found.estimate
        estimate = found.estimate(Runs.of_rows(rows, rows["cell"].to_numpy(), replicate))
        assert isinstance(estimate, ByFunction)
        result.by_function[found] = estimate
    return result.by_function[found]


def _columns(statistic: Statistic, numbers: Array, estimate: Estimate) -> pd.DataFrame:
    """Return the columns of an estimate of groups with these numbers."""
    low, high = estimate.ends()
    columns = dict(zip(statistic.columns, (estimate.value, low, high), strict=True))
    return pd.DataFrame(columns, pd.Index(numbers, name="group"))


def _rows_of(result: EvaluatedRuns, statistic: str) -> tuple[pd.DataFrame, Array]:
    """Return all rows of the runs of a result and their replicates, for a function of rows; refuse too many."""
    study = result.stored.plan.study
    if result.measures.independent_of:
        raise SweepError(f"{statistic} is a function of rows of runs; use the result itself, not by_threshold")
    check_kept(result.stored)
    if not pairs_seeds(result):
        raise SweepError(f"{statistic} needs rows of runs, at most {MOST_PAIRED:,}, got {study.n_runs:,}")
    rows = RunRows(result.stored).frame([each.name for each in runs_columns(study) if not each.is_list])
    cells, replicate = result.places_of(rows["cell"].to_numpy())
    return rows.assign(cell=cells), replicate
