"""Patterns to learn, from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sweep.errors import shown, shown_names
from sweep.system.user_tables import Columns, is_number, open_table

Matrix = tuple[tuple[float, ...], ...]

MAX_PATTERNS = 65_536
MAX_CLASSES = 1024


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
    table = open_table(path, "pattern file")
    if inputs is None:
        inputs, targets = _usual_columns(table.file, table.names)
    of_classes = [] if target is None else [target]
    columns = table.read([*inputs, *(targets or ())], of_classes, "patterns", MAX_PATTERNS)
    rows = _rows(columns, inputs)
    if target is not None:
        return rows, _of_classes(table.file, columns, target, levels, classes)
    return rows, _rows(columns, targets or ())


def read_classes(path: Path, target: str) -> list[str]:
    """Return the classes in a column of a file, in ascending order: of numbers if all are, and otherwise of texts.

    Raises
    ------
    ValueError
        As of :func:`read_patterns`.
    """
    table = open_table(path, "pattern file")
    return _classes(table.file, table.read([], [target], "patterns", MAX_PATTERNS), target)


def _rows(columns: Columns, names: Sequence[str]) -> Matrix:
    return tuple(zip(*(columns.numbers[name] for name in names), strict=True))


def _usual_columns(file: str, names: list[str]) -> tuple[list[str], list[str]]:
    """Return the names of inputs and of targets where they are x0, x1, .. and y or y0, y1, .."""
    n_inputs = sum(name.startswith("x") for name in names)
    inputs = [f"x{k}" for k in range(n_inputs)]
    targets = ["y"] if names.count("y") else [f"y{k}" for k in range(len(names) - n_inputs)]
    if not inputs or not targets or sorted(names) != sorted(inputs + targets):
        raise ValueError(
            f"{file} has columns {shown_names(names)}; name the inputs x0, x1, .. and the target y, or y0, y1, "
            ".. for several, or say which columns are inputs and targets"
        )
    return inputs, targets


def _of_classes(
    file: str, columns: Columns, name: str, levels: tuple[float, float], known: Sequence[str] | None
) -> Matrix:
    """Return a target for each class, which is high where the pattern is of the class."""
    low, high = levels
    classes = known or _classes(file, columns, name)
    rows = {own: tuple(high if own == each else low for each in classes) for own in classes}
    for number, own in zip(columns.rows, columns.texts[name], strict=True):
        if not own:
            raise ValueError(f"{file}, row {number} has no class in column {shown(name)}")
        if own not in rows:
            told = f"row {number} has class {shown(own)} in column {shown(name)}"
            raise ValueError(f"{file}, {told}; patterns to train on have {shown_names(classes)}")
    return tuple(rows[own] for own in columns.texts[name])


def _classes(file: str, columns: Columns, name: str) -> list[str]:
    """Return the classes in a column, in ascending order."""
    texts = columns.texts[name]
    if "" in texts:
        raise ValueError(f"{file}, row {columns.rows[texts.index('')]} has no class in column {shown(name)}")
    are_numbers = all(map(is_number, texts))
    classes = sorted(set(texts), key=lambda text: (float(text), text) if are_numbers else (0.0, text))
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise ValueError(f"{file} has {len(classes)} classes in {shown(name)}; 2 to {MAX_CLASSES} are allowed")
    return classes
