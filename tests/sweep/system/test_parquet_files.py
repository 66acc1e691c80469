"""Parquet files of any writer, and damaged ones."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweep.system import user_tables
from sweep.system.user_tables import open_parquet, open_table

N = 5000
RANDOM = np.random.default_rng(1)
TABLE = pa.table(
    {
        "x0": RANDOM.standard_normal(N),
        "same": np.zeros(N),
        "i": pa.array(range(N), pa.int32()),
        "b": RANDOM.random(N) < 0.5,
        "f": pa.array(RANDOM.standard_normal(N), pa.float32()),
        "k": pa.array([("setosa", "virginica", None)[k % 3] for k in range(N)]),
        "a.b": np.arange(N, dtype=float),
    }
)


def written(table: pa.Table = TABLE, **options: Any) -> bytes:
    """Return the content of a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_dictionary": False},
        {"data_page_version": "2.0", "write_page_checksum": True},
        {"data_page_size": 100, "row_group_size": 700},
        {"use_dictionary": False, "column_encoding": {"x0": "BYTE_STREAM_SPLIT", "i": "DELTA_BINARY_PACKED"}},
        {"version": "1.0", "store_schema": False, "write_statistics": False},
    ],
)
def test_intact_files(tmp_path: Path, compression: str, options: dict[str, Any]) -> None:
    """Columns of any writer are read."""
    content = written(compression=compression, **options)
    (tmp_path / "t.parquet").write_bytes(content)
    numbers = [name for name in TABLE.column_names if name != "k"]
    read = open_table(tmp_path / "t.parquet", "file").read(numbers, ["k"], "rows", N)
    for name in numbers:
        assert np.array_equal(read.numbers[name], TABLE[name].to_numpy())
    assert read.texts["k"] == [each or "" for each in TABLE["k"].to_pylist()]
    assert list(read.rows) == list(range(1, N + 1))


def test_too_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows times columns are limited."""
    (tmp_path / "t.parquet").write_bytes(written())
    monkeypatch.setattr(user_tables, "MAX_NUMBERS", N - 1)
    with pytest.raises(ValueError, match="has more than 4999 rows of 1 columns, the limit for one file"):
        open_table(tmp_path / "t.parquet", "file").read(["x0"], [], "rows", 10 * N)


def test_large_footers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A footer takes a multiple of its size in memory, so it has a separate limit."""
    content = written()
    size = int.from_bytes(content[-8:-4], "little")
    monkeypatch.setattr(user_tables, "_MOST_FOOTER_BYTES", size - 1)
    with pytest.raises(ValueError, match="footer is larger than"):
        open_parquet(content)


def test_a_text_is_kept_once(tmp_path: Path) -> None:
    """Rows share a long text, which would take 65 GB if each had a copy."""
    texts = pa.DictionaryArray.from_arrays(pa.array(np.arange(65_536) % 2, pa.int32()), ["a" * 1_000_000, "b"])
    pq.write_table(pa.table({"k": texts}), tmp_path / "t.parquet", store_schema=False)
    read = open_table(tmp_path / "t.parquet", "file").read([], ["k"], "rows", 65_536)
    assert len(set(map(id, read.texts["k"]))) == 2


def cut_off(content: bytes) -> Iterator[bytes]:
    """Yield files without some of the end of their pages."""
    return (content[: k * len(content) // 60] + content[-8:] for k in range(60))


def flipped(content: bytes) -> Iterator[bytes]:
    """Yield files with a bit flipped, in turn in each byte."""
    for at in range(len(content)):
        yield content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]


@pytest.mark.parametrize("damaged", [cut_off, flipped])
@pytest.mark.parametrize("options", [{}, {"use_dictionary": False, "compression": "none", "data_page_version": "2.0"}])
def test_damaged_files(tmp_path: Path, damaged: Callable[[bytes], Iterator[bytes]], options: dict[str, Any]) -> None:
    """Any damage is reported in one sentence. Some footers made Arrow end the process."""
    content = written(TABLE.slice(0, 9).select(["x0", "k"]), store_schema=False, **options)
    path, n_refused = tmp_path / "t.parquet", 0
    for each in damaged(content):
        path.write_bytes(each)
        try:
            open_table(path, "file").read(["x0"], ["k"], "rows", 100)
        except ValueError as error:
            n_refused += 1
            assert str(path) in str(error)  # noqa: PT017
            assert str(error).isprintable()  # noqa: PT017
    assert n_refused >= 40
