"""Tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from sweep.result import Result

if TYPE_CHECKING:
    import pandas as pd

# Cells beyond this many are left to cells.parquet.
MAX_ROWS = 200


def print_table(table: Table) -> None:
    """Print a table whole: a narrow screen may wrap its lines, but numbers are not cut."""
    console = Console(highlight=False)
    needed = console.measure(table, options=console.options.update(max_width=1000)).maximum
    console.width = max(console.width, needed)
    console.print(table)


def print_summary(result: Result) -> None:
    """Print what was trained, and the convergence rate over the swept parameters.

    With two swept parameters the rates make a matrix, otherwise a list of cells.
    """
    facts = result.facts
    rate = facts["net_steps"] / facts["kernel_seconds"] / 1e6 if facts["kernel_seconds"] else 0.0
    print(
        f"{facts['name']}: {facts['n_runs']:,} runs in {facts['n_cells']:,} cells, {facts['net_steps']:,} steps in "
        f"{facts['kernel_seconds']:.1f} s ({rate:,.0f} million a second)"
    )
    swept = [name for name, values in result.study.parameters.items() if len(values) > 1]
    columns, rows = sorted(swept, key=lambda name: len(result.study.parameters[name])) if len(swept) == 2 else ("", "")
    if columns and len(result.study.parameters[columns]) <= 12:
        print_table(rate_matrix(result.cells, rows, columns))
    else:
        print_cells(result)


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


def print_cells(result: Result) -> None:
    """Print a line for each cell."""
    cells = result.cells
    parameters = list(result.study.parameters)
    table = make_table("cells: rate in % with its 95 % interval; steps by which half of all runs have converged")
    counts = ("converged", "diverged", "stalled", "exhausted")
    for name in ("cell", *parameters, *counts, "rate", "half_by", "expected_steps"):
        table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)
    for row in cells.head(MAX_ROWS).to_dict("records"):
        rate, low, high = (100 * row[f"convergence_rate{end}"] for end in ("", "_low", "_high"))
        table.add_row(
            str(row["cell"]),
            *(short(row[name]) for name in parameters),
            *(f"{row[f'n_{name}']:,}" for name in counts),
            f"{rate:.1f} [{low:.1f}, {high:.1f}]",
            _steps(row["steps_q50"]),
            _steps(row["expected_steps"]),
        )
    print_table(table)
    if len(cells) > MAX_ROWS:
        place = f"; all are in {result.directory / 'cells.parquet'}" if result.directory else ""
        print(f"first {MAX_ROWS} of {len(cells):,} cells{place}")


def short(value: Any) -> str:
    """Write a value of a parameter in four significant digits at most."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def make_table(title: str) -> Table:
    """Make an empty table in the style of all."""
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)


def _steps(value: Any) -> str:
    """Write a number of steps; a dash where there is none."""
    missing = value is None or str(value) == "<NA>" or value != value or value == float("inf")
    return "-" if missing else f"{value:,.0f}"
