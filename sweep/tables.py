"""Tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from sweep.result import Result

if TYPE_CHECKING:
    import pandas as pd

# Rows of a cells table beyond which only the first are printed.
MAX_ROWS = 200


def print_summary(result: Result, console: Console) -> None:
    """Print what was trained, and the convergence rate over the swept parameters.

    With two swept parameters the rates make a matrix, otherwise a list of cells.
    """
    facts = result.facts
    rate = facts["net_steps"] / facts["kernel_seconds"] / 1e6 if facts["kernel_seconds"] else 0.0
    console.print(
        f"{facts['name']}: {facts['n_runs']:,} runs in {facts['n_cells']:,} cells, {facts['net_steps']:,} steps in "
        f"{facts['kernel_seconds']:.1f} s ({rate:,.0f} million a second)",
        highlight=False,
        soft_wrap=True,
    )
    swept = [name for name, values in result.study.parameters.items() if len(values) > 1]
    if len(swept) == 2 and len(result.study.parameters[swept[1]]) <= 20:
        console.print(rate_matrix(result.cells, *swept))
    else:
        print_cells(result, console)


def rate_matrix(cells: pd.DataFrame, rows: str, columns: str) -> Table:
    """Make a table of the convergence rate in percent over two parameters."""
    table = Table(title=f"convergence rate, %, over {rows} and {columns}", title_justify="left")
    table.add_column(rows, justify="right", style="bold")
    matrix = cells.pivot(index=rows, columns=columns, values="convergence_rate")
    for value in matrix.columns:
        table.add_column(short(value), justify="right")
    for value, rates in zip(matrix.index, matrix.to_numpy(), strict=True):
        table.add_row(short(value), *(f"{100 * rate:.1f}" for rate in rates))
    return table


def print_cells(result: Result, console: Console) -> None:
    """Print a line for each cell."""
    cells = result.cells
    table = Table(title="cells: rate in % with its 95 % interval; steps by which half of all runs converged")
    parameters = list(result.study.parameters)
    for name in ("cell", *parameters):
        table.add_column(name, justify="right")
    for name in (
        "runs",
        "converged",
        "diverged",
        "stalled",
        "exhausted",
        "rate",
        "interval",
        "half by",
        "expected steps",
    ):
        table.add_column(name, justify="right")
    for row in cells.head(MAX_ROWS).to_dict("records"):
        table.add_row(
            str(row["cell"]),
            *(short(row[name]) for name in parameters),
            *(f"{row[name]:,}" for name in ("n_runs", "n_converged", "n_diverged", "n_stalled", "n_exhausted")),
            f"{100 * row['convergence_rate']:.1f}",
            f"{100 * row['convergence_rate_low']:.1f} - {100 * row['convergence_rate_high']:.1f}",
            _count(row["steps_q50"]),
            _count(row["expected_steps"]),
        )
    console.print(table)
    if len(cells) > MAX_ROWS:
        place = f"; all are in {result.directory / 'cells.parquet'}" if result.directory else ""
        console.print(f"first {MAX_ROWS} of {len(cells):,} cells{place}", highlight=False)


def short(value: Any) -> str:
    """Write a value of a parameter in four significant digits at most."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _count(value: Any) -> str:
    """Write a number of steps; a dash where there is none."""
    return "-" if value != value or value is None or value == float("inf") or str(value) == "<NA>" else f"{value:,.0f}"
