"""One number for a result, whatever the shards, order and compression of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sweep.schema import STATUSES, Column

Tables = Callable[[list[str]], Iterable[pa.Table]]


def digest_runs(tables: Tables, columns: list[Column], n_runs: int) -> str:
    """Return the digest of a runs table.

    For each column in schema order the SHA-256 of its little-endian values in run
    order (status as int8 codes, booleans as bytes 0 and 1, text as UTF-8 with a
    zero byte after each value); then the SHA-256 over ``name type hash`` lines.

    Parameters
    ----------
    tables
        Gives the parts of the table with the columns asked for, in any order.
    columns
        All columns of the table.
    n_runs
        Rows over all parts.
    """
    total = hashlib.sha256()
    for column in columns:
        digest = hashlib.sha256()
        for values in _in_run_order(tables, column, n_runs):
            digest.update(_little_endian(values))
        total.update(f"{column.name} {column.type} {digest.hexdigest()}\n".encode())
    return total.hexdigest()


def status_codes(column: pa.ChunkedArray | pa.Array) -> NDArray[np.int8]:
    """Return the codes of a status column, numbered as in :data:`STATUSES`."""
    parts = []
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        known = np.array([STATUSES.index(name) for name in chunk.dictionary.to_pylist()], np.int8)
        parts.append(known[chunk.indices.to_numpy(zero_copy_only=False)])
    return np.concatenate(parts) if parts else np.empty(0, np.int8)


def status_array(codes: NDArray[Any]) -> pa.DictionaryArray:
    """Return status codes as Arrow writes them, with their names."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(STATUSES))


def _in_run_order(tables: Tables, column: Column, n_runs: int) -> Iterator[NDArray[Any]]:
    """Yield the values of one column in run order.

    Parts whose runs follow one another pass one at a time; otherwise the column is
    put together in memory.
    """
    wanted = [column.name] if column.name == "run" else ["run", column.name]
    following = 0
    late: list[tuple[NDArray[np.int64], NDArray[Any]]] = []
    for table in tables(wanted):
        run = table.column("run").to_numpy()
        values = status_codes(table.column(column.name)) if column.type == "status" else _to_numpy(table, column)
        if not late and run[0] == following and np.all(np.diff(run) == 1):
            following += len(run)
            yield values
        else:
            late.append((run - following, values))
    if late:
        rest = np.empty(n_runs - following, late[0][1].dtype)
        for place, values in late:
            rest[place] = values
        yield rest


def _to_numpy(table: pa.Table, column: Column) -> NDArray[Any]:
    values: NDArray[Any] = table.column(column.name).to_numpy()
    return values


def _little_endian(values: NDArray[Any]) -> bytes | memoryview:
    if values.dtype == object:
        return b"".join(str(value).encode() + b"\0" for value in values)
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).data
