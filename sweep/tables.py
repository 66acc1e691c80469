"""Tables and sentences for the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from sweep.answers import best_first, judges_convergence, n_not_worse, sort_by, sum_over, swept
from sweep.errors import SweepError
from sweep.result import Result
from sweep.schema import STATUSES

if TYPE_CHECKING:
    import pandas as pd

# Rows of a table that is not printed on a terminal, and of one that does not fit.
MAX_ROWS = 40
FEW_ROWS = 10

# Lines that `sweep run` and `sweep show` print beside the rows of a table, which should stay on the screen with it.
_LINES_OF_RUN = 9
_LINES_OF_SHOW = 16

_MAX_COLUMNS = 12
_RATE = "rate, %\n[95 % interval]"


def print_summary(result: Result) -> None:
    """Print what was trained, the convergence rate over the swept parameters, and the best cell.

    With two swept parameters the rates make a matrix, otherwise a list of cells.
    """
    facts = result.facts
    rate = facts["net_steps"] / facts["kernel_seconds"] / 1e6 if facts["kernel_seconds"] else 0.0
    print(
        f"{facts['name']}: {facts['n_runs']:,} runs in {facts['n_cells']:,} cells, {facts['net_steps']:,} steps in "
        f"{facts['kernel_seconds']:.1f} s of training ({rate:,.0f} million per second)"
    )
    if not _print_matrix(result):
        print_cells(result)
    print(best_cell(result))


def best_cell(result: Result) -> str:
    """Say in a sentence which cell is best and how sure that is, or why none is."""
    cells = result.cells
    if not judges_convergence(result.study):
        return "no cell is best: the study has criterion 'none', so convergence is not judged"
    (best,) = best_first(cells).head(1).to_dict("records")
    if not best["n_converged"]:
        return "no run converged" + (f" in any of the {len(cells):,} cells" if len(cells) > 1 else "")
    rate, low, high = (100 * best[f"convergence_rate{end}"] for end in ("", "_low", "_high"))
    median = _steps(best["steps_q50"])
    steps = f"median {median} steps" if median != "-" else f"{_steps(best['expected_steps'])} steps per converged run"
    text = f"{rate:.1f} % of {best['n_runs']:,} runs converged [{low:.1f}, {high:.1f}], {steps}"
    if len(cells) == 1:
        return text
    alike = n_not_worse(cells)
    others = f"; intervals of {alike:,} other cells overlap with it" if alike > 1 else ""
    others = "; the interval of one other cell overlaps with it" if alike == 1 else others
    return f"best cell: {name_of(result, best['cell'], swept(result.study))}: {text}{others}"


def name_of(result: Result, cell: int, parameters: list[str]) -> str:
    """Return the values of some parameters in a cell, as text."""
    (values,) = result.cells.iloc[[cell]].to_dict("records")
    return ", ".join(f"{name} {short(values[name])}" for name in parameters)


def rate_matrix(cells: pd.DataFrame, rows: str, columns: str) -> Table:
    """Make a table of the convergence rate in percent over two parameters."""
    table = make_table(f"runs converged, %: {rows} (down) and {columns} (across)")
    table.add_column(rows, justify="right", style="bold")
    matrix = cells.pivot(index=rows, columns=columns, values="convergence_rate")
    for value in matrix.columns:
        table.add_column(short(value), justify="right")
    for value, rates in zip(matrix.index, matrix.to_numpy(), strict=True):
        table.add_row(short(value), *(f"{100 * rate:.1f}" for rate in rates))
    return table


def print_cells(result: Result, sort: str | None = None, top: int | None = None) -> None:
    """Print a line for each cell.

    Parameters
    ----------
    result
    sort
        Column to order by, as in :func:`sweep.answers.sort_by`. By default cells stand in the order of
        their numbers if all are printed, else the best come first.
    top
        So many cells; by default all that fit on the screen, or ten.

    Raises
    ------
    SweepError
        If there is no such column, or ``top`` is below 1.
    """
    cells = result.cells
    n_shown = _how_many(len(cells), top)
    judged = judges_convergence(result.study)
    order = sort or ("rate" if judged and (top is not None or n_shown < len(cells)) else "cell")
    rows = sort_by(cells, order).head(n_shown).to_dict("records")
    heading = _heading("cells", n_shown, len(cells), order)
    _print_that_fits(lambda statuses: _cells_table(result, rows, statuses), heading)
    if judged:
        print("median steps: by which half of all runs converged; expected steps: of all runs, per converged run")
    if n_shown < len(cells):
        print(f"{len(cells) - n_shown:,} more {_elsewhere(result, f'--top {len(cells)}')}")


def _cells_table(result: Result, rows: Sequence[Mapping[Any, Any]], statuses: Sequence[str]) -> Table:
    """Return a table of cells, with the runs that ended in each of these ways."""
    parameters = list(result.study.parameters)
    judged = judges_convergence(result.study)
    table = make_table()
    for name in ("cell", *parameters, *statuses, *((_RATE, "median_steps", "expected_steps") if judged else ())):
        _add_column(table, name)
    for row in rows:
        steps = [_rate(row), _steps(row["steps_q50"]), _steps(row["expected_steps"])] if judged else []
        counts = [f"{row[f'n_{name}']:,}" for name in statuses]
        table.add_row(str(row["cell"]), *(short(row[name]) for name in parameters), *counts, *steps)
    return table


def print_sums(result: Result, by: list[str], sort: str | None = None, top: int | None = None) -> None:
    """Print a line for each combination of the values of some parameters, added up over all others.

    Parameters
    ----------
    result
    by
        Swept parameters.
    sort, top
        As of :func:`print_cells`; without ``sort``, lines stand in the order of the study.

    Raises
    ------
    SweepError
        If a name is no swept parameter or given twice, there is no such column, or ``top`` is below 1.
    """
    sums = sum_over(result.cells, result.study, by)
    n_shown = _how_many(len(sums), top)
    rows = (sort_by(sums, sort) if sort else sums).head(n_shown).to_dict("records")
    heading = _heading(f"values of {', '.join(by)}", n_shown, len(sums), sort or "cell")
    _print_that_fits(lambda statuses: _sums_table(result, rows, by, statuses), heading)
    if n_shown < len(sums):
        options = f"--by {','.join(by)} --top {len(sums)}"
        print(f"{len(sums) - n_shown:,} more {_elsewhere(result, options)}")
    if judges_convergence(result.study):
        print("rates are of all runs together; the intervals take them for independent, but cells share their seeds")


def _sums_table(result: Result, rows: Sequence[Mapping[Any, Any]], by: Sequence[str], statuses: Sequence[str]) -> Table:
    """Return a table of sums, with the runs that ended in each of these ways, and the best cell of each sum."""
    others = [name for name in swept(result.study) if name not in by]
    judged = judges_convergence(result.study)
    table = make_table()
    for name in (*by, "cells", *statuses, *([_RATE] if judged else [])):
        _add_column(table, name)
    if judged and others:
        table.add_column("best cell among them", no_wrap=True)
    for row in rows:
        counts = [f"{row[name]:,}" for name in ("n_cells", *(f"n_{name}" for name in statuses))]
        best = [f"{100 * row['best_rate']:.1f} % at {name_of(result, row['best_cell'], others)}"] if others else []
        rates = [_rate(row), *best] if judged else []
        table.add_row(*(short(row[name]) for name in by), *counts, *rates)
    return table


def print_table(table: Table) -> None:
    """Print a table whole: a narrow screen may wrap its lines, but numbers are not cut."""
    console = Console(highlight=False)
    if table.title:  # the table itself would wrap it at its own width
        console.print(table.title, style="italic", soft_wrap=True)
        table.title = None
    console.width = max(console.width, _width(table))
    console.print(table)


def rows_that_fit(other_lines: int) -> int:
    """Return how many rows of a table the screen has room for beside other lines."""
    return max(shutil.get_terminal_size().lines - other_lines, FEW_ROWS) if sys.stdout.isatty() else MAX_ROWS


def short(value: Any) -> str:
    """Write a value of a parameter in four significant digits at most."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def make_table(title: str = "") -> Table:
    """Make an empty table in the style of all."""
    return Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)


