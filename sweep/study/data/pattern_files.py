"""Patterns from a CSV or Parquet file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from sweep.errors import shown, shown_names
from sweep.system.user_tables import Columns, NotANumberError, UserTable, is_number_text, open_table

Matrix = tuple[tuple[float, ...], ...]

MAX_PATTERNS = 65_536
# In all sets of patterns of a study.
MAX_NUMBERS = 2**24
MAX_CLASSES = 1024
# How a pattern is used.
USES = ("train", "validation", "test")


class Classes(NamedTuple):
    """How the classes in a column become targets, or its categories inputs."""

    # Targets for the other classes and for the class of the pattern
    low: float = 0.0
    high: float = 1.0
    # Whether two classes have a target each; otherwise they have one, which is high for the second class
    one_hot: bool = False
    names: tuple[str, ...] = ()  # all classes in their order, if those of other patterns apply
    # What messages call one and several of them
    noun: str = "class"
    nouns: str = "classes"

    def rows(self) -> dict[str, tuple[float, ...]]:
        """Return the targets of each class."""
        if len(self.names) == 2 and not self.one_hot:
            return {self.names[0]: (self.low,), self.names[1]: (self.high,)}
        return {each: tuple(self.high if each == other else self.low for other in self.names) for each in self.names}


CATEGORIES = Classes(one_hot=True, noun="category", nouns="categories")


def open_patterns(path: Path) -> UserTable:
    """Open a file of patterns: Parquet if it ends in ``.parquet``, otherwise CSV with names in the first line."""
    return open_table(path, "pattern file")


def read_patterns(
    table: UserTable,
    inputs: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    target: str | None = None,
    classes: Classes = Classes(),  # noqa: B008 (immutable)
    one_hot: Mapping[str, Classes] = MappingProxyType({}),
    split: str | None = None,
) -> tuple[Matrix, Matrix]:
    """Return inputs and targets of a table, a row for each pattern.

    ``inputs`` and ``targets`` name columns of numbers. By default inputs are all columns that are no targets. Without
    any name, columns are ``x0``, ``x1``, .. and ``y`` or ``y0``, ``y1``, .., and no others. ``target`` names a column
    of ``classes``, in place of targets, ``one_hot`` columns of inputs with categories, of which each becomes an input,
    and ``split`` a column that says how patterns are used, which is neither an input nor a target.
    """
    remedy = ""
    if inputs is None and targets is None and target is None:
        inputs, targets = _usual_columns(table.file, [name for name in table.names if name != split])
    elif inputs is None:
        inputs = other_columns(table, [*(targets or ()), target, split])
        remedy = "; or name it in one_hot, if it holds categories, or name the columns of inputs without it"
    for name in one_hot:
        if name not in inputs:
            raise ValueError(f"one_hot must name columns of inputs ({shown_names(inputs)}), got {shown(name)}")
    numbers = [*(name for name in inputs if name not in one_hot), *(targets or ())]
    try:
        columns = table.read(numbers, [*one_hot, *([target] if target else [])], "patterns", MAX_PATTERNS)
    except NotANumberError as error:
        raise ValueError(f"{error}{remedy}") from None
    rows = _rows(columns, inputs) if not one_hot else _with_categories(table.file, columns, inputs, one_hot)
    if target is not None:
        return rows, _of_classes(table.file, columns, target, classes)
    return rows, _rows(columns, targets or ())


def read_uses(table: UserTable, column: str) -> dict[str, list[int]]:
    """Return the numbers of the patterns by their use, which a column names: train, validation or test."""
    columns = table.read([], [column], "patterns", MAX_PATTERNS)
    found: dict[str, list[int]] = {}
    for number, (row, use) in enumerate(zip(columns.rows, columns.texts[column], strict=True)):
        if use not in USES:
            raise ValueError(
                f"{table.file}, row {row} must be train, validation or test in column {shown(column)}, got {shown(use)}"
            )
        found.setdefault(use, []).append(number)
    if "train" not in found or len(found) < 2:
        raise ValueError(
            f"{table.file} must have patterns for train, and for validation or test, in column {shown(column)}, got "
            f"{' and '.join(found) or 'none'}"
        )
    return found


def with_names(table: UserTable, column: str, classes: Classes) -> Classes:
    """Return classes with those in a column in ascending order, as numbers if all are numbers, or those of its type."""
    found = _named(table.file, table.read([], [column], "patterns", MAX_PATTERNS), column, classes)
    known = table.categories(column) if classes == CATEGORIES else ()
    return found._replace(names=known) if known else found


def other_columns(table: UserTable, targets: Sequence[str | None]) -> list[str]:
    """Return the names of the columns that are no targets, of which there must be one."""
    inputs = [name for name in table.names if name not in targets]
    if not inputs and table.names:
        raise ValueError(
            f"{table.file} must have columns of inputs beside targets, got {shown_names(map(str, table.names))}"
        )
    return inputs


def _rows(columns: Columns, names: Sequence[str]) -> Matrix:
    return tuple(zip(*(columns.numbers[name] for name in names), strict=True))


def _usual_columns(file: str, names: list[str]) -> tuple[list[str], list[str]]:
    """Return the names of inputs and of targets where they are x0, x1, .. and y or y0, y1, .."""
    n_inputs = sum(name.startswith("x") for name in names)
    inputs = [f"x{k}" for k in range(n_inputs)]
    targets = ["y"] if names.count("y") else [f"y{k}" for k in range(len(names) - n_inputs)]
    if not inputs or not targets or sorted(names) != sorted(inputs + targets):
        separated = " or ".join(repr(each) for each in ";\t" if len(names) == 1 and each in names[0])
        remedy = (
            f"separate values by commas, not by {separated}"
            if separated
            else "rename them in line 1, or set target (a class), or targets and inputs"
        )
        raise ValueError(
            f"{file} must have columns x0, x1, .. and y, or y0, y1, .. for several targets, got {shown_names(names)}; "
            f"{remedy}"
        )
    return inputs, targets


def _of_classes(file: str, columns: Columns, name: str, classes: Classes) -> Matrix:
    """Return the targets of the patterns by their classes."""
    rows = (classes if classes.names else _named(file, columns, name, classes)).rows()
    for number, each in zip(columns.rows, columns.texts[name], strict=True):
        if not each:
            raise ValueError(f"{file}, row {number} has no {classes.noun} in column {shown(name)}")
        if each not in rows:
            allowed = f"must have a {classes.noun} of the patterns to train on ({shown_names(list(rows))})"
            raise ValueError(f"{file}, row {number} {allowed} in column {shown(name)}, got {shown(each)}")
    return tuple(rows[each] for each in columns.texts[name])


def _named(file: str, columns: Columns, name: str, classes: Classes) -> Classes:
    """Return classes with those in a column, in ascending order."""
    texts = columns.texts[name]
    if "" in texts:
        raise ValueError(f"{file}, row {columns.rows[texts.index('')]} has no {classes.noun} in column {shown(name)}")
    names = ascending(texts)
    if classes.noun == "class" and (between := _fraction(names)):
        where = f"{file}, row {columns.rows[texts.index(between)]}, column {shown(name)}"
        remedy = "name the column in targets, in place of target, to learn its numbers"
        raise ValueError(f"{where}: a class must be a text, a bool or a whole number, got {shown(between)}; {remedy}")
    if not 2 <= len(names) <= MAX_CLASSES:
        allowed = f"2 to {MAX_CLASSES} {classes.nouns}"
        raise ValueError(f"{file} must have {allowed} in column {shown(name)}, got {len(names)}")
    return classes._replace(names=names)


def _fraction(names: Iterable[str]) -> str:
    """Return the first of some texts that is a number with a fraction, if all are numbers; empty if there is none."""
    return next((name for name in names if float(name) % 1), "") if all(map(is_number_text, names)) else ""


def _with_categories(file: str, columns: Columns, inputs: Sequence[str], one_hot: Mapping[str, Classes]) -> Matrix:
    """Return the inputs of patterns, with one for each category of some columns."""
    parts = [
        _of_classes(file, columns, name, one_hot[name]) if name in one_hot else _rows(columns, [name])
        for name in inputs
    ]
    return tuple(tuple(chain.from_iterable(row)) for row in zip(*parts, strict=True))


def ascending(texts: Iterable[str]) -> tuple[str, ...]:
    """Return different texts in ascending order, as numbers if all are numbers."""
    found = set(texts)
    are_numbers = all(map(is_number_text, found))
    return tuple(sorted(found, key=lambda text: (float(text), text) if are_numbers else (0.0, text)))
