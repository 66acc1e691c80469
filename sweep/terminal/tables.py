"""Tables for the terminal, in one common style."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sweep.errors import SweepError
from sweep.system.escaping import escaped

# Most rows of a table that is not printed on a terminal, and the rows printed of one that does not fit.
MAX_ROWS = 40
FEW_ROWS = 10

RATE = "rate, %\n[95 % interval]"


class PlainConsole(Console):
    """A console that prints text literally, without control sequences and without the markup of Rich."""

    def __init__(self) -> None:
        super().__init__(highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **style: Any) -> Text:
        """Return a string as text of Rich; unprintable characters are escaped."""
        return super().render_str(escaped(text), **style)


def make_table(title: str = "") -> Table:
    """Return an empty table in the common style."""
    return Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)


def add_column(table: Table, name: str) -> None:
    """Add a column of numbers, with a line of the header for each word of its name."""
    table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)


def print_table(table: Table) -> None:
    """Print a table. A narrow screen may wrap its lines, but never truncates numbers."""
    console = PlainConsole()
    if table.title:  # as part of the table it would be wrapped at the width of the table
        console.print(table.title, style="italic", soft_wrap=True)
        table.title = None
    console.width = max(console.width, _width(table))
    console.print(table)


def print_that_fits(make: Callable[[Sequence[str]], Table], ends: Sequence[str], heading: str) -> None:
    """Print a table, without the numbers of runs by status if the screen is too narrow for them."""
    table = make(ends)
    width = too_wide(table)
    if width:
        table = make(())
        heading += f" (numbers by status need a screen {width} columns wide)"
    table.title = heading
    print_table(table)


def rows_that_fit(other_lines: int) -> int:
    """Return the number of rows of a table that fit on the screen besides other lines."""
    return max(shutil.get_terminal_size().lines - other_lines, FEW_ROWS) if sys.stdout.isatty() else MAX_ROWS


def how_many(n_rows: int, top: int | None, other_lines: int) -> int:
    """Return the number of rows to print.

    Parameters
    ----------
    n_rows
        Rows of the table.
    top
        Most rows; None for all if they fit on the screen, else ten.
    other_lines
        Lines that are printed besides the rows.

    Returns
    -------
    int
        At most ``n_rows``.

    Raises
    ------
    SweepError
        If ``top`` is below 1.
    """
    if top is not None and top < 1:
        raise SweepError(f"top: must be at least 1, got {top}")
    few = n_rows if n_rows <= rows_that_fit(other_lines) else FEW_ROWS
    return min(n_rows, few if top is None else top)


def too_wide(table: Table) -> int:
    """Return the width of a table if the screen is narrower, else 0."""
    width = _width(table)
    return width if sys.stdout.isatty() and width > shutil.get_terminal_size().columns else 0


def _width(table: Table) -> int:
    """Return the width of a table without truncation."""
    console = PlainConsole()
    return console.measure(table, options=console.options.update(max_width=1000)).maximum
