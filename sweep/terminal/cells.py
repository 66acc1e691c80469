"""The cells of a result on the terminal: a matrix of rates, or a line per cell or per value of a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from shlex import quote
from typing import TYPE_CHECKING, Any

from rich.table import Table

from sweep.columns import statuses
from sweep.measures import MEASURES
from sweep.results.answers import default_statistic, has_criterion, sort_by, swept
from sweep.results.pooled_cells import sum_over
from sweep.results.result import Result
from sweep.results.sentences import answer, of_each_cell, of_several_cells
from sweep.schemas.cell_columns import recorded_quantities
from sweep.statistics.of_cells import main_statistic_of
from sweep.system.escaping import one_line
from sweep.system.formatting import (
    count_text,
    large_text,
    measure_text,
    measure_texts,
    name_text,
    rate_text,
    short,
    steps_text,
)
from sweep.terminal.best import measure_heads
from sweep.terminal.tables import (
    RATE,
    add_column,
    how_many,
    make_table,
    print_table,
    print_that_fits,
    rows_that_fit,
    too_wide,
)

if TYPE_CHECKING:
    import pandas as pd

# Lines that `sweep run` and `sweep show` print besides the rows of a table and that should fit on the screen with it.
_LINES_OF_RUN = 11
_LINES_OF_SHOW = 18

_MAX_COLUMNS = 12


def print_summary(result: Result) -> None:
    """Print the size of a result, its answer, and the convergence rates.

    The rates of two swept parameters are a matrix if it fits on the screen, other rates a list of cells.
    """
    facts = result.facts
    reused, seconds = facts["reused_steps"], facts["kernel_seconds"]
    trained = facts["net_steps"] - reused
    rate = f" ({large_text(trained / seconds)} per second)" if seconds else ""
    parts = [count_text(facts["n_runs"], "run") + " in " + count_text(facts["n_cells"], "cell")]
    parts += [f"{reused:,} steps reused from earlier results"] if reused else []
    parts += [f"{trained:,} steps in {seconds:.1f} s of training{rate}"]
    print(f"{one_line(facts['name'])}: {', '.join(parts)}")
    print(*answer(result), sep="\n")
    if not _print_matrix(result):
        print_cells(result)


def rate_matrix(cells: pd.DataFrame, rows: str, columns: str, statistic: str = "convergence_rate") -> Table:
    """Return a table of the convergence rate in percent, or of the median final loss, over two parameters.

    Parameters
    ----------
    cells
        Cells of a result.
    rows, columns
        The parameters down and across.
    statistic
        ``"convergence_rate"`` or ``"final_loss_q50"``.

    Returns
    -------
    Table
        A dash for cells without a value.
    """
    rate = statistic == "convergence_rate"
    what = "runs converged, %" if rate else "median final loss"
    table = make_table(f"{what}: {rows} (down) and {columns} (across)")
    table.add_column(rows, justify="right", style="bold")
    matrix = cells.pivot(index=rows, columns=columns, values=statistic)
    for value in matrix.columns:
        table.add_column(short(value), justify="right")
    for value, numbers in zip(matrix.index, matrix.to_numpy(), strict=True):
        texts = (("-" if isnan(each) else f"{100 * each:.1f}") if rate else measure_text(each) for each in numbers)
        table.add_row(short(value), *texts)
    return table


def print_cells(result: Result, sort: str | None = None, top: int | None = None) -> None:
    """Print a line for each cell.

    Parameters
    ----------
    result
        Complete or partial.
    sort
        Column to order by, as in :func:`sweep.results.answers.sort_by`. By default cells are in the order of
        their numbers if all are printed, else the best are first.
    top
        Cells to print; by default all if they fit on the screen, else ten.

    Raises
    ------
    SweepError
        If there is no such column, or ``top`` is below 1.
    """
    cells = result.cells
    n_shown = how_many(len(cells), top, _LINES_OF_SHOW)
    evaluated = has_criterion(result.study)
    best_first = "rate" if evaluated else "final_loss"
    order = sort or (best_first if top is not None or n_shown < len(cells) else "cell")
    rows = sort_by(cells, result.study, order).head(n_shown).to_dict("records")
    heading = _heading("cell", "", n_shown, len(cells), order if order != best_first else "best")
    print_that_fits(lambda shown: _cells_table(result, rows, shown), statuses(result.study.has_patience), heading)
    print(of_each_cell(result.study))
    if n_shown < len(cells):
        options = f"{_sorted_by(sort)}--top {len(cells)}"
        print(f"{len(cells) - n_shown:,} more{_elsewhere(result, options)}")


def _sorted_by(sort: str | None) -> str:
    return f"--sort {quote(sort)} " if sort is not None else ""


def _cells_table(result: Result, rows: Sequence[Mapping[Any, Any]], shown: Sequence[str]) -> Table:
    """Return a table of cells, with their numbers of runs by status."""
    parameters = list(result.study.parameters)
    evaluated = has_criterion(result.study)
    table = make_table()
    heads = (RATE, "median_steps", "expected_steps") if evaluated else measure_heads("final_loss")
    for name in ("cell", *parameters, *shown, *heads):
        add_column(table, name)
    recorded = _add_medians(table, result)
    for row in rows:
        if evaluated:
            texts = [rate_text(row), steps_text(row["steps_q50"]), steps_text(row["expected_steps"])]
        else:
            texts = measure_texts(row, "final_loss")
        texts += [measure_text(row[name]) for name in recorded]
        counts = [f"{row[f'n_{name}']:,}" for name in shown]
        table.add_row(str(row["cell"]), *(short(row[name]) for name in parameters), *counts, *texts)
    return table


def print_sums(result: Result, by: list[str], sort: str | None = None, top: int | None = None) -> None:
    """Print a line for each combination of the values of some parameters, pooled over all others.

    Parameters
    ----------
    result
        Complete or partial.
    by
        Swept parameters.
    sort, top
        As for :func:`print_cells`; without either, lines are in the order of the study.

    Raises
    ------
    SweepError
        If a name is no swept parameter or occurs twice, there is no such column, or ``top`` is below 1.
    """
    sums = sum_over(result, by)
    n_shown = how_many(len(sums), top, _LINES_OF_SHOW)
    best_first = "rate" if has_criterion(result.study) else "final_loss"
    sort = sort or (best_first if top is not None else None)
    rows = (sort_by(sums, result.study, sort) if sort else sums).head(n_shown).to_dict("records")
    what = "value" if len(by) == 1 else "combination"
    order = "best" if sort == best_first else sort or "cell"
    heading = _heading(what, f" of {', '.join(by)}", n_shown, len(sums), order)
    ends = statuses(result.study.has_patience)
    print_that_fits(lambda shown: _sums_table(result, rows, by, shown), ends, heading)
    if n_shown < len(sums):
        options = f"--by {','.join(by)} {_sorted_by(sort)}--top {len(sums)}"
        print(f"{len(sums) - n_shown:,} more{_elsewhere(result, options)}")
    print(of_several_cells(result))


def _sums_table(result: Result, rows: Sequence[Mapping[Any, Any]], by: Sequence[str], shown: Sequence[str]) -> Table:
    """Return a table of pooled cells, with numbers of runs by status and the best cell of each line."""
    others = [name for name in swept(result.study) if name not in by]
    evaluated = has_criterion(result.study)
    grid, table = result.study.grid, make_table()
    for name in (*by, "cells", *shown, *([RATE] if evaluated else measure_heads("final_loss"))):
        add_column(table, name)
    recorded = _add_medians(table, result)
    if others:
        table.add_column("best cell", no_wrap=True)
    for row in rows:
        counts = [f"{row[name]:,}" for name in ("n_cells", *(f"n_{name}" for name in shown))]
        texts = [rate_text(row)] if evaluated else measure_texts(row, "final_loss")
        texts += [measure_text(row[name]) for name in recorded]
        if others:
            best = _best_rate(result, row) if evaluated else measure_text(row["best_final_loss_q50"])
            texts.append(f"{best} at {name_text(grid.values(row['best_cell']), others)}")
        table.add_row(*(short(row[name]) for name in by), *counts, *texts)
    return table


def _add_medians(table: Table, result: Result) -> list[str]:
    """Add columns of the medians of recorded measures of networks; return their names in rows."""
    measures = recorded_quantities(result.study)
    for measure in measures:
        table.add_column(f"median\n{MEASURES[measure].label}", justify="right", no_wrap=True)
    return [main_statistic_of(measure).name for measure in measures]


def _best_rate(result: Result, row: Mapping[Any, Any]) -> str:
    """Return the rate of the best cell of a line; in a partial result with its interval and runs."""
    if result.complete:
        return f"{100 * row['best_rate']:.1f} %"
    cells = result.cells
    (best,) = cells[cells["cell"] == row["best_cell"]].to_dict("records")
    return f"{rate_text(best, ' %')} of {count_text(best['n_runs'], 'run')}"


def _print_matrix(result: Result) -> bool:
    """Print the matrix of rates or median losses if two parameters are swept and it fits; return whether it was."""
    names, statistic = swept(result.study), default_statistic(result.study)
    if len(names) != 2 or result.cells[statistic].isna().all():
        return False
    columns, rows = sorted(names, key=lambda name: len(result.study.parameters[name]))
    n_rows, n_columns = (len(result.study.parameters[name]) for name in (rows, columns))
    if n_rows * n_columns > result.study.n_cells or n_rows > rows_that_fit(_LINES_OF_RUN) or n_columns > _MAX_COLUMNS:
        return False
    table = rate_matrix(result.cells, rows, columns, statistic)
    if too_wide(table):
        return False
    print_table(table)
    return True


def _heading(what: str, of: str, n_shown: int, n_rows: int, order: str) -> str:
    """Return the heading of a table: the number of rows shown, and their order unless it is that of the study."""
    text = ("" if n_shown == n_rows else f"{n_shown:,} of ") + count_text(n_rows, what) + of
    return text + {"cell": "", "best": ", best first"}.get(order, f", by {order}")


def _elsewhere(result: Result, options: str) -> str:
    """Return the clause on how to see the remaining rows."""
    if result.place is None:
        return " are in result.cells"
    place, quoted = one_line(result.place), one_line(quote(result.place))
    return f": sweep show {quoted} {options}; all cells are in {place}/cells.parquet"
