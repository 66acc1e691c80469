"""Parquet files that are not trusted: how many bytes their columns decode to, found before any is decoded.

A footer may name less than the pages hold, and 2 kB of pages can decode to gigabytes. Arrow allocates by the header of
each page, so the sizes in these headers are added up here, page after page as Arrow reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

from sweep.system.thrift import INT32, INT64, LIST, STRUCT, Struct, ThriftError, read_struct

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# A footer takes 25 times its size in memory. That of a table with 10,000 columns has 500 kB.
_MOST_FOOTER_BYTES = 4 * 2**20
_MOST_HEADER_BYTES = 2**20
_BYTES_OF_A_VALUE = 8
# Numbers of types of pages in a header. For each, the field of its header, and in that the field of the encoding.
_INDEX_PAGE, _DICTIONARY_PAGE = 1, 2
_FIELDS = {0: (5, 2), _DICTIONARY_PAGE: (7, 2), 3: (8, 4)}
# Each text repeats the start of the one before, so the size of a page does not bound their length.
_DELTA_BYTE_ARRAY = 7


def open_parquet(content: bytes, texts: Iterable[str] = ()) -> pq.ParquetFile:
    """Open a Parquet file, of which only the footer is read.

    Parameters
    ----------
    content
        Content of the file.
    texts
        Columns of text to read as dictionaries; otherwise each row would get a copy of its text.

    Returns
    -------
    ParquetFile

    Raises
    ------
    ArrowException, OSError
        If this is not a Parquet file.
    ValueError
        If its footer is too large.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if int.from_bytes(content[-8:-4], "little") > _MOST_FOOTER_BYTES:
        raise ValueError(f"its footer is larger than {_MOST_FOOTER_BYTES:,} bytes")
    source = pa.BufferReader(content)
    return pq.ParquetFile(source, page_checksum_verification=True, read_dictionary=list(texts))


def decoded_bytes(content: bytes, file: pq.ParquetFile, names: Iterable[str]) -> int:
    """Return an upper bound of the bytes that columns decode to: for each page its size or eight bytes a value.

    Parameters
    ----------
    content
        Content of the file.
    file
        The same file, opened.
    names
        The columns.

    Raises
    ------
    ValueError
        If the pages are not those in the footer, or have no known size; the message is part of a sentence.
    """
    wanted, schema = set(names), file.metadata.schema
    paths = [schema.column(k).path.split(".") for k in range(len(schema))]
    # Arrow selects a column by its name, and parts of a column by the start of their path.
    leaves = [k for k, path in enumerate(paths) if wanted.intersection(accumulate(path, "{}.{}".format))]
    try:
        # Not of file.metadata: a damaged one ends the process.
        view = memoryview(content)
        footer, _ = read_struct(view[-8 - int.from_bytes(content[-8:-4], "little") :])
        groups = footer[4, LIST]
        n_rows = sum(group[3, INT64] for group in groups)
        chunks = [group[1, LIST][k][3, STRUCT] for group in groups for k in leaves]
        # Otherwise the same pages could be read many times.
        if sum(abs(chunk[7, INT64]) for chunk in chunks) > len(content):
            raise ThriftError("columns overlap")
        total = sum(_decoded_bytes(view, chunk) for chunk in chunks)
    except (ThriftError, IndexError, KeyError, TypeError):
        raise ValueError("its footer or a header of its pages is damaged") from None
    if n_rows != file.metadata.num_rows:
        raise ValueError("its row groups do not have the number of rows in its footer")
    return total


def _decoded_bytes(content: memoryview, chunk: Struct) -> int:
    """Return an upper bound of the bytes that the pages of a column in a row group decode to."""
    at = start = chunk[9, INT64]
    if 0 < chunk.get((11, INT64), 0) < start:  # the dictionary comes first
        at = start = chunk[11, INT64]
    total = n_values = 0
    while n_values < chunk[5, INT64] and at < start + chunk[7, INT64]:
        header, size_of_header = read_struct(content[at : at + _MOST_HEADER_BYTES])
        kind, size, compressed = (_count(header[number, INT32]) for number in (1, 2, 3))
        at += size_of_header + compressed
        if kind == _INDEX_PAGE:
            continue
        field, field_of_encoding = _FIELDS[kind]
        of_kind = header[field, STRUCT]
        n_own = _count(of_kind[1, INT32])
        if of_kind[field_of_encoding, INT32] == _DELTA_BYTE_ARRAY:
            raise ValueError("its texts have the encoding DELTA_BYTE_ARRAY, which is not supported; use another one")
        n_values += 0 if kind == _DICTIONARY_PAGE else n_own
        total += max(size, n_own * _BYTES_OF_A_VALUE)
    if n_values != chunk[5, INT64]:
        raise ValueError("its pages do not have the number of values in its footer")
    return total


def _count(number: int) -> int:
    """Return a number if it has at most 31 bits; Thrift would truncate a longer one."""
    if not 0 <= number < 2**31:
        raise ThriftError("a number is out of range")
    return number
