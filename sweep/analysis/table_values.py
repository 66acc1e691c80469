"""Columns of Arrow tables as arrays, and status codes as columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sweep.columns import STATUSES, Column

_STATUS_NAMES = pa.array(STATUSES)


def status_codes(column: pa.ChunkedArray | pa.Array) -> NDArray[np.int8]:
    """Return the codes of a status column, numbered as in :data:`STATUSES`."""
    parts = []
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        known = np.array([STATUSES.index(name) for name in chunk.dictionary.to_pylist()], np.int8)
        parts.append(known[chunk.indices.to_numpy(zero_copy_only=False)])
    return np.concatenate(parts) if parts else np.empty(0, np.int8)


def updates_of(runs: pa.Table) -> NDArray[np.int32]:
    """Return the updates of each run of a runs table, (rows,), over all attempts if runs restart."""
    steps: NDArray[np.int32] = runs["total_steps" if "total_steps" in runs.column_names else "steps"].to_numpy()
    return steps


def status_array(codes: NDArray[Any]) -> pa.DictionaryArray:
    """Return status codes as an Arrow dictionary with the names of statuses."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8, copy=False)), _STATUS_NAMES)


def numbers_of_lists(column: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """Return the numbers of all lists of a column, one list after another."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [chunk.flatten().to_numpy() for chunk in chunks]
    return np.concatenate(parts) if parts else np.empty(0, column.type.value_type.to_pandas_dtype())


def lists_array(pieces: list[NDArray[Any]]) -> pa.ListArray:
    """Return matrices as a column of lists, one for each row."""
    lengths = np.concatenate([[0], *(np.full(len(piece), piece.shape[1]) for piece in pieces)])
    numbers = np.concatenate([piece.ravel() for piece in pieces])
    return pa.ListArray.from_arrays(pa.array(np.cumsum(lengths), pa.int32()), pa.array(numbers))


def column_values(table: pa.Table, column: Column) -> NDArray[Any]:
    """Return a column as the digest reads it: status as codes, lists one after another."""
    if column.type == "status":
        return status_codes(table.column(column.name))
    if column.is_list:
        return numbers_of_lists(table.column(column.name))
    values: NDArray[Any] = table.column(column.name).to_numpy()
    return values
