"""The table of cells as CSV, JSON or TeX, for other programs and for papers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sweep.columns import Column
from sweep.errors import SweepError, shown, unknown
from sweep.results.answers import default_statistic, sort_by
from sweep.results.queries import Queries
from sweep.results.sentences import coverage
from sweep.results.tex import tex_table
from sweep.schemas.cell_columns import cells_columns
from sweep.system.atomic_files import check_output, replace_file
from sweep.system.formatting import count_text

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "json", "tex")
ROWS_AT_A_TIME = 10_000

_N_CELLS = Column("n_cells", "int64", "cells", "cells that are pooled")
# Descriptions of columns: phrases for single cells, and their replacements for several.
_OF_SEVERAL = {
    "runs of the cell": "runs of the cells",
    "95 % Wilson interval": "95 % interval, which counts each seed once",
}


class Table(NamedTuple):
    """Rows to write.

    Attributes
    ----------
    frame
        The table.
    columns
        Descriptions of the columns, in their order.
    by
        Parameters by which cells are pooled; none for single cells.
    order
        The order of the rows as a clause; empty for that of the study.
    n_rows
        Rows of the whole table; the frame may have only the first of them.
    """

    frame: pd.DataFrame
    columns: list[Column]
    by: Sequence[str]
    order: str
    n_rows: int

    def heading(self) -> str:
        """Return what the rows are, how many there are, and their order."""
        what = "cell" if not self.by else "value" if len(self.by) == 1 else "combination"
        of = f" of {', '.join(self.by)}" if self.by else ""
        part = "" if len(self.frame) == self.n_rows else f"{len(self.frame):,} of "
        return f"{part}{count_text(self.n_rows, what)}{of}{self.order}"


def format_of(to: str | None, out: Path | None) -> str:
    """Return the format by its name, or by the suffix of the file; CSV without either.

    Raises
    ------
    SweepError
        If there is no such format.
    """
    if to is None and out is None:
        return "csv"
    if to is None:
        to = Path(out or "").suffix[1:].lower()
        if to not in FORMATS:
            suffixes = ", ".join(f".{name}" for name in FORMATS)
            path = shown(str(out), 200)
            raise SweepError(f"suffix of the file: must be one of {suffixes}, got {path}; or name the format: --to csv")
    if to not in FORMATS:
        raise SweepError(unknown("format", to, FORMATS))
    return to


def export(
    result: Queries, to: str | None, by: Sequence[str], out: str | Path | None, sort: str | None, top: int | None
) -> str | None:
    """Write the table of cells to a file, or return it as text; see :meth:`sweep.Result.export`."""
    file = None if out is None else Path(out)
    form = format_of(to, file)
    if file is not None:
        check_output(file)
    text = exported(result, form, by, sort, top)
    if file is None:
        return text
    replace_file(file, text.encode())
    return None


def exported(result: Queries, to: str, by: Sequence[str] = (), sort: str | None = None, top: int | None = None) -> str:
    """Return the table of cells in one of :data:`FORMATS` as text; see :meth:`sweep.Result.export`."""
    table = _table(result, by, sort, top)
    if to == "csv":
        return _csv(result, table)
    if to == "json":
        return "".join(_json(result, table))
    return tex_table(result, table.frame, table.columns, by, table.heading())


def _table(result: Queries, by: Sequence[str], sort: str | None, top: int | None) -> Table:
    """Return the rows to write, in the order ``sort``. The first ``top`` rows are the best ones by default."""
    if top is not None and top < 1:
        raise SweepError(f"top: must be at least 1, got {top}")
    whole = result.summarize(by) if by else result.cells
    frame, order = whole, f", sorted by {sort}" if sort else ""
    if sort or top:
        frame = sort_by(whole, result.study, sort or default_statistic(result.study)).head(top or len(whole))
        order = order or ", best first"
    columns = cells_columns(result.study)
    known = {column.name: column for column in ([*map(_of_several, columns), _N_CELLS] if by else columns)}
    return Table(frame, [known[name] for name in frame.columns], by, order, len(whole))


def _of_several(column: Column) -> Column:
    """Return the description of a column for pooled cells."""
    doc = column.doc
    for of_one, of_several in _OF_SEVERAL.items():
        doc = doc.replace(of_one, of_several)
    return replace(column, doc=doc)


def _csv(result: Queries, table: Table) -> str:
    """Return CSV. Missing values are empty; rows of a partial result have a column ``partial``."""
    frame = table.frame if result.complete else table.frame.assign(partial=True)
    return str(frame.to_csv(index=False, lineterminator="\n"))


def _json(result: Queries, table: Table) -> Iterator[str]:
    """Yield strict JSON, a line for each column and row. Missing values are null, infinite ones the text "inf".

    pandas would round floats to 15 decimals.
    """
    about: dict[str, Any] = {"study": result.study.name, "complete": result.complete}
    if not result.complete:
        about["coverage"] = coverage(result)
    about |= {name: result.facts.get(name) for name in ("identity", "digest")}
    about |= {"n_runs": result.facts["n_runs"], "pooled_by": list(table.by) or None}
    about |= {"n_rows": len(table.frame), "n_rows_in_all": table.n_rows}
    yield "{\n"
    for name, value in about.items():
        yield f"{json.dumps(name)}: {json.dumps(value)},\n"
    columns = [
        f"{json.dumps(c.name)}: {json.dumps({'type': c.type, 'unit': c.unit, 'description': c.doc})}"
        for c in table.columns
    ]
    yield '"columns": {\n' + ",\n".join(columns) + '\n},\n"rows": [\n'
    between = ""
    for row in _rows(table.frame):
        yield between + json.dumps(row, allow_nan=False)
        between = ",\n"
    yield "\n]\n}\n"


def _rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield rows as values of JSON. They become Python objects a few at a time, since these take much memory."""
    names = list(frame.columns)
    for start in range(0, len(frame), ROWS_AT_A_TIME):
        part = frame.iloc[start : start + ROWS_AT_A_TIME]
        for row in zip(*(_plain(part[name]) for name in names), strict=True):
            yield dict(zip(names, row, strict=True))


def _plain(values: pd.Series[Any]) -> list[Any]:
    """Return a column as values of JSON."""
    listed = values.astype(object).where(values.notna(), None).tolist()
    return [str(value) if value in (inf, -inf) else value for value in listed]
