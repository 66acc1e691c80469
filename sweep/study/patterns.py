"""Patterns to learn, from a file."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sweep.errors import shown, shown_names
from sweep.system.user_paths import read_text

Matrix = tuple[tuple[float, ...], ...]

MAX_PATTERNS = 65_536
MAX_CLASSES = 1024

# float() reads more (1_000, digits of other scripts), which is more likely a mistake.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST_PATH = 200  # in a sentence


class Table(NamedTuple):
    """The content of a pattern file.

    Attributes
    ----------
    file
        Its name in sentences.
    names
        Of the columns.
    rows
        The number of each row in the file, and its values: texts, or of Parquet files anything.
    """

    file: str
    names: list[str]
    rows: Sequence[tuple[int, Sequence[Any]]]


def read_patterns(
    path: Path,
    inputs: list[str] | None = None,
    targets: list[str] | None = None,
    target: str | None = None,
    levels: tuple[float, float] = (0.0, 1.0),
    classes: Sequence[str] | None = None,
) -> tuple[Matrix, Matrix]:
    """Return inputs and targets of a CSV or Parquet file.

    Parameters
    ----------
    path
        Of a file whose first line names the columns; Parquet if it ends in ``.parquet``.
    inputs, targets
        Names of columns of numbers; by default ``x0``, ``x1``, .. and ``y`` or ``y0``, ``y1``, .., and there may be no
        others.
    target
        Name of a column of classes, in place of ``targets``: there is a target for each class, in ascending order.
    levels
        Target of the classes that a pattern is not of, and of its own.
    classes
        All classes in their order, where they are those of other patterns.

    Returns
    -------
    inputs, targets : tuple of tuples
        A row for each pattern.

    Raises
    ------
    ValueError
        If the file cannot be read or is not such a table; the message names the line.
    """
    table = _read(path)
    if inputs is None:
        inputs, targets = _usual_columns(table)
    places = [_place(table, name) for name in inputs]
    for number, row in table.rows:
        if len(row) != len(table.names):
            told = f"row {number} has {len(row)} values; the first row has {len(table.names)}"
            raise ValueError(f"{table.file}, {told}")
    rows = tuple(tuple(_number(table, number, row[k]) for k in places) for number, row in table.rows)
    if target is not None:
        return rows, _of_classes(table, target, levels, classes)
    places = [_place(table, name) for name in targets or ()]
    return rows, tuple(tuple(_number(table, number, row[k]) for k in places) for number, row in table.rows)


def read_classes(path: Path, target: str) -> list[str]:
    """Return the classes in a column of a file, in ascending order: of numbers if all are, and otherwise of texts.

    Raises
    ------
    ValueError
        As of :func:`read_patterns`.
    """
    table = _read(path)
    return _classes(table, target, _texts(table, target))


def _read(path: Path) -> Table:
    file = f"pattern file {shown(str(path), _LONGEST_PATH)}"
    return _read_parquet(path, file) if path.suffix == ".parquet" else _read_csv(path, file)


def _read_csv(path: Path, file: str) -> Table:
    """Read a file of comma-separated values."""
    try:
        reader = csv.reader(io.StringIO(read_text(path), newline=""))
        lines = [(reader.line_num, row) for row in islice(filter(None, reader), MAX_PATTERNS + 2)]
    except csv.Error:
        raise ValueError(f"{file} cannot be read: it is not a text file of comma-separated values") from None
    except ValueError as error:
        raise ValueError(f"{file} cannot be read: {error}") from None
    if not lines:
        raise ValueError(f"{file} is empty; its first line names the columns x0, x1, .. and y")
    _check_count(file, len(lines) - 1)
    names = [name.strip() for name in lines[0][1]]
    return Table(file, names, [(number, [text.strip() for text in row]) for number, row in lines[1:]])


def _read_parquet(path: Path, file: str) -> Table:
    """Read a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        n_rows = pq.ParquetFile(path).metadata.num_rows
        _check_count(file, n_rows)
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0][:_LONGEST_PATH]
        raise ValueError(f"{file} cannot be read: {reason}") from None
    columns = [column.to_pylist() for column in table.columns]
    return Table(file, table.column_names, list(enumerate(zip(*columns, strict=True), 1)))


def _check_count(file: str, n_rows: int) -> None:
    if not n_rows:
        raise ValueError(f"{file} has no patterns below its first line")
    if n_rows > MAX_PATTERNS:
        raise ValueError(f"{file} has more than {MAX_PATTERNS} patterns, the most that are allowed")


def _usual_columns(table: Table) -> tuple[list[str], list[str]]:
    """Return the names of inputs and of targets where they are x0, x1, .. and y or y0, y1, .."""
    names = table.names
    n_inputs = sum(name.startswith("x") for name in names)
    inputs = [f"x{k}" for k in range(n_inputs)]
    targets = ["y"] if names.count("y") else [f"y{k}" for k in range(len(names) - n_inputs)]
    if not inputs or not targets or sorted(names) != sorted(inputs + targets):
        raise ValueError(
            f"{table.file} has columns {shown_names(names)}; name the inputs x0, x1, .. and the target y, or y0, y1, "
            ".. for several, or say which columns are inputs and targets"
        )
    return inputs, targets


def _place(table: Table, name: str) -> int:
    """Return the index of a column."""
    if table.names.count(name) != 1:
        has = "several columns" if name in table.names else "no column"
        raise ValueError(f"{table.file} has {has} {shown(name)}; there are {shown_names(table.names)}")
    return table.names.index(name)


def _number(table: Table, number: int, given: Any) -> float:
    """Return a value as a finite number."""
    value = math.nan
    if isinstance(given, str):
        value = float(given) if _NUMBER.fullmatch(given) else math.nan
    elif isinstance(given, (bool, int, float)) and abs(given) <= 1e308:
        value = float(given)
    if not math.isfinite(value):
        raise ValueError(f"{table.file}, row {number} has {shown(given)}; must be a finite number")
    return value


def _of_classes(table: Table, name: str, levels: tuple[float, float], known: Sequence[str] | None) -> Matrix:
    """Return a target for each class, which is high where the pattern is of the class."""
    texts, (low, high) = _texts(table, name), levels
    classes = _classes(table, name, texts) if known is None else known
    for (number, _), own in zip(table.rows, texts, strict=True):
        if own not in classes:
            told = f"row {number} has class {shown(own)} in column {shown(name)}"
            raise ValueError(f"{table.file}, {told}; patterns to train on have {shown_names(classes)}")
    return tuple(tuple(high if own == each else low for each in classes) for own in texts)


def _texts(table: Table, name: str) -> list[str]:
    """Return the class of each pattern."""
    place = _place(table, name)
    for number, row in table.rows:
        if row[place] is None or row[place] == "":
            raise ValueError(f"{table.file}, row {number} has no class in column {shown(name)}")
    return [str(row[place]) for _, row in table.rows]


def _classes(table: Table, name: str, texts: Sequence[str]) -> list[str]:
    """Return the classes among some, in ascending order."""
    are_numbers = all(map(_NUMBER.fullmatch, texts))
    classes = sorted(set(texts), key=lambda text: (float(text), text) if are_numbers else (0.0, text))
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise ValueError(f"{table.file} has {len(classes)} classes in {shown(name)}; 2 to {MAX_CLASSES} are allowed")
    return classes
