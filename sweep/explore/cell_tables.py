"""Tables of the cells and of the runs of a selection, sorted and a page at a time."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from sweep.columns import Column
from sweep.errors import SweepError, shown, unknown
from sweep.explore.selection import MOST_CELLS, Selection
from sweep.measures import MEASURES
from sweep.results.answers import swept
from sweep.results.estimate import why_unpaired
from sweep.results.some_cells import result_of_cells
from sweep.results.tables.cells_table import cells_table
from sweep.results.tables.table import TableColumn, shown_of, value_column
from sweep.schemas.cell_columns import cells_columns
from sweep.schemas.run_columns import runs_columns
from sweep.system.formatting import exact, measure_text

_MOST_ROWS = 500
_USUAL_ROWS = 50
# Most cells whose whole table is computed, if one stored column orders them
_MANY = 50_000
# Most runs that are sorted
_MOST_SORTED = 5 * 10**6


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

    def of_many(self, keys: pd.Series[Any] | None, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return these of some numbers, sorted by keys."""
        if keys is not None:
            keys = keys.reset_index(drop=True).sort_values(ascending=not self.descending, kind="stable")
            numbers = numbers[keys.index.to_numpy()]
        elif self.descending:
            numbers = numbers[::-1]
        return numbers[self.first : self.first + self.most]


def cells_page(selection: Selection, query: Mapping[str, str]) -> dict[str, Any]:
    """Return rows of the table of the cells of a selection, as JSON: what `sweep show` prints of them."""
    page = Page.of(query)
    with selection.view.explored.reading:
        runs = selection.runs
        n = len(selection.cells)
        if n > _MANY and runs.complete and not runs.pooled_over and _is_stored(selection, page.sort):
            numbers = page.of_many(_keys(selection, page.sort), selection.cells)
            runs = result_of_cells(selection.view.explored.result, np.sort(numbers))
            table = cells_table(runs, runs.cells)
            frame, title = table.frame.set_index("cell", drop=False).loc[numbers], shown_of(len(numbers), n, "cell")
        else:
            if n > MOST_CELLS:
                raise SweepError(f"only stored columns sort {n:,} cells; select at most {MOST_CELLS:,} cells")
            table = cells_table(runs, runs.cells)
            frame = page.rows(table.frame, [str(column.shows[0]) for column in table.columns])
            n, title = len(table.frame), table.title
        options = swept(runs.study)
        commands = (_show(selection, row, options) for row in frame.to_dict("records"))
        return _answer(selection, page, title, table.columns, frame, n, commands)


def _is_stored(selection: Selection, sort: str) -> bool:
    """Return whether cells can be sorted by one column that is stored, or without any."""
    study = selection.result.study
    return not sort or sort in study.parameters or sort in (column.name for column in cells_columns(study))


def _keys(selection: Selection, sort: str) -> pd.Series[Any] | None:
    """Return the values by which the cells of a selection are sorted; None for the order of the study."""
    whole = selection.view.explored.result
    if sort in ("", "cell"):
        return None
    if sort in whole.study.parameters:
        return pd.Series(whole.study.grid.column(sort, selection.cells))
    stored: pd.Series[Any] = whole.stored.read_cells([sort])[sort].to_pandas()
    return stored if len(stored) == len(selection.cells) else stored.take(selection.cells)


def runs_page(selection: Selection, query: Mapping[str, str]) -> dict[str, Any]:
    """Return rows of the table of the runs of a selection, as JSON. SweepError if rows of runs were not kept."""
    page = Page.of(query)
    with selection.view.explored.reading:
        result = selection.result
        if not result.keeps_runs:
            raise SweepError(why_unpaired(result))
        known = [column for column in runs_columns(result.study) if not column.is_list]
        names = [column.name for column in known]
        n_seeds, cells = result.study.seeds.count, selection.cells
        if not page.sort and result.complete and not result.study.seeds.until:
            n = len(cells) * n_seeds
            places = page.of_many(None, np.arange(n))
            numbers = cells[places // n_seeds] * n_seeds + places % n_seeds
        else:
            if len(cells) * n_seeds > _MOST_SORTED:
                raise SweepError(
                    f"at most {_MOST_SORTED:,} runs are sorted, got {len(cells) * n_seeds:,}; select fewer cells"
                )
            order = result.runs(list(dict.fromkeys(["run", page.sort if page.sort in names else "run"])))
            n, numbers = len(order), page.rows(order, names)["run"].to_numpy()
        whole = selection.view.explored.result
        rows = result_of_cells(whole, np.unique(numbers // n_seeds)).runs(names)
        frame = rows.set_index("run", drop=False).loc[numbers]
        explored = selection.view.explored
        trace = ["sweep", "trace", explored.source, *(part for file in explored.plugins for part in ("--plugin", file))]
        commands = (shlex.join([*trace, "--run", str(number)]) for number in numbers)
        title = shown_of(len(frame), n, "run")
        return _answer(selection, page, title, [_run_column(each) for each in known], frame, n, commands)


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
