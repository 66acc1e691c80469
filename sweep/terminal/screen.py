"""Tables on the terminal, in one common style."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import replace
from itertools import takewhile
from typing import Any

from rich import box
from rich import table as rich_table
from rich.console import Console
from rich.measure import Measurement
from rich.text import Text

from sweep.results.tables.table import Table, TableColumn
from sweep.study.selection import check_top
from sweep.system.escaping import escaped, unescaped
from sweep.system.wrapping import is_terminal, print_text

# Most rows of a table that is not printed on a terminal, and the rows printed of one that does not fit.
MAX_ROWS = 40
FEW_ROWS = 10


class PlainConsole(Console):
    """A console that prints text literally, without control sequences and without the markup of Rich."""

    def __init__(self) -> None:
        super().__init__(file=unescaped(sys.stdout), highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **style: Any) -> Text:
        """Return a string as text of Rich; unprintable characters are escaped."""
        return super().render_str(escaped(text), **style)


def print_table(table: Table) -> None:
    """Print a table. A narrow screen omits optional columns and shows the others in parts, but truncates no number."""
    title, width = table.title, too_wide(table)
    if width and table.omitted:
        table = table.essential()
        title += f" ({table.omitted} need a screen {width} columns wide)"
    console = PlainConsole()
    console.print(title, style="italic", soft_wrap=not is_terminal(sys.stdout))
    for number, part in enumerate(_parts(table)):
        print("\n" if number else "", end="")
        console.width = max(console.width, _measured(part).minimum if is_terminal(sys.stdout) else _width(part))
        console.print(_drawn(part))
    if table.notes:
        print_text(*table.notes)


def _parts(table: Table) -> list[Table]:
    """Return a table in parts that fit on the screen, each of which begins with the columns that name the rows.

    They begin with the first of these alone if that makes fewer or narrower parts.
    """
    if not too_wide(table):
        return [table]
    names = tuple(takewhile(lambda column: column.is_name, table.columns))
    ways = [_parts_with(table, names), _parts_with(table, names[:1])]
    return min(ways, key=lambda parts: (any(map(too_wide, parts)), len(parts)))


def _parts_with(table: Table, names: tuple[TableColumn, ...]) -> list[Table]:
    """Return a table in parts, each of which begins with some columns."""
    parts = [names]
    for column in table.columns[len(names) :]:
        if len(parts[-1]) > len(names) and too_wide(replace(table, columns=(*parts[-1], column))):
            parts.append(names)
        parts[-1] = (*parts[-1], column)
    return [replace(table, columns=columns) for columns in parts]


def _drawn(table: Table) -> rich_table.Table:
    """Return the table of Rich."""
    drawn = rich_table.Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for column, texts in zip(table.columns, zip(*table.texts, strict=True), strict=True):
        head = _head(column)
        if column.is_text:
            drawn.add_column(head)
        else:  # never broken
            drawn.add_column(head, justify="right", min_width=max(map(len, (*head.split("\n"), *texts))))
    for row in table.texts:
        drawn.add_row(*row)
    return drawn


def _head(column: TableColumn) -> str:
    """Return the head in lines: a line for each word, unless an interval takes more room or the head says where."""
    head = column.head.replace("_", "\n")
    if column.interval:
        return f"{head}\n[{column.interval}]"
    return head if column.is_text or "\n" in head else re.sub(r"(?<!,) ", "\n", head)


def rows_that_fit(other_lines: int) -> int:
    """Return the number of rows of a table that fit on the screen besides other lines."""
    return max(shutil.get_terminal_size().lines - other_lines, FEW_ROWS) if is_terminal(sys.stdout) else MAX_ROWS


def how_many(n_rows: int, top: int | None, other_lines: int) -> int | None:
    """Return the number of rows to print, or None for all.

    By default all are printed if they fit on the screen besides other lines, else ten.
    """
    check_top(top)
    return FEW_ROWS if top is None and n_rows > rows_that_fit(other_lines) else top


def too_wide(table: Table) -> int:
    """Return the width of a table if the screen is narrower, else 0."""
    width = _width(table)
    return width if is_terminal(sys.stdout) and width > shutil.get_terminal_size().columns else 0


def _width(table: Table) -> int:
    """Return the width of a table without truncation."""
    return _measured(table).maximum


def _measured(table: Table) -> Measurement:
    """Return the widths of a table with and without line breaks in texts."""
    console = PlainConsole()
    return console.measure(_drawn(table), options=console.options.update(max_width=1000))
