"""Tables on the terminal, in one common style."""

from __future__ import annotations

import re
import shutil
import sys
from typing import Any

from rich import box
from rich import table as rich_table
from rich.console import Console
from rich.text import Text

from sweep.results.tables.table import Table, TableColumn
from sweep.study.selection import check_top
from sweep.system.escaping import escaped

# Most rows of a table that is not printed on a terminal, and the rows printed of one that does not fit.
MAX_ROWS = 40
FEW_ROWS = 10


class PlainConsole(Console):
    """A console that prints text literally, without control sequences and without the markup of Rich."""

    def __init__(self) -> None:
        super().__init__(highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **style: Any) -> Text:
        """Return a string as text of Rich; unprintable characters are escaped."""
        return super().render_str(escaped(text), **style)


def print_table(table: Table) -> None:
    """Print a table. A narrow screen omits optional columns and may wrap lines, but never truncates numbers."""
    title, width = table.title, too_wide(table)
    if width and table.omitted:
        table = table.essential()
        title += f" ({table.omitted} need a screen {width} columns wide)"
    console = PlainConsole()
    console.print(title, style="italic", soft_wrap=True)  # as part of the table it would be wrapped at its width
    console.width = max(console.width, _width(table))
    console.print(_drawn(table))
    if table.notes:
        print(*table.notes, sep="\n")


def _drawn(table: Table) -> rich_table.Table:
    """Return the table of Rich."""
    drawn = rich_table.Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for column in table.columns:
        drawn.add_column(_head(column), justify="left" if column.is_text else "right", no_wrap=True)
    for texts in table.texts:
        drawn.add_row(*texts)
    return drawn


def _head(column: TableColumn) -> str:
    """Return the head in lines: a line for each word, unless an interval takes more room or the head says where."""
    head = column.head.replace("_", "\n")
    if column.interval:
        return f"{head}\n[{column.interval}]"
    return head if column.is_text or "\n" in head else re.sub(r"(?<!,) ", "\n", head)


def rows_that_fit(other_lines: int) -> int:
    """Return the number of rows of a table that fit on the screen besides other lines."""
    return max(shutil.get_terminal_size().lines - other_lines, FEW_ROWS) if sys.stdout.isatty() else MAX_ROWS


def how_many(n_rows: int, top: int | None, other_lines: int) -> int | None:
    """Return the number of rows to print, or None for all.

    By default all are printed if they fit on the screen besides other lines, else ten.
    """
    check_top(top)
    return FEW_ROWS if top is None and n_rows > rows_that_fit(other_lines) else top


def too_wide(table: Table) -> int:
    """Return the width of a table if the screen is narrower, else 0."""
    width = _width(table)
    return width if sys.stdout.isatty() and width > shutil.get_terminal_size().columns else 0


def _width(table: Table) -> int:
    """Return the width of a table without truncation."""
    console = PlainConsole()
    return console.measure(_drawn(table), options=console.options.update(max_width=1000)).maximum
