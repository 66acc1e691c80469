"""Cells of a result pooled over parameters: counts, rates and statistics of the runs of several cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.analysis.cells import (
    columns_of,
    columns_of_measure,
    group_of,
    of_criterion,
    quartile_columns,
    statistics_of,
    values_of_groups,
)
from sweep.analysis.study_measures import most_correct
from sweep.analysis.tally import with_equal_cells
from sweep.results.answers import check_swept, ranking_statistic
from sweep.results.race import rank_with_race
from sweep.schemas.cell_columns import has_loss_statistics, recorded_quantities
from sweep.statistics.intervals import Array
from sweep.statistics.of_cells import COUNTS, OF_CONVERGENCE, of_measure
from sweep.statistics.runs import Runs

if TYPE_CHECKING:
    from sweep.results.evaluated_runs import EvaluatedRuns
    from sweep.study.axes.grid import Grid

# Summaries read the rows of studies of up to so many runs. The memory they need grows with the runs.
MOST_PAIRED = 2 * 10**7


def pairs_seeds(result: EvaluatedRuns) -> bool:
    """Return whether rows of runs are kept and few enough (20 million) to be read for a summary."""
    return result.keeps_runs and result.study.n_runs <= MOST_PAIRED


def why_unpaired(result: EvaluatedRuns) -> str:
    """Return why runs are not paired by seed, if :func:`pairs_seeds` is false."""
    if not result.keeps_runs:
        return "this result has no rows of runs (--keep runs keeps them)"
    return f"more than {MOST_PAIRED:,} runs are not paired by seed"


def pooled_tally(result: EvaluatedRuns) -> pd.DataFrame:
    """Return the tally for pooling cells. If cells have different numbers of runs, weights make them count equally."""
    return result.numbered_tally if result.even else with_equal_cells(result.numbered_tally)


def sum_over(result: EvaluatedRuns, by: Sequence[str]) -> pd.DataFrame:
    """Return counts and rates of cells that share the values of some swept parameters.

    An empty ``by`` pools all cells. A row for each combination of the values of ``by``, in the order of the cells, has
    these values, n_cells, the sums of the counts, convergence_rate with its 95 % interval if there is a criterion,
    best_cell, the number of the best cell among them, and best_rate. If cells have statistics of final losses, their
    columns follow, and then quartiles of recorded measures of networks. If cells are ranked by another statistic than
    the rate, best_value replaces best_rate. SweepError is raised if a name is no swept parameter or occurs twice.
    """
    check_swept(result.study, by)
    cells = result.numbered_cells
    grid, statistic = result.study.grid, ranking_statistic(result)
    numbers = cells["cell"].to_numpy()
    group = group_of(grid, by, numbers)
    ranked = rank_with_race(result, cells, statistic)
    best = ranked.groupby(group_of(grid, by, ranked["cell"].to_numpy()))[["cell", statistic]].first()
    counts = [name for name in COUNTS if name in cells]
    groups = cells.groupby(group)
    sums = groups[counts].sum().assign(n_cells=groups.size())[["n_cells", *counts]]
    rates = of_criterion(_rates_over(result, cells, group), result.study)
    table = values_of_groups(grid, by, numbers).join(sums).join(rates).assign(best_cell=best["cell"])
    table["best_rate" if statistic == "convergence_rate" else "best_value"] = best[statistic]
    if has_loss_statistics(result.study):
        table = table.join(measure_over(result, "final_loss", cells, group))
    return table.join(recorded_over(result, cells, group))


def _rates_over(result: EvaluatedRuns, cells: pd.DataFrame, group: Array) -> pd.DataFrame:
    """Return convergence rates over groups of cells with their intervals, for which counts of cells suffice."""
    rate = OF_CONVERGENCE["convergence_rate"]
    n, converged = cells["n_runs"].to_numpy(), cells["n_converged"].to_numpy()
    of_counts = Runs(
        np.tile(group, 2),
        np.tile(cells["cell"].to_numpy(), 2),
        np.concatenate([converged, n - converged]),
        converged=np.repeat([True, False], len(cells)),
    )
    table = columns_of([rate], of_counts)
    several = np.isin(group, of_counts.numbers[of_counts.n_cells > 1]) | (result.replicates > 1)
    if several.any() and pairs_seeds(result):
        shared = cells["cell"].to_numpy()[several]
        table.update(columns_of([rate], Runs.of_measured(result.outcomes.at(shared), group[several])))
    return table


def summarize_over(
    result: EvaluatedRuns, by: Sequence[str], cells: pd.DataFrame, measure: str | None = None, grid: Grid | None = None
) -> pd.DataFrame:
    """Return the statistics of all runs of cells that share the values of some parameters.

    Cells have the statistics of the measure, by default the final loss if they have any. The grid may have coarser
    values of options than that of the study, such as one value for a whole range.

    Returns
    -------
    DataFrame
        The values of ``by``, and the columns of :func:`convergence_over` and :func:`measure_over`.
    """
    measure = measure or ("final_loss" if has_loss_statistics(result.study) else None)
    grid = grid or result.study.grid
    numbers = cells["cell"].to_numpy()
    group = group_of(grid, by, numbers)
    table = values_of_groups(grid, by, numbers).join(convergence_over(result, cells, group, grid))
    if measure is not None:
        table = table.join(measure_over(result, measure, cells, group))
    return table.reset_index(drop=True)


def convergence_over(
    result: EvaluatedRuns, cells: pd.DataFrame, group: Array, grid: Grid | None = None
) -> pd.DataFrame:
    """Return the statistics of convergence over groups of cells, by the number of the group.

    ``cells`` are those of the result, or some of them, and ``group`` is the number of the group of each, (cells,).
    ``grid`` is as for :func:`summarize_over`.

    Without a criterion there are only counts of runs. Intervals over several cells count each seed once; they are
    missing if rows are not kept or too many to be read. Where cells have different numbers of runs, each cell counts
    equally; statistics of restarts, and intervals of all statistics but rates, are then missing.
    """
    grid, numbers = grid or result.study.grid, cells["cell"].to_numpy()
    n_cells = pd.Series(group).value_counts()
    several = np.isin(group, n_cells.index[n_cells > 1]) | (result.replicates > 1)
    by_seed = several if pairs_seeds(result) else np.zeros_like(several)
    tables = [statistics_of(counted_runs(result, numbers[~by_seed], group[~by_seed], grid=grid), grid)]
    if by_seed.any():
        shared, groups = numbers[by_seed], group[by_seed]
        runs = Runs.of_measured(result.outcomes.at(shared), groups, grid.most_steps(shared))
        tables.append(statistics_of(counted_runs(result, shared, groups, grid=grid), grid, runs))
    table = pd.concat([each for each in tables if len(each)] or tables).sort_index()
    table.insert(0, "n_cells", n_cells.reindex(table.index))
    return of_criterion(table, result.study)


def counted_runs(
    result: EvaluatedRuns, numbers: Array, group: Array, measure: str = "", *, grid: Grid | None = None
) -> Runs:
    """Return the runs of cells by group, (cells,), from counts: of their ends, or of rounded final losses.

    ``grid`` is as for :func:`summarize_over`.
    """
    counts = result.counted_losses if measure else result.numbered_tally
    counts = counts[counts["cell"].isin(numbers)]
    cell = counts["cell"].to_numpy()
    of_rows = pd.Series(group, numbers).loc[cell].to_numpy()
    if measure:
        return Runs(of_rows, cell, counts["n"].to_numpy(), values=counts["final_loss"].to_numpy())
    return Runs.of_tally(counts, of_rows, (grid or result.study.grid).most_steps(cell))


def measure_over(result: EvaluatedRuns, measure: str, cells: pd.DataFrame, group: Array) -> pd.DataFrame:
    """Return the statistics of a measure over groups of cells, by the number of their group.

    ``cells`` have their statistics of this measure, and ``group`` is the number of the group of each, (cells,). The
    columns are those of :func:`~sweep.analysis.cells.columns_of_measure`. A group of one cell has the statistics of the
    cell. Intervals of several cells count each seed once; they are missing if rows are not kept or too many to be read,
    and where cells have different numbers of runs, of which each then counts equally. All statistics are missing if
    rows cannot be read and losses were not counted.
    """
    columns = columns_of_measure(measure)
    table = cells.groupby(group)[columns].first().astype(np.float64)
    n_cells = pd.Series(group).value_counts().reindex(table.index)
    several = table.index[n_cells > 1]
    if not len(several):
        return table
    shared = np.isin(group, several)
    own, group = cells[shared], group[shared]
    numbers, most = own["cell"].to_numpy(), most_correct(result.study, measure)
    table.loc[several] = np.nan
    if pairs_seeds(result):
        runs = Runs.of_measured(result.measures.of(measure).at(numbers), group, correct=most)
    elif measure == "final_loss" and result.has_parts and not result.keeps_runs:
        runs = counted_runs(result, numbers, group, measure)
    else:
        return table
    counted = own[columns[0]].notna().groupby(group).all()  # missing if some losses were not counted
    found = columns_of(of_measure(measure), runs)
    table.loc[several] = found.where(counted.reindex(found.index), np.nan).reindex(several)
    return table


def recorded_over(result: EvaluatedRuns, cells: pd.DataFrame, group: Array) -> pd.DataFrame:
    """Return the statistics of recorded measures, and of those of held-out patterns, over groups of cells.

    Columns are :func:`~sweep.analysis.cells.quartile_columns` of each, by the number of the group; missing where the
    result has no rows. Arguments are as for :func:`measure_over`, but cells need no statistics of a measure.
    """
    tables = [pd.DataFrame(index=np.unique(group))]
    for measure in dict.fromkeys([*(result.held_out or ()), *recorded_quantities(result.study)]):
        names = quartile_columns(measure)
        if result.keeps_runs:
            own = result.measures.in_cells(measure, result.numbered_cells).set_index("cell")
            own = own.loc[cells["cell"]].reset_index()
            tables.append(measure_over(result, measure, own, group)[names])
        else:
            one = cells.groupby(group).size() == 1
            tables.append(cells.groupby(group)[names].first().where(one, np.nan))
    return pd.concat(tables, axis=1)
