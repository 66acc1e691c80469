"""Estimates of statistics over groups of cells: the only place that chooses runs and estimates.

A group is one cell, or several that share the values of some parameters. Runs are those of rows, whose seeds are known,
or of counts. Value and interval are of the same runs with the same weights, those of
:class:`~sweep.statistics.runs.Runs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from sweep.analysis.cells import columns_of
from sweep.analysis.study_measures import most_correct
from sweep.errors import SweepError
from sweep.results.run_rows import RunRows, check_kept
from sweep.schemas.run_columns import runs_columns
from sweep.statistics.by_function import N_RESAMPLES, ByFunction
from sweep.statistics.estimates import Estimate
from sweep.statistics.intervals import Array
from sweep.statistics.of_cells import OF_CONVERGENCE, every
from sweep.statistics.outcomes import Measured
from sweep.statistics.runs import Runs
from sweep.statistics.statistic import Statistic

if TYPE_CHECKING:
    from sweep.results.evaluated_runs import EvaluatedRuns
    from sweep.study.axes.grid import Grid

# Statistics by what they are of: how runs end, whole rows of them, or a measure by its name.
ENDS, ROWS = "ends", "rows"
Statistics: TypeAlias = Mapping[str, Sequence[Statistic]]

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


def of_what(statistic: Statistic) -> str:
    """Return what a statistic is of: a measure, :data:`ROWS` or :data:`ENDS`."""
    return statistic.measure or (ROWS if statistic.computed == "from rows" else ENDS)


def estimate(
    result: EvaluatedRuns, statistics: Statistics, cells: pd.DataFrame, group: Array, grid: Grid | None = None
) -> pd.DataFrame:
    """Return statistics of all runs of each group of cells.

    Where cells of a group have different numbers of runs, as in partial results and with adaptive seeds, each cell
    counts equally; statistics of restarts, and intervals of all statistics but rates, are then missing. Intervals of
    several cells count each seed once, and seeds and replicates as two random effects; they are missing if rows are
    not kept or too many to be read. A group of one cell has the statistics of the cell.

    Parameters
    ----------
    statistics
        By what they are of.
    cells
        Numbered cells of the result, all or some.
    group
        Number of the group of each, (cells,).
    grid
        May have coarser values of options than that of the study, such as one value for a whole range.

    Returns
    -------
    DataFrame
        The columns of the statistics, by the number of the group. Statistics of a measure are missing over several
        cells if rows cannot be read and losses were not counted.
    """
    grid = grid or result.study.grid
    tables = [pd.DataFrame(index=np.unique(group))]
    for of, declared in statistics.items():
        if of == ENDS:
            tables.append(_of_ends(result, declared, cells, group, grid))
        elif of == ROWS:
            tables.append(columns_of(declared, _runs_of_rows(result, declared[0], cells["cell"].to_numpy(), group)))
        else:
            tables.append(_of_measure(result, of, declared, cells, group))
    return pd.concat(tables, axis=1)


def _of_ends(
    result: EvaluatedRuns, statistics: Sequence[Statistic], cells: pd.DataFrame, group: Array, grid: Grid
) -> pd.DataFrame:
    by_seed = (_is_shared(group) | (result.replicates > 1)) & pairs_seeds(result)
    alone, shared = cells["cell"].to_numpy()[~by_seed], cells["cell"].to_numpy()[by_seed]
    if list(statistics) == [OF_CONVERGENCE["convergence_rate"]]:
        pieces = [_counted_rates(cells[~by_seed], group[~by_seed])]
    else:
        pieces = [counted_runs(result, alone, group[~by_seed], grid=grid)]
    if by_seed.any():
        pieces.append(Runs.of_measured(result.outcomes.at(shared), group[by_seed], grid.most_steps(shared)))
    tables = [columns_of(statistics, runs) for runs in pieces]
    return pd.concat([each for each in tables if len(each)] or tables).sort_index()


def _is_shared(group: Array) -> Array:
    """Return whether another cell is of the same group, (cells,)."""
    _, place, n_cells = np.unique(group, return_inverse=True, return_counts=True)
    return np.asarray(n_cells[place] > 1)


def _counted_rates(cells: pd.DataFrame, group: Array) -> Runs:
    """Return the runs of cells by whether they converged, for which the table of cells suffices."""
    n, converged = cells["n_runs"].to_numpy(), cells["n_converged"].to_numpy()
    return Runs(
        np.tile(group, 2),
        np.tile(cells["cell"].to_numpy(), 2),
        np.concatenate([converged, n - converged]),
        converged=np.repeat([True, False], len(cells)),
    )


def counted_runs(
    result: EvaluatedRuns, numbers: Array, group: Array, measure: str = "", *, grid: Grid | None = None
) -> Runs:
    """Return the runs of cells by group, (cells,), from counts: of their ends, or of rounded final losses.

    ``grid`` is as for :func:`estimate`.
    """
    counts = result.counted_losses if measure else result.numbered_tally
    counts = counts[counts["cell"].isin(numbers)]
    cell = counts["cell"].to_numpy()
    of_rows = pd.Series(group, numbers).loc[cell].to_numpy()
    if measure:
        return Runs(of_rows, cell, counts["n"].to_numpy(), values=counts["final_loss"].to_numpy())
    return Runs.of_tally(counts, of_rows, (grid or result.study.grid).most_steps(cell))


def _of_measure(
    result: EvaluatedRuns, measure: str, statistics: Sequence[Statistic], cells: pd.DataFrame, group: Array
) -> pd.DataFrame:
    columns = [name for each in statistics for name in each.columns]
    own = statistics_by_cell(result, measure, cells)
    table = own.groupby(group)[columns].first().astype(np.float64)
    shared = _is_shared(group)
    if not shared.any():
        return table
    own, group = own[shared], group[shared]
    numbers = own["cell"].to_numpy()
    several = np.unique(group)
    table.loc[several] = np.nan
    if pairs_seeds(result):
        most = most_correct(result.study, measure)
        runs = Runs.of_measured(result.measures.of(measure).at(numbers), group, correct=most)
    elif measure == "final_loss" and result.has_parts and not result.keeps_runs:
        runs = counted_runs(result, numbers, group, measure)
    else:
        return table
    counted = own[columns[0]].notna().groupby(group).all()  # missing if some losses were not counted
    found = columns_of(statistics, runs)
    table.loc[several] = found.where(counted.reindex(found.index), np.nan).reindex(several)
    return table


def statistics_by_cell(result: EvaluatedRuns, measure: str, cells: pd.DataFrame) -> pd.DataFrame:
    """Return numbered cells with the columns of a measure: computed from rows, or as far as the table has them."""
    if not result.keeps_runs:
        return cells
    whole = result.measures.in_cells(measure, result.numbered_cells).set_index("cell", drop=False)
    return whole.loc[cells["cell"]].set_axis(cells.index)


def resampled_values(result: EvaluatedRuns, statistic: str) -> Measured:
    """Return the values of a statistic of rows for resamples of the seeds, (cells, resamples); NaN for unknown ones."""
    values = np.full((result.study.grid.n_cells, N_RESAMPLES), np.nan)
    values[result.numbered_cells["cell"].to_numpy()] = _by_cell(result, statistic).distribution
    return Measured(values, result.replicates)


def statistic_of_rows(result: EvaluatedRuns, statistic: str) -> pd.DataFrame:
    """Return the columns of a statistic of rows, by the number of the cell."""
    estimated: Estimate = _by_cell(result, statistic)
    columns = dict(zip(every()[statistic].columns, (estimated.value, *estimated.ends()), strict=True))
    return pd.DataFrame(columns, result.numbered_cells["cell"].to_numpy())


def _by_cell(result: EvaluatedRuns, statistic: str) -> ByFunction:
    """Return the estimate of a statistic of rows for each cell; it is kept, since resamples take long."""
    found = every()[statistic]
    if found not in result.by_function:
        numbers = result.numbered_cells["cell"].to_numpy()
        assert found.estimate
        estimated = found.estimate(_runs_of_rows(result, found, numbers, numbers))
        assert isinstance(estimated, ByFunction)
        result.by_function[found] = estimated
    return result.by_function[found]


def _runs_of_rows(result: EvaluatedRuns, statistic: Statistic, numbers: Array, group: Array) -> Runs:
    """Return all rows of the runs of some cells, for a function of rows; refuse too many."""
    study = result.stored.plan.study
    if result.measures.independent_of:
        raise SweepError(f"{statistic.name} is a function of rows of runs; use the result itself, not by_threshold")
    check_kept(result.stored)
    if not pairs_seeds(result):
        raise SweepError(f"{statistic.name} needs rows of runs, at most {MOST_PAIRED:,}, got {study.n_runs:,}")
    rows = RunRows(result.stored).frame([each.name for each in runs_columns(study) if not each.is_list])
    cells, replicate = result.places_of(rows["cell"].to_numpy())
    own = np.isin(cells, numbers)
    rows = rows[own].assign(cell=cells[own])
    return Runs.of_rows(rows, pd.Series(group, numbers).loc[rows["cell"]].to_numpy(), replicate[own])
