"""Tables as CSV, JSON or TeX, for other programs and for papers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pandas as pd

from sweep.columns import Column
from sweep.errors import SweepError, shown, unknown
from sweep.results.queries import Queries
from sweep.results.sentences import coverage
from sweep.results.tables import tables_of, why_no_tables
from sweep.results.tables.cells_table import cells_table
from sweep.results.tables.table import Table
from sweep.results.tex import tex_table
from sweep.schemas.cell_columns import cells_columns
from sweep.statistics.definitions import definition_of
from sweep.study.selection import check_top
from sweep.system.atomic_files import check_output, replace_file

FORMATS = ("csv", "json", "tex")
ROWS_AT_A_TIME = 10_000

_N_CELLS = Column("n_cells", "int64", "cells", "cells that are pooled")
# Descriptions of columns: phrases for single cells, and their replacements for several.
_OF_SEVERAL = {
    "runs of the cell": "runs of the cells",
    "95 % Wilson interval": "95 % interval, which counts each seed once",
}


def format_of(to: str | None, out: Path | None) -> str:
    """Return the format by its name, or by the suffix of the file; CSV without either."""
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
    result: Queries,
    to: str | None,
    by: Sequence[str],
    out: str | Path | None,
    sort: str | None,
    top: int | None,
    table: str = "cells",
) -> str | None:
    """Write a table to a file, or return it as text; see :meth:`sweep.Result.export`."""
    file = None if out is None else Path(out)
    form = format_of(to, file)
    if file is not None:
        check_output(file)
    if table == "cells":
        tables = [cells_table(result, result.summarize(by) if by else result.cells, by, sort, top)]
    else:
        if by or sort:
            raise SweepError(f"by and sort: are for the table of cells, got table {shown(table)}; omit them")
        check_top(top)
        tables = tables_of(result, table, top)
        if not tables:
            raise SweepError(f"table {table!r}: the result has none, since {why_no_tables(result, table)}")
    text = exported(result, form, tables, by)
    if file is None:
        return text
    replace_file(file, text.encode())
    return None


def exported(result: Queries, to: str, tables: Sequence[Table], by: Sequence[str]) -> str:
    """Return tables in one of :data:`FORMATS` as text. In CSV and JSON, tables with the same frame are written once."""
    columns = cells_columns(result.study)
    if by:
        columns = [*map(_of_several, columns), _N_CELLS]
    if to == "tex":
        label = f"tab:{result.study.name}"
        labels = [label] if len(tables) == 1 else [f"{label}-{k}" for k in range(1, len(tables) + 1)]
        return "\n".join(
            tex_table(result, table, each, [*(_of_answers(table.frame, str(name)) for name in table.frame), *columns])
            for table, each in zip(tables, labels, strict=True)
        )
    tables = list({id(table.frame): table for table in tables}.values())
    frame = tables[0].frame
    if len(tables) > 1:
        values = dict.fromkeys(("first", "second"), object)  # options may have integers, floats or texts
        frame = pd.concat([table.frame.astype(values) for table in tables], ignore_index=True)
    if to == "csv":  # rows of a partial result say so in one more column
        return str((frame if result.complete else frame.assign(partial=True)).to_csv(index=False, lineterminator="\n"))
    known = {column.name: column for column in columns}
    described = [
        _described(frame, str(name), tables[0].meanings) or known.get(str(name)) or _of_answers(frame, str(name))
        for name in frame
    ]
    return "".join(_json(result, frame, sum(table.n_rows for table in tables), described, by))


def _of_several(column: Column) -> Column:
    """Return the description of a column for pooled cells."""
    doc = column.doc
    for of_one, of_several in _OF_SEVERAL.items():
        doc = doc.replace(of_one, of_several)
    return replace(column, doc=doc)


def _json(
    result: Queries, frame: pd.DataFrame, n_rows: int, columns: Sequence[Column], by: Sequence[str]
) -> Iterator[str]:
    """Yield strict JSON, a line for each column and row. Missing values are null, infinite ones the text "inf".

    pandas would round floats to 15 decimals.
    """
    about: dict[str, Any] = {"study": result.study.name, "complete": result.complete}
    if not result.complete:
        about["coverage"] = coverage(result)
    about |= {name: result.facts.get(name) for name in ("identity", "digest")}
    about |= {"n_runs": result.facts["n_runs"], "pooled_by": list(by) or None}
    about |= {"n_rows": len(frame), "n_rows_in_all": n_rows}
    yield "{\n"
    for name, value in about.items():
        yield f"{json.dumps(name)}: {json.dumps(value)},\n"
    described = [
        f"{json.dumps(c.name)}: {json.dumps({'type': c.type, 'unit': c.unit, 'description': c.doc})}" for c in columns
    ]
    yield '"columns": {\n' + ",\n".join(described) + '\n},\n"rows": [\n'
    between = ""
    for row in _rows(frame):
        yield between + json.dumps(row, allow_nan=False)
        between = ",\n"
    yield "\n]\n}\n"


def _described(frame: pd.DataFrame, name: str, meanings: Mapping[str, str]) -> Column | None:
    """Return the description of a column with a meaning in its table; None without one."""
    return Column(name, str(frame[name].dtype), "", meanings[name]) if name in meanings else None


def _of_answers(frame: pd.DataFrame, name: str) -> Column:
    """Return the description of a column that cells do not have."""
    definition = definition_of(name)
    return Column(name, str(frame[name].dtype), "", definition.text if definition else "")


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
