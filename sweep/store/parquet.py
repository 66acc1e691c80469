"""Encode tables as Parquet files, and decode them safely."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sweep.columns import STATUSES, Column, arrow_schema
from sweep.errors import DamageError
from sweep.system.user_tables import open_parquet

# Most bytes of a text: values of parameters are at most 50 characters long.
_TEXT_BYTES = 200

# The type of a status, and the one that pyarrow before 20 reads in its place.
_STATUS, _WIDER_STATUS = pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.string())


def encode_table(table: pa.Table, columns: list[Column], about: dict[str, str]) -> bytes:
    """Encode a table as Parquet: zstd, byte streams split for floats, differences for integers."""
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


def decode_table(content: bytes, columns: list[Column], where: str, most_rows: int) -> pa.Table:
    """Decode columns of a Parquet table; DamageError if it has changed, or has other columns or too many rows."""
    texts = [column.name for column in columns if column.type == "string"]
    try:
        found = open_parquet(content).schema_arrow
        schema = arrow_schema(columns)
        if not _select(found, schema.names).equals(schema):
            raise DamageError(where, f"it must have columns {', '.join(schema.names)} of the types of this study")
        file = open_parquet(content, texts)
        if file.metadata.num_rows > most_rows:
            raise DamageError(where, f"it holds more than {most_rows:,} rows, the most that it can have")
        # Only in this thread: Arrow's threads release the content some time after the table is ready, and if Python
        # exits meanwhile, it dies by SIGABRT.
        table = _with_texts(file.read(schema.names, use_threads=False), texts, where)
    except (pa.ArrowException, OSError, ValueError):
        raise DamageError(where, "it is not the Parquet file that was written") from None
    for place, column in enumerate(columns):
        if column.type == "status":
            table = table.set_column(place, schema.field(place), table[column.name].cast(_STATUS))
            names = {name for chunk in table[column.name].chunks for name in chunk.dictionary.to_pylist()}
            if not names <= set(STATUSES):
                raise DamageError(where, f"its column {column.name!r} must hold only {', '.join(STATUSES)}")
    return table


def _select(schema: pa.Schema, names: list[str]) -> pa.Schema:
    """Return the fields of some names, a status with codes of 8 bits, without names that are missing or occur twice."""
    fields = [schema.field(place) for place in map(schema.get_field_index, names) if place >= 0]
    return pa.schema([field.with_type(_STATUS) if field.type == _WIDER_STATUS else field for field in fields])


def _with_texts(table: pa.Table, texts: list[str], where: str) -> pa.Table:
    """Check that all texts are short; return the table with texts in place of dictionaries."""
    for name in texts:
        for chunk in table[name].chunks:
            if (pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0) > _TEXT_BYTES:
                raise DamageError(where, f"its column {name!r} holds a text of more than {_TEXT_BYTES} bytes")
        place = table.schema.get_field_index(name)
        table = table.set_column(place, pa.field(name, pa.string()), table[name].cast(pa.string()))
    return table
