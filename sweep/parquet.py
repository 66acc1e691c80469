"""Tables as Parquet files: how they are encoded, and what a file says of itself."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sweep import __version__
from sweep.durable import read_file
from sweep.errors import StoreError
from sweep.schema import Column, arrow_schema
from sweep.study import Study


def parquet_bytes(table: pa.Table, columns: list[Column], study: Study, identity: str) -> bytes:
    """Encode a table: zstd, byte streams split for floats, differences for integers.

    The metadata of the file names the study, its identity and the version of xor-sweep.
    """
    about = {"study": study.name, "identity": identity, "xor-sweep": __version__}
    table = table.cast(arrow_schema(columns)).replace_schema_metadata(about)
    encodings = {"float64": "BYTE_STREAM_SPLIT", "int64": "DELTA_BINARY_PACKED", "int32": "DELTA_BINARY_PACKED"}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=[c.name for c in columns if c.type not in encodings],
        column_encoding={c.name: encodings[c.type] for c in columns if c.type in encodings},
        write_page_checksum=True,
        row_group_size=max(1, len(table)),
    )
    return bytes(sink.getvalue())


def read_parquet(path: Path, columns: list[Column], sha256: str) -> pa.Table:
    """Read columns of a file of ours, after checking its hash.

    Raises
    ------
    StoreError
        If it cannot be read, is not the file that was written, or has other columns.
    """
    content = read_file(path)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StoreError(f"{str(path)!r} is damaged: its SHA-256 is not the one recorded when it was written")
    schema = arrow_schema(columns)
    try:
        table = pq.read_table(pa.BufferReader(content), columns=schema.names, page_checksum_verification=True)
    except (pa.ArrowException, OSError):
        raise StoreError(f"{str(path)!r} is damaged: it is no Parquet file") from None
    if not table.schema.equals(schema):
        raise StoreError(f"{str(path)!r} is damaged: its columns are not {', '.join(schema.names)} in their types")
    return table
