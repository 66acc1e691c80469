"""Counts of runs by their end, from which all statistics of cells are computed.

A *tally* is a DataFrame of counts: ``n`` runs of ``cell`` ended with ``status`` after ``steps`` steps. It has a sorted
row for each end that occurs. Tallies of parts add up exactly in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sweep.analysis.table_values import status_codes, updates_of
from sweep.columns import STATUSES, arrow_schema
from sweep.schemas.cell_columns import tally_columns

# Most rows of tallies to hold before they are summed. The overhead of a frame counts as so many rows.
_LOOSE_ROWS = 2**20
_FRAME_ROWS = 300

# Up to so many possible ends per run, all possible ends are counted in an array.
_DENSE = 4

# Larger cell numbers do not fit into 63 bits with a status and steps.
_WIDE_CELL = 2**30

_STATUS = pd.CategoricalDtype(list(STATUSES))

Array = NDArray[Any]


def tally_runs(cell: Array, status: Array, steps: Array) -> pd.DataFrame:
    """Return the tally of runs.

    Status is in codes, numbered as in :data:`~sweep.columns.STATUSES`, and steps are below 2^31. The
    threads that train call this for each part. Ends are integers, since groupby takes ten times as long and at least
    two milliseconds.
    """
    if cell.max(initial=0) >= _WIDE_CELL:
        cells, places = np.unique(cell, return_inverse=True)
        tally = tally_runs(places, status, steps)
        return tally.assign(cell=cells[tally["cell"]])
    first = int(cell.min(initial=_WIDE_CELL))
    width = int(steps.max(initial=0)) + 1
    ends = ((cell - first) * len(STATUSES) + status) * width + steps
    if ends.max(initial=0) < _DENSE * len(ends):  # counting each number is faster than sorting
        every = np.bincount(ends)
        ends = np.flatnonzero(every)
        n = every[ends]
    else:
        ends, n = np.unique(ends, return_counts=True)
    cells, codes = np.divmod(ends // width, len(STATUSES))
    return _tally(cells + first, codes.astype(np.int8), (ends % width).astype(np.int32), n)


def tally_rows(runs: pa.Table) -> pd.DataFrame:
    """Count the runs of a runs table by cell, status and steps."""
    return tally_runs(runs["cell"].to_numpy(), status_codes(runs["status"]), updates_of(runs))


def tally_from_table(table: pa.Table) -> pd.DataFrame:
    """Return a stored tally; counts by loss are summed."""
    counts = counts_from_table(table)
    return merge([counts]) if "final_loss" in counts else counts


def counts_from_table(table: pa.Table) -> pd.DataFrame:
    """Return the stored counts of a part: a tally, also by ``final_loss`` if the part has that column."""
    cell, steps, n = (table[name].to_numpy() for name in ("cell", "steps", "n"))
    tally = _tally(cell, status_codes(table["status"]), steps, n)
    return tally.assign(final_loss=table["final_loss"].to_numpy()) if "final_loss" in table.column_names else tally


def _tally(cell: Array, status: Array, steps: Array, n: Array) -> pd.DataFrame:
    """Return a tally of these columns, with status as codes."""
    names = pd.Categorical.from_codes(status, dtype=_STATUS)
    return pd.DataFrame({"cell": cell, "status": names, "steps": steps, "n": n})


def no_runs() -> pd.DataFrame:
    """Return the tally of no runs."""
    numbers = np.empty(0, np.int64)
    return _tally(numbers, numbers.astype(np.int8), numbers.astype(np.int32), numbers)


def no_losses() -> pd.DataFrame:
    """Return the counts of no runs by cell and final loss."""
    return pd.DataFrame({"cell": np.empty(0, np.int64), "final_loss": np.empty(0), "n": np.empty(0, np.int64)})


def merge(tallies: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Sum tallies."""
    total = CountSum(no_runs())
    for tally in tallies:
        total.add(tally)
    return total.total()


class CountSum:
    """The running sum of counts.

    Its memory grows with the number of different keys, such as ends of runs, and not with the number of runs. ``empty``
    are counts of no runs: the keys by which ``n`` is summed, and ``n``.
    """

    def __init__(self, empty: pd.DataFrame) -> None:
        self._keys = [name for name in empty if name != "n"]
        self._counts = [empty]  # the sum so far, and counts since then
        self._n_loose = 0

    def add(self, counts: pd.DataFrame) -> None:
        """Add counts."""
        self._counts.append(counts)
        self._n_loose += len(counts) + _FRAME_ROWS
        if self._n_loose > max(_LOOSE_ROWS, len(self._counts[0])):
            self.total()

    def total(self) -> pd.DataFrame:
        """Return the counts so far, in the order of their keys."""
        if len(self._counts) > 1:
            ends = pd.concat(self._counts, ignore_index=True)
            self._counts = [ends.groupby(self._keys, observed=True, as_index=False)[["n"]].sum()]
            self._n_loose = 0
        return self._counts[0]


def with_equal_cells(tally: pd.DataFrame) -> pd.DataFrame:
    """Return a tally with a column ``weight`` by which all cells have the same total weight."""
    return tally.assign(weight=tally["n"] / tally.groupby("cell")["n"].transform("sum"))


def tally_to_table(tally: pd.DataFrame) -> pa.Table:
    """Return a tally as the table that is stored."""
    return to_arrow(tally, arrow_schema(tally_columns()))


def to_arrow(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return a frame as an Arrow table of this schema, without the metadata of pandas."""
    return pa.Table.from_pandas(frame, schema, preserve_index=False).replace_schema_metadata()
