"""Statistics of cells (configurations), as cells.parquet stores them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from sweep.statistics.intervals import Array, wilson_interval
from sweep.statistics.restarts import best_restarts
from sweep.statistics.steps import QUANTILES, ends_by_group, mean_steps, steps_quantiles
from sweep.statistics.tally import to_arrow
from sweep.study.cell_columns import cells_columns
from sweep.study.columns import arrow_schema, statuses
from sweep.study.grid import Grid
from sweep.study.model import Study

# Columns that hold ends of intervals and standard errors.
INTERVALS = [
    *("convergence_rate_low", "convergence_rate_high"),
    *(f"{name}_{end}" for name in QUANTILES for end in ("low", "high")),
    *("restricted_mean_steps_error", "restricted_mean_steps_low", "restricted_mean_steps_high"),
    *("expected_steps_low", "expected_steps_high", "restarted_steps_low", "restarted_steps_high"),
]


def cells_to_table(cells: pd.DataFrame, study: Study) -> pa.Table:
    """Return the statistics of all cells as the Arrow table that is stored."""
    return to_arrow(cells, arrow_schema(cells_columns(study)))


def summarize(tally: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Return the statistics of every cell that has runs, in cell order.

    The columns are those of cells.parquet. Quantiles of steps that are not reached are missing.
    """
    statistics = _statistics(tally, tally["cell"].to_numpy(), grid)
    return cells_of(grid, statistics.index.to_numpy()).join(statistics.reset_index(drop=True))


def summarize_by(tally: pd.DataFrame, grid: Grid, by: Sequence[str]) -> pd.DataFrame:
    """Return the statistics of all runs that share the values of some parameters.

    Parameters
    ----------
    tally
        Counts of runs by cell, status and steps.
    grid
        The grid of the study.
    by
        Swept parameters, one or more. Runs are pooled over all others.

    Returns
    -------
    DataFrame
        One row for each combination of values that has runs, indexed by the number of the group (:func:`group_of`):
        the values, the number of cells, and the statistics.

    Notes
    -----
    The intervals treat runs as independent, so they are too narrow if seeds have runs in several cells. The intervals
    of :mod:`sweep.statistics.clustered` count each seed once.
    """
    group = group_of(grid, by, tally["cell"].to_numpy())
    statistics = _statistics(tally, group, grid)
    statistics.insert(0, "n_cells", tally.groupby(group)["cell"].nunique())
    return values_of_groups(grid, by, tally["cell"].to_numpy()).join(statistics, how="inner")


def group_of(grid: Grid, by: Sequence[str], cells: Array) -> Array:
    """Return the group number of each cell. Cells of one group have the same values of some parameters.

    The numbers depend only on the grid, so tables of different cells can be joined by them. Groups are numbered in the
    order of their first cells.

    Parameters
    ----------
    grid
        The grid of the study.
    by
        Swept parameters that define the groups. With none, all cells are in group 0.
    cells : (cells,)
        Numbers of cells.

    Returns
    -------
    groups : (cells,)
        The number of the group of each cell.
    """
    return np.asarray(grid.number(by, cells))


def values_of_groups(grid: Grid, by: Sequence[str], cells: Array) -> pd.DataFrame:
    """Return the parameter values of each group that contains some of these cells.

    Parameters
    ----------
    grid
        The grid of the study.
    by
        Swept parameters that define the groups.
    cells : (cells,)
        Numbers of cells.

    Returns
    -------
    DataFrame
        The values of ``by``, one row for each group, indexed by the number of the group (:func:`group_of`).
    """
    numbers, first = np.unique(group_of(grid, by, cells), return_index=True)
    return pd.DataFrame({name: grid.column(name, cells[first]) for name in by}, index=numbers)


def cells_of(grid: Grid, cells: Array | None = None) -> pd.DataFrame:
    """Return a table of cell numbers and swept parameters, of some cells or of all (which may be very many)."""
    cells = np.arange(grid.n_cells) if cells is None else cells
    return pd.DataFrame({"cell": cells, **{name: grid.column(name, cells) for name in grid.parameters}})


def _statistics(tally: pd.DataFrame, group: Array, grid: Grid) -> pd.DataFrame:
    """Return the statistics of groups of runs, indexed by group; ``group`` is the group of each row of the tally."""
    ends = ends_by_group(tally, group, grid.most_steps(tally["cell"].to_numpy()))
    names = [f"n_{status}" for status in statuses(grid.has_patience)]
    counts = pd.get_dummies(ends["status"], prefix="n", dtype=np.int64)[names].mul(ends["n"], axis=0)
    sums = counts.assign(n_runs=ends["n"]).groupby(ends["group"]).sum()
    n_runs, n_converged = sums["n_runs"], sums["n_converged"]
    low, high = wilson_interval(n_converged.to_numpy(), n_runs.to_numpy())
    rates = {
        "n_runs": n_runs,
        **{name: sums[name] for name in counts},
        "convergence_rate": n_converged / n_runs,
        "convergence_rate_low": low,
        "convergence_rate_high": high,
    }
    steps = [each(ends) for each in (steps_quantiles, mean_steps, best_restarts)]
    return pd.concat([pd.DataFrame(rates), *steps], axis=1)
