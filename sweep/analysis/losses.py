"""Final losses of cells without a criterion: exact from rows, or from counts of rounded losses.

Losses rounded to :data:`BITS` significant bits take few different values, so parts can count them, and counts add up
exactly in any order. Rounded losses and their quantiles differ by at most 2^-9 of their values (0.2 %). Numbers below
2^-1022 and infinite ones are not rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from sweep.analysis.cells import columns_of_measure, measured_statistics, quartile_columns
from sweep.analysis.study_measures import as_measured
from sweep.analysis.tally import tally_runs, tally_to_table, to_arrow
from sweep.columns import STATUSES, arrow_schema
from sweep.schemas.cell_columns import counts_columns, has_loss_statistics, recorded_quantities
from sweep.statistics.intervals import Array
from sweep.statistics.runs import NOT_COUNTED, Correct
from sweep.study.axes.grid import Grid
from sweep.study.model import Study

LOSS_COLUMNS = columns_of_measure("final_loss")

# Significant bits of a counted loss, and of a float64.
BITS = 9
_ALL_BITS = 53

# Most runs of one cell whose exact values are held.
_MOST_EXACT = 2**26


def rounded(losses: Array) -> Array:
    """Return losses rounded half up to :data:`BITS` significant bits, the same on every machine."""
    cut = _ALL_BITS - BITS
    bits = np.ascontiguousarray(losses, np.float64).view(np.int64)
    largest = np.array([np.finfo(np.float64).max]).view(np.int64) >> cut << cut
    short = np.minimum((bits + (1 << (cut - 1))) >> cut << cut, largest)
    plain = np.isfinite(losses) & (losses >= np.finfo(np.float64).tiny)
    return np.where(plain, short.view(np.float64), losses)


def counts_table(study: Study, cell: Array, status: Array, steps: Array, losses: Array) -> pa.Table:
    """Return the counts of runs, a tally, as the table that is stored where rows are not kept; status as codes.

    If some cell has criterion 'none', runs are also counted by ``final_loss``: rounded in such cells, 0 in others.
    """
    columns = counts_columns(study)
    if not any(column.name == "final_loss" for column in columns):
        return tally_to_table(tally_runs(cell, status, steps))
    cells, place = np.unique(cell, return_inverse=True)
    losses = np.where(
        (study.grid.column("criterion", cells) == "none")[place], rounded(as_measured(losses, "final_loss")), 0.0
    )
    kinds, place = np.unique(losses, return_inverse=True)
    ends = np.lexsort((place, steps, status, cell))
    keys = [each[ends] for each in (cell, status, steps, place)]
    first = np.flatnonzero(np.concatenate([[len(ends) > 0], np.any([np.diff(each) != 0 for each in keys], axis=0)]))
    frame = pd.DataFrame(
        {
            "cell": keys[0][first],
            "status": pd.Categorical.from_codes(keys[1][first], dtype=pd.CategoricalDtype(list(STATUSES))),
            "steps": keys[2][first],
            "n": np.diff(np.append(first, len(ends))),
            "final_loss": kinds[keys[3][first]],
        }
    )
    return to_arrow(frame, arrow_schema(columns))


class CellLosses:
    """Statistics of a measure by cell, from rows in run order.

    The values of one cell at a time are held in memory. Beyond 67 million runs they are rounded.
    """

    def __init__(self, measure: str = "final_loss", correct: Correct = NOT_COUNTED) -> None:
        self._measure = measure
        self._correct = correct
        self._done: list[pd.DataFrame] = []
        self._open: list[tuple[Array, Array, Array]] = []  # cells, values and their counts, of the last cell
        self._n_open = 0

    def take_in(self, table: pa.Table) -> None:
        """Add the next rows."""
        cell = table["cell"].to_numpy()
        values = as_measured(table[self._measure].to_numpy(), self._measure)
        if not len(cell):
            return
        if self._open and cell[0] != self._open[0][0][0]:
            self._close()
        last = int(np.searchsorted(cell, cell[-1]))
        if last:
            self._keep(cell[:last], values[:last])
            self._close()
        self._keep(cell[last:], values[last:])

    def statistics(self) -> pd.DataFrame:
        """Return the statistics of all cells so far, by cell."""
        if self._open:
            self._close()
        return (
            pd.concat(self._done)
            if self._done
            else pd.DataFrame(columns=columns_of_measure(self._measure), dtype=np.float64)
        )

    def _keep(self, cell: Array, values: Array) -> None:
        """Hold values of cells that may have further rows."""
        self._open.append((cell, values, np.ones(len(cell), np.int64)))
        self._n_open += len(cell)
        if self._n_open > _MOST_EXACT:
            cell, values, n = (np.concatenate(each) for each in zip(*self._open, strict=True))
            kinds, place = np.unique(rounded(values), return_inverse=True)
            counts = np.bincount(place, n).astype(np.int64)
            self._open = [(np.full(len(kinds), cell[0]), kinds, counts)]
            self._n_open = len(kinds)

    def _close(self) -> None:
        """Compute the statistics of the cells that are held."""
        cell, values, n = (np.concatenate(each) for each in zip(*self._open, strict=True))
        self._done.append(measured_statistics(self._measure, cell, values, n, self._correct))
        self._open = []
        self._n_open = 0


def tap(tables: Iterable[pa.Table], measured: Sequence[CellLosses]) -> Iterable[pa.Table]:
    """Yield tables of rows in run order after adding each to the statistics of measures."""
    for table in tables:
        for each in measured:
            each.take_in(table)
        yield table


def columns_in_cells(study: Study) -> dict[str, list[str]]:
    """Return the columns of measures in the table of cells, by measure.

    They are all statistics of final losses if some cell has no criterion, and quartiles of recorded measures.
    """
    of_losses = {"final_loss": LOSS_COLUMNS} if has_loss_statistics(study) else {}
    return of_losses | {measure: quartile_columns(measure) for measure in recorded_quantities(study)}


def with_measures(
    cells: pd.DataFrame, columns: Mapping[str, list[str]], statistics: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return cells with these columns of measures; missing where their statistics by cell are not known."""
    for measure, names in columns.items():
        found = statistics.get(measure)
        if found is None:
            cells = cells.assign(**dict.fromkeys(names, np.nan))
        else:
            cells = cells.assign(**found[names].reindex(cells["cell"].to_numpy()).set_axis(cells.index))
    return cells


def losses_by_cell(counts: pd.DataFrame, cells: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Return the statistics of final losses of cells without a criterion, indexed by cell.

    ``counts`` are runs by cell and rounded ``final_loss``.
    """
    numbers = cells["cell"].to_numpy()
    counted = counts[counts["cell"].isin(numbers[grid.column("criterion", numbers) == "none"])]
    if counted.empty:
        return pd.DataFrame(columns=LOSS_COLUMNS, dtype=np.float64)
    cell, losses, n = (counted[name].to_numpy() for name in ("cell", "final_loss", "n"))
    return measured_statistics("final_loss", cell, losses, n)
