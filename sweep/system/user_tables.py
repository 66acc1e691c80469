"""Tables in CSV or Parquet files that users name. Only required columns are kept or decoded."""

from __future__ import annotations

import csv
import io
import math
import re
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sweep.errors import cut, shown, shown_names
from sweep.system.escaping import one_line
from sweep.system.user_files import MAX_NUMBERS, read_bytes, read_text

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from numpy.typing import NDArray


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


# float() accepts more (1_000, digits of other scripts), which is more likely a mistake.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# How tables say that a value is missing.
_MISSING = frozenset(("", "none", "nan", "na", "n/a", "null", "?"))
_LONGEST_PATH, _LONGEST_REASON = 200, 200  # in a sentence


class NotANumberError(ValueError):
    """A value of a column of numbers is no finite number."""


class Columns(NamedTuple):
    """Columns of a table."""

    rows: Sequence[Any]  # the number of each row in the file, or its label
    # Values of the columns read as numbers and as texts; a missing text is empty
    numbers: dict[str, array[float]]
    texts: dict[str, list[str]]


class UserTable(ABC):
    """A table of a user, in a file or a data frame, which messages name."""

    names: list[str]  # names of all columns

    def __init__(self, file: str) -> None:
        self.file = file

    def read(self, numbers: Iterable[str], texts: Iterable[str], rows: str, most_rows: int) -> Columns:
        """Return columns of finite numbers and of texts; ``rows`` is a plural noun, for messages."""
        numbers, texts = list(dict.fromkeys(numbers)), list(dict.fromkeys(texts))
        for name in (*numbers, *texts):
            if self.names.count(name) != 1:
                has = "several columns named" if name in self.names else "no column"
                names = shown_names(map(str, self.names)) or "none"
                are_numbers = any(map(is_number_text, map(str, self.names)))
                header = ", since its first line must name the columns" if are_numbers else ""
                raise ValueError(f"{self.file} has {has} {shown(name)}; there are {names}{header}")
        most = min(most_rows, MAX_NUMBERS // len([*numbers, *texts]))
        columns = self._read(numbers, texts, most)
        if columns is None:
            of = "" if most == most_rows else f" of {len([*numbers, *texts]):,} columns"
            raise ValueError(f"{self.file} has more than {most} {rows}{of}, the limit for one file")
        if not columns.rows:
            raise ValueError(f"{self.file} has no {rows}")
        return columns

    def categories(self, name: str) -> tuple[str, ...]:
        """Return all categories of a column in their order, if its type has them."""
        return ()

    @abstractmethod
    def _read(self, numbers: list[str], texts: list[str], most: int) -> Columns | None:
        """Return columns; None if there are more than ``most`` rows."""

    def _number(self, entry: Any, row: Any, column: str) -> float:
        """Return a value of a row as a finite number."""
        is_value = is_number_text(entry) if isinstance(entry, str) else entry is not None
        try:
            value = float(entry) if is_value else math.nan
        except OverflowError:  # an integer of Python
            value = math.inf
        if not math.isfinite(value):
            where = f"{self.file}, row {row}, column {shown(column)}"
            if str(entry).lower() in _MISSING:
                raise ValueError(f"{where}: the value is missing, got {shown(entry)}; fill it in, or remove the row")
            raise NotANumberError(f"{where}: must be a finite number, got {shown(entry)}")
        return value


class _CsvTable(UserTable):
    """A CSV file, whose first line names the columns."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__(file)
        # Not io.StringIO, which takes four bytes a character.
        self._lines = self._rows(csv.reader(io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline="")))
        self.names = [name.strip() for name in next(self._lines, (0, []))[1]]
        if not self.names:
            raise ValueError(f"{file} is empty; its first line must name the columns")

    def _rows(self, reader: Any) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not empty, each with the number of its line."""
        try:
            for row in filter(None, reader):
                yield reader.line_num, row
        except csv.Error:
            raise ValueError(f"{self.file} cannot be read: it is not a text file of comma-separated values") from None

    def _read(self, numbers: list[str], texts: list[str], most: int) -> Columns | None:
        rows: list[int] = []
        of_numbers = {name: array("d") for name in numbers}
        of_texts: dict[str, list[str]] = {name: [] for name in texts}
        places = {name: self.names.index(name) for name in (*numbers, *texts)}
        for line, row in self._lines:
            if len(rows) == most:
                return None
            if len(row) != len(self.names):
                fault = f"row {line}: must have {len(self.names)} values like the first row, got {len(row)}"
                raise ValueError(f"{self.file}, {fault}")
            rows.append(line)
            for name, column in of_numbers.items():
                column.append(self._number(row[places[name]].strip(), line, name))
            for name, values in of_texts.items():
                values.append(row[places[name]].strip())
        return Columns(rows, of_numbers, of_texts)


class _ParquetTable(UserTable):
    """A Parquet file."""

    def __init__(self, content: bytes, file: str) -> None:
        super().__init__(file)
        self._content = content
        with self._refusals():
            self._file = open_parquet(content)
            self._schema = self._file.schema_arrow
            self.names = list(self._schema.names)

    def _read(self, numbers: list[str], texts: list[str], most: int) -> Columns | None:
        names = list(dict.fromkeys([*numbers, *texts]))
        for name in names:
            if not _is_allowed(kind := self._schema.field(name).type):
                fault = f"column {shown(name)}: must hold numbers, bools or texts, got type {shown(str(kind))}"
                raise ValueError(f"{self.file}, {fault}")
        if self._file.metadata.num_rows > most:
            return None
        with self._refusals():
            # Only in this thread, as in sweep/store/parquet.py.
            table = open_parquet(self._content, names).read(names, use_threads=False)
            table.validate(full=True)
        rows = range(1, len(table) + 1)
        return Columns(
            rows,
            {name: self._numbers(table[name], rows, name) for name in numbers},
            {name: ["" if each is None else str(each) for each in _values(table[name])] for name in texts},
        )

    def _numbers(self, column: pa.ChunkedArray, rows: Sequence[int], name: str) -> array[float]:
        from pyarrow import types

        are_numbers = not column.null_count and (types.is_integer(column.type) or types.is_floating(column.type))
        numbers = finite_floats(column.to_numpy()) if are_numbers else None
        return numbers or array("d", map(self._number, _values(column), rows, repeat(name)))

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Report in one line what Arrow raises for damaged files."""
        from pyarrow import ArrowException

        try:
            yield
        except (ArrowException, OSError, ValueError) as error:
            reason = cut(one_line(" ".join(str(error).split())), _LONGEST_REASON)
            raise ValueError(f"{self.file} cannot be read: {reason}") from None


def open_table(path: Path, kind: str) -> UserTable:
    """Open a Parquet file, which ends in ``.parquet``, or a CSV file; ``kind`` is its noun in messages."""
    file = f"{kind} {shown(str(path), _LONGEST_PATH)}"
    try:
        content, text = (read_bytes(path), "") if path.suffix == ".parquet" else (b"", read_text(path))
    except ValueError as error:
        raise ValueError(f"{file} cannot be read: {error}") from None
    return _ParquetTable(content, file) if path.suffix == ".parquet" else _CsvTable(text, file)


def finite_floats(numbers: NDArray[Any]) -> array[float] | None:
    """Return an array of integers, floats or bools as floats; None if they are not all finite."""
    import numpy as np

    floats = numbers.astype(np.float64)
    return array("d", floats.tobytes()) if np.isfinite(floats).all() else None


def is_number_text(text: str) -> bool:
    """Return whether a text is a number in one of the usual notations."""
    return _NUMBER.fullmatch(text) is not None


def _is_allowed(kind: pa.DataType) -> bool:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    of_texts = (types.is_string, types.is_large_string, types.is_string_view)
    return any(is_it(kind) for is_it in (*of_texts, types.is_integer, types.is_floating, types.is_boolean))


def _values(column: pa.ChunkedArray) -> Iterator[Any]:
    """Yield the values of a column; equal texts are one."""
    from pyarrow import types

    for chunk in column.chunks:
        if types.is_dictionary(column.type):
            known = chunk.dictionary.to_pylist()
            yield from (None if place is None else known[place] for place in chunk.indices.to_pylist())
        else:
            yield from chunk.to_pylist()
