"""Open Parquet files that are not trusted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# A footer takes 25 times its size in memory. That of a table with 10,000 columns has 500 kB.
_MOST_FOOTER_BYTES = 4 * 2**20


def open_parquet(content: bytes, texts: Iterable[str] = ()) -> pq.ParquetFile:
    """Open a Parquet file, of which only the footer is read: callers check types and the number of rows before data.

    Columns in ``texts`` are read as dictionaries; otherwise each row would get a copy of its text. An ArrowException or
    OSError is raised if this is not a Parquet file, a ValueError if its footer is too large.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if int.from_bytes(content[-8:-4], "little") > _MOST_FOOTER_BYTES:
        raise ValueError(f"its footer is larger than {_MOST_FOOTER_BYTES:,} bytes")
    source = pa.BufferReader(content)
    return pq.ParquetFile(source, page_checksum_verification=True, read_dictionary=list(texts))
