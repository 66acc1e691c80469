"""Tables for the terminal, in the style of all."""

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
from sweep.study.columns import STATUSES
from sweep.system.escaping import escaped

# Rows of a table that is not printed on a terminal, and of one that does not fit.
MAX_ROWS = 40
FEW_ROWS = 10

RATE = "rate, %\n[95 % interval]"


class PlainConsole(Console):
    """A console that prints text as it is: neither sequences that steer a terminal nor the markup of Rich."""

    def __init__(self) -> None:
        super().__init__(highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **style: Any) -> Text:
        """Make a text of a string, with what is not printable escaped."""
        return super().render_str(escaped(text), **style)


def make_table(title: str = "") -> Table:
    """Make an empty table in the style of all."""
    return Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)


def add_column(table: Table, name: str) -> None:
    """Add a column of numbers, whose name stands in lines."""
    table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)


def print_table(table: Table) -> None:
    """Print a table whole: a narrow screen may wrap its lines, but numbers are not cut."""
    console = PlainConsole()
    if table.title:  # the table itself would wrap it at its own width
        console.print(table.title, style="italic", soft_wrap=True)
        table.title = None
    console.width = max(console.width, _width(table))
    console.print(table)


def print_that_fits(make: Callable[[Sequence[str]], Table], heading: str) -> None:
    """Print a table with the runs that ended in each way, or without where the screen is too narrow for that."""
    table = make(STATUSES)
    width = too_wide(table)
    if width:
        table = make(())
        heading += f" (how runs ended takes a screen {width} columns wide)"
    table.title = heading
    print_table(table)


def rows_that_fit(other_lines: int) -> int:
    """Return how many rows of a table the screen has room for beside other lines."""
    return max(shutil.get_terminal_size().lines - other_lines, FEW_ROWS) if sys.stdout.isatty() else MAX_ROWS


def how_many(n_rows: int, top: int | None, other_lines: int) -> int:
    """Return how many rows to show: ``top`` if given, else all if they fit on the screen, else a few."""
    if top is not None and top < 1:
        raise SweepError(f"top {top} given; must be at least 1")
    few = n_rows if n_rows <= rows_that_fit(other_lines) else FEW_ROWS
    return min(n_rows, few if top is None else top)


def too_wide(table: Table) -> int:
    """Return the width of a table if the screen is narrower, else 0."""
    width = _width(table)
    return width if sys.stdout.isatty() and width > shutil.get_terminal_size().columns else 0


def _width(table: Table) -> int:
    """Return how wide a table is when nothing of it is cut."""
    console = PlainConsole()
    return console.measure(table, options=console.options.update(max_width=1000)).maximum
