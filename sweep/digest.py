"""One number for a result, whatever the shards, order and compression of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sweep.schema import STATUSES, Column, tally_columns

_STATUS_NAMES = pa.array(STATUSES)

Tables = Callable[[list[str]], Iterable[pa.Table]]


class RunsDigest:
    """The digest of a runs table, made part by part.

    For each column in schema order the SHA-256 of its little-endian values in run
    order (status as int8 codes, booleans as bytes 0 and 1, text as UTF-8 with a
    zero byte after each value); then the SHA-256 over ``name type hash`` lines.

    Parameters
    ----------
    columns
        All columns of the table.
    """

    def __init__(self, columns: list[Column]) -> None:
        self._columns = columns
        self._digests = [hashlib.sha256() for _ in columns]
        self._following = self._n_hashed = 0
        self._in_order = True

    def update(self, table: pa.Table) -> None:
        """Take in the next part, at once if its runs follow those of the parts before."""
        run = table.column("run").to_numpy()
        self._in_order = self._in_order and run[0] == self._following and bool(np.all(np.diff(run) == 1))
        if self._in_order:
            for column, digest in zip(self._columns, self._digests, strict=True):
                digest.update(_little_endian(_values(table, column)))
            self._following += len(run)
            self._n_hashed += 1

    def finish(self, tables: Tables, n_runs: int) -> str:
        """Return the digest of the whole table.

        Parameters
        ----------
        tables
            Gives the same parts once more, with the columns asked for. Of those not
            yet taken in, one column at a time is put together in memory.
        n_runs
            Rows over all parts.
        """
        if self._following < n_runs:
            for column, digest in zip(self._columns, self._digests, strict=True):
                late = islice(tables(list(dict.fromkeys(["run", column.name]))), self._n_hashed, None)
                digest.update(_little_endian(_in_run_order(late, column, self._following, n_runs)))
            self._following = n_runs
        return _digest_of_columns(self._columns, self._digests)


def tally_digest(cell: NDArray[Any], status: NDArray[Any], steps: NDArray[Any], n: NDArray[Any]) -> str:
    """Return the digest of a complete tally: counts of all runs of a study by how they ended.

    It is made as :class:`RunsDigest` is, over the columns cell (int64), status (codes,
    int8), steps (int32) and n (int64), sorted by cell, status code and steps. So it depends
    on neither threads nor shards. It is another number than the digest of the rows of the
    same study.

    Parameters
    ----------
    cell, status, steps, n : (ends,)
        Each end once, in any order: ``n`` runs of ``cell`` ended with ``status`` (as code) after ``steps``.
    """
    order = np.lexsort((steps, status, cell))
    columns = zip((cell, status, steps, n), ("int64", "int8", "int32", "int64"), strict=True)
    digests = [hashlib.sha256(_little_endian(values[order].astype(kind))) for values, kind in columns]
    return _digest_of_columns(tally_columns(), digests)


def _digest_of_columns(columns: list[Column], digests: list[Any]) -> str:
    """Return one hash over names, types and hashes of columns."""
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
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8, copy=False)), _STATUS_NAMES)


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