def _add_column(table: Table, name: str) -> None:
    table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)


def _print_matrix(result: Result) -> bool:
    """Print the matrix of rates if two parameters are swept, convergence is judged, and the screen has room for it."""
    names = swept(result.study)
    if len(names) != 2 or not judges_convergence(result.study):
        return False
    columns, rows = sorted(names, key=lambda name: len(result.study.parameters[name]))
    n_rows, n_columns = (len(result.study.parameters[name]) for name in (rows, columns))
    if n_rows > rows_that_fit(_LINES_OF_RUN) or n_columns > _MAX_COLUMNS:
        return False
    table = rate_matrix(result.cells, rows, columns)
    if _too_wide(table):
        return False
    print_table(table)
    return True


def _print_that_fits(make: Callable[[Sequence[str]], Table], heading: str) -> None:
    """Print a table with the runs that ended in each way, or without where the screen is too narrow for that."""
    table = make(STATUSES)
    width = _too_wide(table)
    if width:
        table = make(())
        heading += f" (how runs ended takes a screen {width} columns wide)"
    table.title = heading
    print_table(table)


def _too_wide(table: Table) -> int:
    """Return the width of a table if the screen is narrower, else 0."""
    width = _width(table)
    return width if sys.stdout.isatty() and width > shutil.get_terminal_size().columns else 0


def _width(table: Table) -> int:
    """Return how wide a table is when nothing of it is cut."""
    console = Console()
    return console.measure(table, options=console.options.update(max_width=1000)).maximum


def _how_many(n_rows: int, top: int | None) -> int:
    """Return how many rows to show: ``top`` if given, else all if they fit on the screen, else a few."""
    if top is not None and top < 1:
        raise SweepError(f"top {top} given; must be at least 1")
    few = n_rows if n_rows <= rows_that_fit(_LINES_OF_SHOW) else FEW_ROWS
    return min(n_rows, few if top is None else top)


def _heading(what: str, n_shown: int, n_rows: int, order: str) -> str:
    """Say how many rows are shown, and in which order if that is not their own."""
    text = f"{n_rows:,} {what}" if n_shown == n_rows else f"{n_shown:,} of {n_rows:,} {what}"
    return text + {"cell": "", "rate": ", best first"}.get(order, f", by {order}")


def _elsewhere(result: Result, options: str) -> str:
    """Say how to see what is not shown."""
    if result.directory is None:
        return "are in the cells of the result"
    command = f"sweep show {quote(str(result.directory))} {options}"
    return f"with: {command}; all cells are in {result.directory / 'cells.parquet'}"


def _rate(row: Mapping[Any, Any]) -> str:
    rate, low, high = (100 * row[f"convergence_rate{end}"] for end in ("", "_low", "_high"))
    return f"{rate:.1f} [{low:.1f}, {high:.1f}]"


def _steps(value: Any) -> str:
    """Write a number of steps; a dash where there is none."""
    missing = value is None or str(value) == "<NA>" or value != value or value == float("inf")
    return "-" if missing else f"{value:,.0f}"
