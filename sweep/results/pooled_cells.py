"""Cells of a result pooled over parameters: counts, rates and statistics of the runs of several cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.results.answers import COUNTS, check_swept, default_statistic
from sweep.results.pooled_measures import pooled_by, recorded_by
from sweep.statistics.cells import INTERVALS, group_of, summarize_by, values_of_groups
from sweep.statistics.clustered import rate_intervals, step_intervals
from sweep.statistics.intervals import Array, wilson_interval
from sweep.statistics.ranking import rank_cells
from sweep.statistics.steps import ends_by_group, steps_of_equal_cells
from sweep.study.cell_columns import tells_losses

if TYPE_CHECKING:
    from sweep.results.data import ResultData as Result
    from sweep.study.grid import Grid

# Summaries read the rows of studies of up to so many runs. The memory they need grows with the runs.
MOST_PAIRED = 2 * 10**7


def sum_over(result: Result, by: Sequence[str]) -> pd.DataFrame:
    """Return counts and rates of cells that share the values of some parameters.

    Parameters
    ----------
    result
        Complete or partial.
    by
        Swept parameters; counts are summed over the others. An empty sequence pools all cells.

    Returns
    -------
    DataFrame
        One row for each combination of the values of ``by``, in the order of the cells: these values, n_cells,
        the sums of the counts, convergence_rate, the mean over the cells, with its 95 % interval (see
        :func:`rate_intervals_by`), best_cell, the number of the best cell among them, and best_rate (without a
        criterion best_final_loss_q50). If cells have statistics of final losses, the columns of
        :func:`sweep.results.pooled_measures.pooled_by` follow, and then quartiles of recorded measures of networks.

    Raises
    ------
    SweepError
        If a name is no swept parameter or occurs twice.
    """
    check_swept(result.study, by)
    cells = result.cells
    grid, numbers = result.study.grid, cells["cell"].to_numpy()
    group = group_of(grid, by, numbers)
    groups, statistic = cells.groupby(group), default_statistic(result.study)
    counts = [name for name in COUNTS if name in cells]
    sums = groups[counts].sum()
    ranked = rank_cells(cells, statistic)
    best = ranked.groupby(group_of(grid, by, ranked["cell"].to_numpy()))[["cell", statistic]].first()
    rates = sums["n_converged"] / sums["n_runs"] if result.even else mean_rates(cells, group)
    table = values_of_groups(grid, by, numbers).join(sums.assign(n_cells=groups.size()), how="inner")[
        [*by, "n_cells", *counts]
    ]
    table = table.assign(convergence_rate=rates, **rate_intervals_by(result, cells, group), best_cell=best["cell"])
    table[f"best_{'rate' if statistic == 'convergence_rate' else statistic}"] = best[statistic]
    if tells_losses(result.study):
        table = table.join(pooled_by(result, "final_loss", cells, group, pairs_seeds(result)))
    return table.join(recorded_by(result, cells, group, pairs_seeds(result)))


def summarize_over(
    result: Result, by: Sequence[str], cells: pd.DataFrame, measure: str | None = None, grid: Grid | None = None
) -> pd.DataFrame:
    """Return the statistics of all runs of cells that share the values of some parameters.

    Parameters
    ----------
    result
        Complete or partial.
    by
        Swept parameters, one or more.
    cells
        Cells of the result, or some of them, with the statistics of ``measure``.
    measure
        A measure whose statistics are added; by default the final loss, if cells have its statistics.
    grid
        The grid of the study, or one with coarser values of options, such as one value for a whole range.

    Returns
    -------
    DataFrame
        The columns of :func:`sweep.statistics.cells.summarize_by`, then those of
        :func:`sweep.results.pooled_measures.pooled_by`. Intervals over several cells count each seed once; they are
        missing if rows are not kept or too many. Cells with different numbers of runs have equal weights; statistics of
        restarts, and all intervals but those of rates, are then missing.
    """
    measure = measure or ("final_loss" if tells_losses(result.study) else None)
    grid = grid or result.study.grid
    table = _convergence_over(result, by, cells, grid)
    if measure is None:
        return table.reset_index(drop=True)
    group = group_of(grid, by, cells["cell"].to_numpy())
    return table.join(pooled_by(result, measure, cells, group, pairs_seeds(result))).reset_index(drop=True)


def _convergence_over(result: Result, by: Sequence[str], cells: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Return the statistics of convergence over groups of cells, by the number of the group."""
    tally = result.tally[result.tally["cell"].isin(cells["cell"])]
    table = summarize_by(tally, grid, by)
    several = table.index[table["n_cells"] > 1]
    shared = cells["cell"].to_numpy()[np.isin(group_of(grid, by, cells["cell"].to_numpy()), several)]
    if not len(shared):
        return table
    if not result.even:
        counted = tally["cell"].to_numpy()
        equal = steps_of_equal_cells(ends_by_group(tally, group_of(grid, by, counted), grid.most_steps(counted)))
        equal["convergence_rate"] = mean_rates(cells, group_of(grid, by, cells["cell"].to_numpy()))
        for name, column in equal.items():
            table.loc[several, str(name)] = column[several]
        table.loc[several, ["restart_steps", "restarted_steps"]] = None
    table.loc[several, INTERVALS] = None
    if not pairs_seeds(result):
        return table
    outcomes, group = result.outcomes.at(shared), group_of(grid, by, shared)
    table.loc[several, INTERVALS[:2]] = np.column_stack(rate_intervals(outcomes, group))
    if not result.even:
        return table
    tally = tally[tally["cell"].isin(shared)]
    counted = tally["cell"].to_numpy()
    ends = ends_by_group(tally, group_of(grid, by, counted), grid.most_steps(counted))
    of_steps = step_intervals(outcomes, group, grid.most_steps(shared), ends)
    for name, column in of_steps.items():
        table.loc[several, name] = column
    return table


def pairs_seeds(result: Result) -> bool:
    """Return whether rows of runs are kept and few enough (20 million) to be read for a summary."""
    return result.keeps_runs and result.study.n_runs <= MOST_PAIRED


def mean_rates(cells: pd.DataFrame, group: Array) -> pd.Series[float]:
    """Return the mean convergence rate of the cells of each group, by the number of the group."""
    return (cells["n_converged"] / cells["n_runs"]).groupby(group).mean()


def rate_intervals_by(result: Result, cells: pd.DataFrame, group: Array) -> pd.DataFrame:
    """Return 95 % intervals of convergence rates over groups of cells.

    Parameters
    ----------
    result
        Complete or partial.
    cells
        Cells of the result, or some of them.
    group : (cells,)
        The number of the group of each.

    Returns
    -------
    DataFrame
        Columns ``convergence_rate_low`` and ``convergence_rate_high``, by the number of the group. Intervals of several
        cells count each seed once. They are missing if rows of runs are not kept or too many to be read.
    """
    groups = cells.groupby(group)
    sums, n_cells = groups[["n_converged", "n_runs"]].sum(), groups.size().to_numpy()
    if pairs_seeds(result) and n_cells.max(initial=1) > 1:
        low, high = rate_intervals(result.outcomes.at(cells["cell"].to_numpy()), group)
    else:
        ends = wilson_interval(sums["n_converged"].to_numpy(), sums["n_runs"].to_numpy())
        low, high = (np.where(n_cells == 1, end, np.nan) for end in ends)
    return pd.DataFrame({"convergence_rate_low": low, "convergence_rate_high": high}, sums.index)
