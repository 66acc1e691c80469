"""Statistics of cells (configurations), as cells.parquet stores them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sweep.analysis.tally import to_arrow
from sweep.columns import STATUSES, arrow_schema, statuses
from sweep.schemas.cell_columns import cells_columns
from sweep.statistics.intervals import Array
from sweep.statistics.of_cells import OF_CONVERGENCE, of_measure
from sweep.statistics.runs import NOT_COUNTED, Correct, Runs
from sweep.statistics.statistic import Statistic
from sweep.statistics.two_way import estimate_of
from sweep.study.axes.grid import Grid
from sweep.study.content import StudyContent
from sweep.study.model import Study

# Rows of a tally whose statistics are computed together: those of a million cells would take GBs.
_AT_ONCE = 2**17


def cells_to_table(cells: pd.DataFrame, study: Study) -> pa.Table:
    """Return the statistics of all cells as the Arrow table that is stored."""
    return to_arrow(cells, arrow_schema(cells_columns(study)))


def summarize(tally: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Return the statistics of every cell that has runs, in cell order.

    The columns are those of cells.parquet. Quantiles of steps that are not reached are missing.
    """
    cell = tally["cell"].to_numpy()
    ends = np.searchsorted(cell, cell[_AT_ONCE - 1 :: _AT_ONCE], side="right")  # those of whole cells
    stretches = np.unique([0, *ends, len(cell)])
    slices = [slice(*ends) for ends in pairwise(stretches)] or [slice(None)]
    runs = (Runs.of_tally(tally[own], cell[own], grid.most_steps(cell[own])) for own in slices)
    statistics = pd.concat([statistics_of(each, grid) for each in runs])
    return cells_of(grid, statistics.index.to_numpy()).join(statistics.reset_index(drop=True))


def of_criterion(cells: pd.DataFrame, study: StudyContent) -> pd.DataFrame:
    """Return a table of cells without statistics of convergence if the study has no criterion."""
    idle = [] if study.has_criterion else [name for each in OF_CONVERGENCE.values() for name in each.columns]
    return cells.drop(columns=idle, errors="ignore")


def group_of(grid: Grid, by: Sequence[str], cells: Array) -> Array:
    """Return the group number of each cell. Cells of one group have the same values of the parameters ``by``.

    The numbers depend only on the grid, so tables of different cells can be joined by them. Groups are numbered in the
    order of their first cells.
    """
    return np.asarray(grid.number(by, cells))


def values_of_groups(grid: Grid, by: Sequence[str], cells: Array) -> pd.DataFrame:
    """Return the values of ``by`` of each group that contains some of these cells, indexed by :func:`group_of`."""
    numbers, first = np.unique(group_of(grid, by, cells), return_index=True)
    return pd.DataFrame({name: grid.column(name, cells[first]) for name in by}, index=numbers)


def cells_of(grid: Grid, cells: Array | None = None) -> pd.DataFrame:
    """Return a table of cell numbers and swept parameters, of some cells or of all (which may be very many)."""
    cells = np.arange(grid.n_cells) if cells is None else cells
    return pd.DataFrame({"cell": cells, **{name: grid.column(name, cells) for name in grid.parameters}})


def columns_of(statistics: Iterable[Statistic], runs: Runs) -> pd.DataFrame:
    """Return the columns of statistics of some runs, by the number of their group."""
    columns: dict[str, Any] = {}
    for each in statistics:
        if each.estimate is None:
            continue
        estimate = estimate_of(each, runs)
        columns[each.name] = estimate.value
        if each.error:
            columns[f"{each.name}_error"] = estimate.error
        if each.has_interval:
            columns[f"{each.name}_low"], columns[f"{each.name}_high"] = estimate.ends()
    table = pd.DataFrame(columns, pd.Index(runs.numbers, name="group"))
    integers = [name for each in statistics if each.integer for name in each.columns if name in table]
    for name in integers:
        table[name] = table[name].where(np.isfinite(table[name])).astype("Int64")
    return table


def columns_of_measure(measure: str) -> list[str]:
    """Return the columns of the statistics of a measure."""
    return [name for each in of_measure(measure) for name in each.columns]


def quartile_columns(measure: str) -> list[str]:
    """Return the columns of the statistics that are of this measure alone: its quartiles or its mean."""
    return [name for each in of_measure(measure) if each.measure for name in each.columns]


def measured_statistics(
    measure: str, cell: Array, values: Array, n: Array | None = None, correct: Correct = NOT_COUNTED
) -> pd.DataFrame:
    """Return the statistics of a measure by cell, of independent runs by row.

    ``values`` are those of :func:`~sweep.analysis.study_measures.as_measured`. Each is that of ``n`` runs, by default
    of one. ``correct`` is how many outputs of a run can be correct, for measures that count these.
    """
    return columns_of(of_measure(measure), Runs(cell, cell, n, values=values, correct=correct))


def statistics_of(counted: Runs, grid: Grid, runs: Runs | None = None) -> pd.DataFrame:
    """Return the statistics of groups of runs of a tally, by the number of the group.

    Those of convergence are of ``runs``, if given: the same ones with their seeds.
    """
    return counts_of(counted, grid).join(columns_of(OF_CONVERGENCE.values(), runs or counted))


def counts_of(runs: Runs, grid: Grid) -> pd.DataFrame:
    """Return the numbers of runs of a tally by how they ended, indexed by group."""
    counts = {"n_runs": runs.n_runs}
    for status in statuses(grid.has_patience):
        counts[f"n_{status}"] = runs.add(runs.status == STATUSES.index(status))
    return pd.DataFrame(counts, pd.Index(runs.numbers, name="group"))
