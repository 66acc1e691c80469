"""One number for a result, whatever the shards, order and compression of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from itertools import islice
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
        Gives the parts of the table with the columns asked for, always in the same
        order. Parts whose runs follow one another from the first on are read once;
        of the others one column at a time is put together in memory.
    columns
        All columns of the table.
    n_runs
        Rows over all parts.
    """
    digests = [hashlib.sha256() for _ in columns]
    following = n_parts = 0
    for table in tables(_names(columns)):
        run = table.column("run").to_numpy()
        if run[0] != following or not np.all(np.diff(run) == 1):
            break
        for column, digest in zip(columns, digests, strict=True):
            digest.update(_little_endian(_values(table, column)))
        following += len(run)
        n_parts += 1
    if following < n_runs:
        for column, digest in zip(columns, digests, strict=True):
            late = islice(tables(_names([column])), n_parts, None)
            digest.update(_little_endian(_in_run_order(late, column, following, n_runs)))
    total = hashlib.sha256()
    for column, digest in zip(columns, digests, strict=True):
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


def _names(columns: list[Column]) -> list[str]:
    return list(dict.fromkeys(["run", *(column.name for column in columns)]))


def _in_run_order(tables: Iterable[pa.Table], column: Column, start: int, stop: int) -> NDArray[Any]:
    """Put together the values of one column of runs ``start`` to ``stop``."""
    ordered: NDArray[Any] | None = None
    for table in tables:
        values = _values(table, column)
        if ordered is None:
            ordered = np.empty(stop - start, values.dtype)
        ordered[table.column("run").to_numpy() - start] = values
    assert ordered is not None
    return ordered


def _values(table: pa.Table, column: Column) -> NDArray[Any]:
    """Return a column as it is hashed, status as codes."""
    if column.type == "status":
        return status_codes(table.column(column.name))
    values: NDArray[Any] = table.column(column.name).to_numpy()
    return values


def _little_endian(values: NDArray[Any]) -> bytes | memoryview:
    if values.dtype == object:
        return b"".join(str(value).encode() + b"\0" for value in values)
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).data
