"""Statistics of a measure (final loss, error, correct outputs), pooled over several cells of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.statistics.intervals import Array
from sweep.statistics.measures import (
    QUARTERS,
    counts_outputs,
    measure_columns,
    measure_statistics,
    most_correct,
    quartile_columns,
)
from sweep.statistics.pooled import pooled_statistics
from sweep.study.cell_columns import recorded_quantities

if TYPE_CHECKING:
    from sweep.results.data import ResultData as Result


def pooled_by(result: Result, measure: str, cells: pd.DataFrame, group: Array, paired: bool) -> pd.DataFrame:
    """Return the statistics of a measure over groups of cells, by the number of their group.

    Parameters
    ----------
    result
        Complete or partial.
    measure
        A key of :data:`~sweep.statistics.measures.MEASURES`.
    cells
        Cells of the result, with their statistics of this measure.
    group : (cells,)
        The number of the group of each.
    paired
        Whether rows of runs are kept and can be read; see :func:`sweep.results.pooled_cells.pairs_seeds`.

    Returns
    -------
    DataFrame
        The columns of :func:`sweep.statistics.measures.measure_statistics`. A group of one cell has the statistics of
        the cell. Intervals over several cells count each seed once. They are missing if rows are not kept or too many
        to read, and if cells have different numbers of runs; such cells have equal weights. All statistics are missing
        if rows cannot be read and losses were not counted.
    """
    columns = measure_columns(measure)
    table = cells.groupby(group)[columns].first().astype(np.float64)
    n_cells = pd.Series(group).value_counts().reindex(table.index)
    several = table.index[n_cells > 1]
    if not len(several):
        return table
    shared = np.isin(group, several)
    table.loc[several] = _of_several(result, measure, cells[shared], group[shared], paired).reindex(several)[columns]
    return table


def recorded_by(result: Result, cells: pd.DataFrame, group: Array, paired: bool) -> pd.DataFrame:
    """Return the quartiles of recorded measures of networks over groups of cells, by the number of their group.

    Parameters
    ----------
    result, cells, group, paired
        As for :func:`pooled_by`; cells need no statistics of a measure.

    Returns
    -------
    DataFrame
        Columns :func:`~sweep.statistics.measures.quartile_columns` of each; missing where the result has no rows.
    """
    tables = [pd.DataFrame(index=np.unique(group))]
    for measure in recorded_quantities(result.study):
        names = quartile_columns(measure)
        if result.keeps_runs:
            measured = result.measured_cells(measure).set_index("cell").loc[cells["cell"]].reset_index()
            tables.append(pooled_by(result, measure, measured, group, paired)[names])
        else:
            one = cells.groupby(group).size() == 1
            tables.append(cells.groupby(group)[names].first().where(one, np.nan))
    return pd.concat(tables, axis=1)


def _of_several(result: Result, measure: str, cells: pd.DataFrame, group: Array, paired: bool) -> pd.DataFrame:
    """Return the statistics of groups of several cells each."""
    numbers = cells["cell"].to_numpy()
    if paired:
        measured = result.measured(measure).at(numbers)
        if result.even:
            return pooled_statistics(measure, measured, group, most_correct(result.study, measure))
        place, _ = np.nonzero(measured.present)
        values, n = measured.values[measured.present], np.ones(len(place), np.int64)
    elif measure == "final_loss" and result.has_parts and not result.keeps_runs:
        counts = result.counted_losses
        counts = counts[counts["cell"].isin(numbers)]
        order = np.argsort(numbers)
        place = order[np.searchsorted(numbers, counts["cell"].to_numpy(), sorter=order)]
        values, n = counts["final_loss"].to_numpy(), counts["n"].to_numpy()
    else:
        return pd.DataFrame(np.nan, np.unique(group), measure_columns(measure))
    ends = [name for name in measure_columns(measure) if name.endswith(("_low", "_high"))]
    if result.even:
        table = measure_statistics(measure, group[place], values, n, most_correct(result.study, measure))
    else:
        table = _with_equal_weights(measure, cells, group, (place, values, n))
    known = cells[measure_columns(measure)[0]].notna().groupby(group).all()  # missing if some losses were not counted
    return table.assign(**dict.fromkeys(ends, np.nan)).where(known.reindex(table.index), np.nan)


def _with_equal_weights(
    measure: str, cells: pd.DataFrame, group: Array, runs: tuple[Array, Array, Array]
) -> pd.DataFrame:
    """Return the statistics of groups in which cells have equal weights.

    Parameters
    ----------
    measure, cells, group
        As for :func:`pooled_by`.
    runs : tuple of (values,) arrays
        Index of the cell, value, and number of runs of the cell with this value.
    """
    if counts_outputs(measure):
        return cells[[f"{measure}_mean"]].groupby(group).mean()
    place, values, n = runs
    weights = n / cells["n_runs"].to_numpy()[place]
    table = cells[["finite_rate"]].groupby(group).mean()
    of_run = group[place]
    order = np.lexsort((values, of_run))
    values, weights, of_run = values[order], weights[order], of_run[order]
    for number in table.index:
        first, last = np.searchsorted(of_run, (number, number + 1))
        reached = np.cumsum(weights[first:last])
        for quarter, (part, whole) in QUARTERS.items():
            at = np.searchsorted(reached, part / whole * reached[-1] - 1e-9)
            table.loc[number, f"{measure}_{quarter}"] = values[first:last][at]
    return table
