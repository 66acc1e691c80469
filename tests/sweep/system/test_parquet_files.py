"""How much columns of Parquet files decode to, and files with forged footers or pages."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweep.system import parquet_files, user_files, user_tables
from sweep.system.parquet_files import decoded_bytes, open_parquet
from sweep.system.user_tables import open_table

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


def size_of(content: bytes, *names: str) -> int:
    return decoded_bytes(content, open_parquet(content), names)


def varint(number: int, length: int = 0) -> bytes:
    """Encode a number of at least 0 in at least ``length`` bytes."""
    digits = [(2 * number >> shift) & 127 for shift in range(0, 70, 7) if 2 * number >> shift or shift < 7 * length]
    return bytes([*(digit | 128 for digit in digits[:-1]), digits[-1]])


def with_footer_changed(content: bytes, old: int, new: int) -> bytes:
    """Return a file whose footer names a smaller number in every place."""
    at = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    code = varint(old)
    assert code in content[at:]
    return content[:at] + content[at:].replace(code, varint(new, len(code)))


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
    """Columns of any writer are read, and numbers count as at least eight bytes each."""
    content = written(compression=compression, **options)
    assert 7 * 8 * N <= size_of(content, *TABLE.column_names) < 8 * 8 * N + 200_000
    assert 8 * N <= size_of(content, "same") < 10 * N + 100_000
    assert 8 * N <= size_of(content, "a.b") < 20 * N
    assert size_of(content, "none") == 0
    (tmp_path / "t.parquet").write_bytes(content)
    numbers = [name for name in TABLE.column_names if name != "k"]
    read = open_table(tmp_path / "t.parquet", "file").read(numbers, ["k"], "rows", N)
    for name in numbers:
        assert np.array_equal(read.numbers[name], TABLE[name].to_numpy())
    assert read.texts["k"] == [each or "" for each in TABLE["k"].to_pylist()]
    assert list(read.rows) == list(range(1, N + 1))


def test_nested_columns_are_counted() -> None:
    """Arrow reads all parts of a column by its name."""
    content = written(pa.table({"a": [{"b": 1.0, "c": [1.0, 2.0]}] * 100, "d": [0.0] * 100}))
    assert size_of(content, "a") >= 100 * 8 + 200 * 8
    assert size_of(content, "a.c") >= 200 * 8 > size_of(content, "a.b") >= 100 * 8
    assert size_of(content, "d") >= 100 * 8


def big_page(options: dict[str, Any]) -> bytes:
    """Return a small file of two texts of 2 MB."""
    return written(pa.table({"k": ["a" * 2_000_000, "b" * 2_000_000]}), compression="zstd", **options)


@pytest.mark.parametrize("options", [{"use_dictionary": False}, {"use_dictionary": True}])
def test_sizes_are_those_of_pages(options: dict[str, Any]) -> None:
    """The size is 4 MB by the pages, although the footer names 100 bytes."""
    content = big_page({"write_statistics": False, **options})
    size = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(0).total_uncompressed_size
    assert size > 4_000_000
    assert len(content) < 10_000
    assert size_of(with_footer_changed(content, size, 100), "k") == size_of(content, "k") > 4_000_000


def test_texts_that_repeat_the_one_before() -> None:
    """The encoding in which 2 kB decode to gigabytes is refused."""
    table = pa.table({"k": ["a" * 1_000_000 + str(k) for k in range(20)]})
    content = written(table, use_dictionary=False, column_encoding={"k": "DELTA_BYTE_ARRAY"}, compression="zstd")
    with pytest.raises(ValueError, match="the encoding DELTA_BYTE_ARRAY"):
        size_of(content, "k")


def many_rows() -> bytes:
    return written(pa.table({"x": np.zeros(1_000_003)}), row_group_size=2_000_000, write_statistics=False)


def of_another_type(content: bytes) -> bytes:
    """Return a file in which the header of the first page holds its size twice, also as a 64-bit integer."""
    before = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(0)
    assert before.dictionary_page_offset == content.index(b"\x15\x04") == 4
    at = 4 + 2 + 1 + 2  # the type of the page, and its size of two digits
    second = bytes([6, 4, 2])
    content = content[:at] + second + content[at:]
    content = with_footer_changed(content, before.total_compressed_size, before.total_compressed_size + len(second))
    return with_footer_changed(content, before.data_page_offset, before.data_page_offset + len(second))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (with_footer_changed(many_rows(), 1_000_003, 2), "do not have the number of values in its footer"),
        (of_another_type(written(pa.table({"x": np.arange(40.0)}), compression="none")), "header of its pages is dam"),
    ],
)
def test_forged_footers_and_headers(content: bytes, fault: str) -> None:
    """Wrong numbers of values, and headers that Thrift would read differently, are refused."""
    with pytest.raises(ValueError, match=fault):
        size_of(content, "x")


@pytest.mark.parametrize(
    ("limits", "fault"),
    [
        ({"MAX_BYTES": 3_000_000}, "its columns decode to more than 3,000,000 bytes"),
        ({"MAX_NUMBERS": 1}, "has more than 1 rows of 1 columns, the limit for one file"),
    ],
)
def test_columns_that_decode_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], fault: str
) -> None:
    """The limits of all files apply."""
    (tmp_path / "t.parquet").write_bytes(big_page({}))
    assert user_tables.MAX_BYTES == user_files.MAX_BYTES
    for name, value in limits.items():
        monkeypatch.setattr(user_tables, name, value)
    with pytest.raises(ValueError, match=fault):
        open_table(tmp_path / "t.parquet", "file").read([], ["k"], "rows", 10)


def test_large_footers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A footer takes a multiple of its size in memory, so it has a separate limit."""
    content = written()
    size = int.from_bytes(content[-8:-4], "little")
    monkeypatch.setattr(parquet_files, "_MOST_FOOTER_BYTES", size - 1)
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
