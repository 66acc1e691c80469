"""One number for a result, whatever the shards, order and compression of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sweep.statistics.table_values import column_values
from sweep.study.columns import Column, tally_columns
from sweep.system.host import available_threads


def rows_digest(tables: Iterable[pa.Table], columns: list[Column]) -> str:
    """Return the digest of a runs table.

    For each column in schema order the SHA-256 of its little-endian values in run
    order (status as int8 codes, booleans as bytes 0 and 1, text as UTF-8 with a
    zero byte after each value); then the SHA-256 over ``name type hash`` lines.

    Parameters
    ----------
    tables
        All rows, in run order.
    columns
        All columns of the table.
    """
    digests = [hashlib.sha256() for _ in columns]

    def take_in(table: pa.Table, column: Column, digest: Any) -> None:
        digest.update(_little_endian(column_values(table, column)))

    with ThreadPoolExecutor(available_threads()) as pool:  # hashing lets other threads run
        for table in tables:
            for done in [pool.submit(take_in, table, *each) for each in zip(columns, digests, strict=True)]:
                done.result()
    return _digest_of_columns(columns, digests)


def tally_digest(cell: NDArray[Any], status: NDArray[Any], steps: NDArray[Any], n: NDArray[Any]) -> str:
    """Return the digest of a complete tally: counts of all runs of a study by how they ended.

    It is made as :func:`rows_digest` makes it, of the columns cell (int64), status (codes,
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


def _little_endian(values: NDArray[Any]) -> bytes | memoryview:
    if values.dtype == object:
        return b"".join(str(value).encode() + b"\0" for value in values)
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).data
