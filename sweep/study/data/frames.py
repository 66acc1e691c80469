"""Patterns from data frames and arrays, read as those of pattern files are."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import repeat
from numbers import Real
from typing import TYPE_CHECKING, Any

from sweep.errors import StudyError, shown
from sweep.study.data.pattern_files import CATEGORIES, Classes, other_columns, read_patterns, with_names
from sweep.system.user_tables import Columns, UserTable, finite_floats

if TYPE_CHECKING:
    import pandas as pd


class FrameTable(UserTable):
    """A data frame of pandas, polars or Arrow; its rows are named by their labels."""

    def __init__(self, frame: Any, where: str) -> None:
        super().__init__(where)
        self._frame: pd.DataFrame = frame.to_pandas() if hasattr(frame, "to_pandas") else frame
        if not hasattr(self._frame, "columns"):
            raise StudyError(f"{where}: must be a data frame, got {shown(frame)}; use Study.from_arrays for arrays")
        self.names = list(self._frame.columns)

    def categories(self, name: str) -> tuple[str, ...]:
        """Return those of the type of the column, in its order."""
        return tuple(map(str, getattr(self._frame[name].dtype, "categories", ())))

    def _read(self, numbers: list[str], texts: list[str], most: int) -> Columns | None:
        rows = self._frame.index.tolist()
        if len(rows) > most:
            return None
        return Columns(
            rows,
            {name: self._numbers(name, rows) for name in numbers},
            {name: ["" if each is None else str(each) for each in self._entries(name)] for name in texts},
        )

    def _numbers(self, name: str, rows: Sequence[Any]) -> array[float]:
        import numpy as np

        column = self._frame[name]
        are_numbers = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf"
        numbers = finite_floats(column.to_numpy()) if are_numbers else None
        return numbers or array("d", map(self._number, self._entries(name), rows, repeat(name)))

    def _entries(self, name: str) -> list[Any]:
        """Return the values of a column, of which missing ones are None."""
        column = self._frame[name]
        if getattr(column.dtype, "kind", "O") in "cmM":
            fault = f"column {shown(name)}: must hold numbers, bools or texts, got type {shown(str(column.dtype))}"
            raise ValueError(f"{self.file}, {fault}")
        pairs = zip(column.tolist(), column.isna().tolist(), strict=True)
        return [None if lacks else each if isinstance(each, Real) else str(each) for each, lacks in pairs]


def table_of_arrays(inputs: Any, targets: Any, where: str) -> FrameTable:
    """Return arrays as a table with columns x0, x1, .. and y0, y1, .."""
    import pandas as pd

    try:
        frames = {"x": pd.DataFrame(inputs), "y": pd.DataFrame(targets)}
    except (ValueError, TypeError) as error:
        raise StudyError(f"{where}: inputs and targets must be arrays of at most two dimensions; {error}") from None
    if len(frames["x"]) != len(frames["y"]):
        rows = f"{len(frames['x']):,} of inputs and {len(frames['y']):,} of targets"
        raise StudyError(f"{where}: inputs and targets must have the same number of rows, got {rows}")
    named = [each.set_axis([f"{name}{k}" for k in range(each.shape[1])], axis=1) for name, each in frames.items()]
    return FrameTable(pd.concat([each.reset_index(drop=True) for each in named], axis=1), where)


def has_classes(targets: Any) -> bool:
    """Return whether targets are one column of classes: of texts, bools, integers or categories, not of floats."""
    import pandas as pd

    frame = pd.DataFrame(targets)
    return frame.shape[1] == 1 and getattr(frame.iloc[:, 0].dtype, "kind", "O") != "f"


def patterns_of(
    tables: Mapping[str, UserTable],
    inputs: Sequence[str] | None,
    targets: Sequence[str] | None,
    target: str | None,
    classes: Classes,
    one_hot: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the table [data] of patterns by their keys: ``data``, ``data.validation``, ``data.test``.

    Inputs, categories and classes are those of ``data``. Columns are named as in :func:`read_patterns`. A
    StudyError names column and row of a value that cannot be used.
    """
    for key, names in (("inputs", inputs), ("targets", targets), ("one_hot", one_hot)):
        if isinstance(names, str):
            raise StudyError(f"{key}: must be a list of names of columns, got {shown(names)}; write [{shown(names)}]")
    first, made = tables["data"], {}
    try:
        others = other_columns(first, targets or [target]) if inputs is None else inputs
        classes = with_names(first, target, classes) if target else classes
        categories = {name: with_names(first, name, CATEGORIES) for name in one_hot}
        for where, table in tables.items():
            found = read_patterns(table, inputs if table is first else others, targets, target, classes, categories)
            made[where.rpartition(".")[2]] = dict(zip(("inputs", "targets"), map(list, found), strict=True))
    except ValueError as error:
        raise StudyError(str(error)) from None
    return made.pop("data") | made
