"""Tables as Parquet files: their encoding and metadata."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from sweep.errors import DamageError
from sweep.study.columns import STATUSES, Column, arrow_schema


def encode_table(table: pa.Table, columns: list[Column], about: dict[str, str]) -> bytes:
    """Encode a table as Parquet: zstd, byte streams split for floats, differences for integers.

    Parameters
    ----------
    table
        The table.
    columns
        Its columns.
    about
        Metadata of the file.

    Returns
    -------
    bytes
        Content of the file.
    """
    table = table.cast(arrow_schema(columns)).replace_schema_metadata(about)
    encodings = {"float64": "BYTE_STREAM_SPLIT", "int64": "DELTA_BINARY_PACKED", "int32": "DELTA_BINARY_PACKED"}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=[c.name for c in columns if c.type not in encodings and not c.is_list],
        column_encoding={c.name: encodings[c.type] for c in columns if c.type in encodings}
        | {f"{c.name}.list.element": "BYTE_STREAM_SPLIT" for c in columns if c.is_list},
        write_page_checksum=True,
        row_group_size=max(1, len(table)),
    )
    return bytes(sink.getvalue())


def decode_table(content: bytes, columns: list[Column], where: str) -> pa.Table:
    """Decode columns of a Parquet table.

    In files of older versions, columns that were introduced later, and those redefined with them, are null.

    Parameters
    ----------
    content
        Content of the file.
    columns
        Columns to read.
    where
        Path of the file, for errors.

    Returns
    -------
    Table
        These columns.

    Raises
    ------
    DamageError
        If the content is not as it was written, or has other columns.
    """
    try:
        # Only in this thread: Arrow's threads release the content some time after the table is ready, and if Python
        # exits meanwhile, it dies by SIGABRT.
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        written = [column for column in columns if not column.later or column.name in file.schema_arrow.names]
        schema = arrow_schema(written)
        table = file.read(schema.names, use_threads=False)
    except (pa.ArrowException, OSError):
        raise DamageError(where, "it is not the Parquet that was written") from None
    if not table.schema.equals(schema):
        raise DamageError(where, f"its columns or their types are not those of {', '.join(schema.names)}")
    for column in columns:
        if column.type == "status":
            names = {name for chunk in table[column.name].chunks for name in chunk.dictionary.to_pylist()}
            if not names <= set(STATUSES):
                raise DamageError(where, f"its column {column.name!r} has other values than {', '.join(STATUSES)}")
    if len(written) == len(columns):
        return table
    nulls = {c.name for c in columns if (c.later and c not in written) or c.restated}
    fields = arrow_schema(columns)
    return pa.table(
        [pa.nulls(len(table), each.type) if each.name in nulls else table[each.name] for each in fields], fields
    )
