"""The digest of a result, which does not depend on parts, order or compression of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sweep.analysis.table_values import column_values
from sweep.columns import Column
from sweep.schemas.cell_columns import tally_columns
from sweep.system.host import available_threads


def rows_digest(tables: Iterable[pa.Table], columns: list[Column]) -> str:
    """Return the digest of a runs table, given all of its rows in run order: 64 hexadecimal digits.

    It is the SHA-256 over one line ``name type hash`` for each column, in schema order. The hash of a column is the
    SHA-256 of its little-endian values (status as int8 codes, booleans as bytes 0 and 1, text as UTF-8 with a zero
    byte after each value).
    """
    digests = [hashlib.sha256() for _ in columns]

    def take_in(table: pa.Table, column: Column, digest: Any) -> None:
        """Add the values of a column to its digest, in place."""
        digest.update(_little_endian(column_values(table, column)))

    with ThreadPoolExecutor(available_threads()) as pool:  # hashing releases the interpreter lock
        for table in tables:
            for done in [pool.submit(take_in, table, *each) for each in zip(columns, digests, strict=True)]:
                done.result()
    return _digest_of_columns(columns, digests)


def tally_digest(cell: NDArray[Any], status: NDArray[Any], steps: NDArray[Any], n: NDArray[Any]) -> str:
    """Return the digest of a complete tally: ``n`` runs of ``cell`` ended with ``status`` (a code) after ``steps``.

    It is computed as in :func:`rows_digest` from these columns (int64, int8, int32, int64), sorted by cell, status and
    steps, so it does not depend on threads or parts. It differs from the digest of the rows of the same study.
    """
    order = np.lexsort((steps, status, cell))
    columns = zip((cell, status, steps, n), ("int64", "int8", "int32", "int64"), strict=True)
    digests = [hashlib.sha256(_little_endian(values[order].astype(kind))) for values, kind in columns]
    return _digest_of_columns(tally_columns(), digests)


def _digest_of_columns(columns: list[Column], digests: list[Any]) -> str:
    total = hashlib.sha256()
    for column, digest in zip(columns, digests, strict=True):
        total.update(f"{column.name} {column.type} {digest.hexdigest()}\n".encode())
    return total.hexdigest()


def _little_endian(values: NDArray[Any]) -> bytes | memoryview:
    if values.dtype == object:
        return b"".join(str(value).encode() + b"\0" for value in values)
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).data
