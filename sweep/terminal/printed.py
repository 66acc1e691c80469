"""Answers of results on the terminal: summaries, cells, the best cells and comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from sweep.errors import SweepError
from sweep.results.answers import default_statistic, ranking_statistic, split_by, swept
from sweep.results.best import ranked_cells
from sweep.results.pooled_cells import sum_over
from sweep.results.result import Result
from sweep.results.sentences import answer
from sweep.results.some_cells import result_of_cells
from sweep.results.tables import table_kinds
from sweep.results.tables.cells_table import cells_table, matrix_table
from sweep.results.tables.compared_tables import compared_tables
from sweep.results.tables.ranked_table import best_table
from sweep.statistics.of_cells import every
from sweep.statistics.ranking import ranked_by
from sweep.study.selection import At, values_at
from sweep.system.escaping import one_line
from sweep.system.formatting import count_text, large_text
from sweep.system.wrapping import print_text
from sweep.terminal.screen import how_many, print_table, rows_that_fit, too_wide

if TYPE_CHECKING:
    import pandas as pd

# Lines that `sweep run` and other commands print besides the rows of a table and that should fit on the screen with it.
_LINES_OF_RUN = 11
_LINES_OF_SHOW = 18
_OTHER_LINES = 10
# Lines between two tables: heads of up to three lines, a rule, a title and an empty line.
_BETWEEN = 6
# Most columns of a matrix.
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
    print_text(f"{one_line(facts['name'])}: {', '.join(parts)}")
    print_text(*answer(result))
    if not _print_matrix(result):
        print_cells(result)


def _print_matrix(result: Result) -> bool:
    """Print the matrix of rates or median losses if two parameters are swept and it fits; return whether it was."""
    pooled = result.over_replicates
    names, statistic = swept(pooled.study), default_statistic(pooled)
    if len(names) != 2 or pooled.cells[statistic].isna().all():
        return False
    across, down = sorted(names, key=lambda name: len(pooled.study.parameters[name]))
    n_rows, n_columns = (len(pooled.study.parameters[name]) for name in (down, across))
    if n_rows * n_columns > pooled.study.n_cells or n_rows > rows_that_fit(_LINES_OF_RUN) or n_columns > _MAX_COLUMNS:
        return False
    table = matrix_table(pooled.cells, down, across, every()[statistic])
    if too_wide(table):
        return False
    print_table(table)
    return True


def print_cells(
    result: Result,
    by: Sequence[str] = (),
    sort: str | None = None,
    top: int | None = None,
    picks: Mapping[str, list[str]] | None = None,
) -> None:
    """Print a line for each cell, or for each combination of the values of some parameters, pooled over all others.

    By default all rows are printed in the order of the study if they fit on the screen, else the best ten. With
    ``picks`` only cells with these values are printed or pooled.
    """
    picks = picks or {}
    if picks:
        result = result_of_cells(result, result.study.grid.cells_at(values_at(result.study, picks)))
        if result.cells.empty:
            raise SweepError("no run is trained yet at these values; run the study again to train more runs")
    pooled = result.naming([*by, *picks])
    whole = sum_over(pooled, by) if by else pooled.cells
    table = cells_table(pooled, whole, by, sort, how_many(len(whole), top, _LINES_OF_SHOW))
    print_table(table)
    n_more = len(whole) - len(table.frame)
    if not n_more:
        return
    if result.place is None:
        print_text(f"{n_more:,} more are in result.cells")
        return
    options = [f"--by {','.join(by)}"] if by else []
    options += ["--at " + quote(f"{name}={','.join(entries)}") for name, entries in picks.items()]
    options += [f"--sort {quote(sort)}"] if sort is not None else []
    place = one_line(quote(result.place))
    show = " ".join(["sweep show", place, *options, f"--top {len(whole)}"])
    print_text(f"{n_more:,} more: {show}; all cells as a file: sweep export {place} --out cells.csv")


def print_best(result: Result, by: Sequence[str] = (), top: int | None = None, at: At | None = None) -> None:
    """Print the ranked cells, and how many may be the best; or the best cell for each value of some parameters.

    By default those that fit on the screen are printed.
    """
    pooled = result.naming([*by, *(at or {})])
    ranked = ranked_cells(pooled, by, at)
    print_table(best_table(pooled, ranked, by, how_many(len(ranked), top, _OTHER_LINES), at))
    parameters, statistic = split_by(result.study, by, ranked_by())
    if parameters:
        return
    for kind in table_kinds().values():
        if kind.beside_ranking and pooled.replicates > 1:
            if ranked["may_be_best"].sum() > 1:
                print_text(kind.why_none(pooled))
        elif kind.beside_ranking:
            by_statistic = statistic or ranking_statistic(pooled)
            for table in kind.beside_ranking(pooled, ranked, by_statistic, kind.most_shown):
                print()
                print_table(table)


def print_comparison(
    compared: pd.DataFrame, by: Sequence[str], measure: str | None = None, top: int | None = None
) -> None:
    """Print comparisons, a line each, those of convergence in a table of rates and one of steps.

    If not all fit on the screen, or are more than ``top``, those with the smallest p-values are printed.
    """
    others = _OTHER_LINES if measure else _OTHER_LINES + _BETWEEN + len(compared)
    for number, table in enumerate(compared_tables(compared, by, measure, how_many(len(compared), top, others))):
        print("\n" if number else "", end="")
        print_table(table)
