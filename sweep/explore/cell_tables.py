"""Tables of the cells and of the runs of a selection, sorted and a page at a time."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from sweep.columns import Column
from sweep.errors import SweepError, shown, unknown
from sweep.explore.selection import Selection
from sweep.measures import MEASURES
from sweep.results.answers import swept
from sweep.results.pooled_cells import why_unpaired
from sweep.results.some_cells import result_of_cells
from sweep.results.tables.cells_table import cells_table
from sweep.results.tables.table import TableColumn, shown_of, value_column
from sweep.schemas.run_columns import runs_columns
from sweep.system.formatting import exact, measure_text

_MOST_ROWS = 500
_USUAL_ROWS = 50


class Page(NamedTuple):
    """Rows of a table: which ones, in which order."""

    sort: str  # a column; empty for the order of the study
    descending: bool
    first: int
    most: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Page:
        """Return the page of a request. SweepError if it is not valid."""
        descending = query.get("descending") or "false"
        if descending not in ("true", "false"):
            raise SweepError(f"descending: must be true or false, got {shown(descending)}")
        first, most = _number("first", query, 0, 0, 10**12), _number("count", query, _USUAL_ROWS, 1, _MOST_ROWS)
        return cls(query.get("sort") or "", descending == "true", first, most)

    def rows(self, frame: pd.DataFrame, known: Sequence[str]) -> pd.DataFrame:
        """Return these rows of a table; SweepError if it has no such column to sort by."""
        if self.sort:
            if self.sort not in known:
                raise SweepError(unknown("column", self.sort, list(known)))
            frame = frame.sort_values(self.sort, ascending=not self.descending, na_position="last", kind="stable")
        elif self.descending:
            frame = frame[::-1]
        return frame[self.first : self.first + self.most]


def cells_page(selection: Selection, query: Mapping[str, str]) -> dict[str, Any]:
    """Return rows of the table of the cells of a selection, as JSON: what `sweep show` prints of them."""
    page = Page.of(query)
    with selection.view.explored.reading:
        runs = selection.runs
        whole = cells_table(runs, runs.cells)
        names = [str(column.shows[0]) for column in whole.columns]
        frame = page.rows(whole.frame, names)
        options = swept(runs.study)
        commands = (_show(selection, row, options) for row in frame.to_dict("records"))
        return _answer(selection, page, whole.title, whole.columns, frame, len(whole.frame), commands)


def runs_page(selection: Selection, query: Mapping[str, str]) -> dict[str, Any]:
    """Return rows of the table of the runs of a selection, as JSON. SweepError if rows of runs were not kept."""
    page = Page.of(query)
    with selection.view.explored.reading:
        result = selection.result
        if not result.keeps_runs:
            raise SweepError(why_unpaired(result))
        known = [column for column in runs_columns(result.study) if not column.is_list]
        names = [column.name for column in known]
        order = result.runs(list(dict.fromkeys(["run", page.sort if page.sort in names else "run"])))
        numbers = page.rows(order, names)["run"].to_numpy()
        rows = result_of_cells(result, np.unique(numbers // result.study.seeds.count)).runs(names)
        frame = rows.set_index("run", drop=False).loc[numbers]
        commands = (shlex.join(["sweep", "trace", selection.view.explored.source, "--run", f"{n}"]) for n in numbers)
        title = shown_of(len(frame), len(order), "run")
        return _answer(selection, page, title, [_run_column(each) for each in known], frame, len(order), commands)


def _answer(
    selection: Selection,
    page: Page,
    title: str,
    columns: Sequence[TableColumn],
    frame: pd.DataFrame,
    total: int,
    commands: Iterable[str],
) -> dict[str, Any]:
    """Return the rows of a frame as JSON, each with its command and its place on the map."""
    across, down = selection.view.places(frame)
    rows = [
        {
            "texts": [column.text(row) for column in columns],
            "command": command,
            "column": int(i),
            "row": int(j),
        }
        for row, command, i, j in zip(frame.to_dict("records"), commands, across, down, strict=True)
    ]
    named = [
        {
            "name": str(column.shows[0]),
            "label": column.heading,
            "numeric": is_numeric_dtype(frame[column.shows[0]]) and not is_bool_dtype(frame[column.shows[0]]),
        }
        for column in columns
    ]
    return {"title": title, "columns": named, "rows": rows, "total": total, "first": page.first}


def _show(selection: Selection, row: Mapping[Any, Any], options: Sequence[str]) -> str:
    """Return the command that prints a cell."""
    at = [part for name in options for part in ("--at", f"{name}={exact(row[name])}")]
    return shlex.join(["sweep", "show", selection.view.explored.source, *at])


def _run_column(column: Column) -> TableColumn:
    """Return the column of a table for a column of runs."""
    name = column.name
    if column.type == "float64" and name in MEASURES:
        return TableColumn(name, lambda row: measure_text(row[name]), (name,))
    if name in ("steps", "total_steps"):
        return TableColumn(name, lambda row: f"{row[name]:,}", (name,))
    return value_column(name)


def _number(name: str, query: Mapping[str, str], default: int, least: int, most: int) -> int:
    text = query.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20) or not least <= int(text) <= most:
        raise SweepError(f"{name}: must be an integer from {least} to {most}, got {shown(text)}")
    return int(text)
