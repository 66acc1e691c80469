"""The table of the best cells: all cells ranked, or the best one for each value of some parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sweep.results.answers import (
    main_statistics,
    names_of,
    ranking_statistic,
    split_by,
    swept,
)
from sweep.results.best import rank
from sweep.results.estimate import pairs_seeds
from sweep.results.queries import Queries
from sweep.results.race import confidence_of, raced_by
from sweep.results.sentences import may_be_best
from sweep.results.tables.table import (
    INTERVAL,
    RANK,
    Row,
    Table,
    TableColumn,
    cell_number,
    count_column,
    interval_text,
    p_value_column,
    shown_of,
    statistic_columns,
    value_column,
)
from sweep.results.tables.table_kind import TableKind
from sweep.statistics.of_cells import OF_CONVERGENCE, every, of_measure
from sweep.statistics.ranking import best_cells, ranked_by, why_no_best
from sweep.statistics.statistic import Statistic
from sweep.study.selection import At
from sweep.system.formatting import name_text

if TYPE_CHECKING:
    import pandas as pd


# Most rows on the page.
_MOST_SHOWN = 10


def best_table(
    result: Queries, ranked: pd.DataFrame, by: Sequence[str] = (), top: int | None = None, at: At | None = None
) -> Table:
    """Return the table of ranked cells; or with parameters in ``by`` of the best cell for each of their values.

    ``ranked`` are all rows of :func:`sweep.results.best.ranked_cells`. :meth:`sweep.Result.best` explains the other
    arguments.
    """
    parameters, chosen = split_by(result.study, by, ranked_by())
    statistic = chosen or ranking_statistic(result)
    if parameters:
        return _best_of_each(result, ranked.head(top or len(ranked)), len(ranked), parameters, statistic)
    return _ranked(result, ranked, statistic, top, at)


def _ranked(result: Queries, ranked: pd.DataFrame, statistic: str, top: int | None, at: At | None) -> Table:
    """Return the table of ranked cells."""
    found, study = every()[statistic], result.study
    intervals = not found.measure
    statistics: Sequence[Statistic]
    if result.held_out and statistic == ranking_statistic(result):
        statistics, intervals = main_statistics(result), True
    elif found.measure:
        statistics = of_measure(found.measure)
    else:
        statistics = tuple(OF_CONVERGENCE.values()) if found.computed == "always" else (found,)
    shown = ranked.head(top or len(ranked))
    shown_columns = [value_column(name) for name in ("rank", *cell_number(result), *swept(study))]
    shown_columns += statistic_columns(statistics, ranked, intervals=intervals)
    shown_columns.append(p_value_column("p_value_holm"))
    none = why_no_best(ranked, statistic)
    if none and (found.needs_criterion or ranked["equals_first"].iloc[1:].fillna(False).all()):
        notes: tuple[str, ...] = (f"{none}, so no cell is better than another",)
    else:
        shown_columns.append(TableColumn("", _contends, ("may_be_best", "equals_first"), is_text=True))
        notes = (*([none] if none else []), *_candidates(result, ranked, statistic, at))
    title = f"{shown_of(len(shown), len(ranked), 'cell')}, best first{_by(result, statistic)}"
    return Table(title, tuple(shown_columns), result.named(shown), len(ranked), notes, meanings=RANK)


def _contends(row: Row) -> str:
    """Return the remark on a cell that may be the best."""
    if row["equals_first"] is True:
        return "equals the first"
    return "may be the best" if row["may_be_best"] is True else ""


def _by(result: Queries, statistic: str) -> str:
    """Return the clause on the statistic of the ranking; empty for the default one, unless patterns are held out."""
    is_usual = statistic == ranking_statistic(result) and not result.held_out
    return "" if is_usual else f" by {names_of([statistic])[0]}"


def _candidates(result: Queries, ranked: pd.DataFrame, statistic: str, at: At | None) -> tuple[str, ...]:
    """Return the sentences on the cells that may be the best, or why that is not known."""
    if len(ranked) == 1:
        return ("there is only one cell",)
    if ranked["may_be_best"].isna().all():
        return ("which cells may be the best is unknown: this result keeps no rows of runs (--keep runs keeps them)",)
    if at is None and raced_by(result, statistic):
        return (
            may_be_best(ranked, result.study, confidence=confidence_of(result, statistic)),
            "p-values are from the race (testing by betting), and hold for any number of cells and rounds",
        )
    return (
        may_be_best(ranked, result.study, at),
        f"p-values test whether the first cell has the better {names_of([statistic])[0]} on common seeds, adjusted for "
        "the number of cells (Holm)",
    )


def _best_of_each(result: Queries, best: pd.DataFrame, n_rows: int, by: Sequence[str], statistic: str) -> Table:
    """Return the table of the best cell of each combination of the values of some parameters."""
    found = every()[statistic]
    others = [name for name in swept(result.study) if name not in by]
    columns = (
        *map(value_column, by),
        count_column("best_of", "best\nof k"),
        *map(value_column, cell_number(result)),
        TableColumn("other parameters", lambda row: name_text(row, others) or "-", tuple(others or by), is_text=True),
        TableColumn(
            found.head,
            lambda row: interval_text(found, row[statistic], row["best_of_low"], row["best_of_high"]),
            (statistic, "best_of_low", "best_of_high"),
            interval=f"{INTERVAL} of the best of k",
        ),
    )
    which = shown_of(len(best), n_rows, "value" if len(by) == 1 else "combination")
    note = (
        "intervals are corrected for choosing the best of k cells (Bonferroni): with 95 % confidence, those of all k "
        "cells hold"
    )
    counted = best.merge(result.numbered_cells[["cell", "n_converged"]], on="cell")
    notes = [why_no_best(counted, statistic), note]
    title = f"the best cell for each of {which} of {', '.join(by)}, best first{_by(result, statistic)}"
    return Table(title, columns, result.named(best), n_rows, tuple(filter(None, notes)))


def _build(result: Queries, top: int | None) -> list[Table]:
    """Return the table of the best cells; none of a single cell, or if no run converged."""
    cells, statistic = result.numbered_cells, ranking_statistic(result)
    if len(cells) == 1 or (every()[statistic].needs_criterion and not cells["n_converged"].any()):
        return []
    ranked = rank(result, statistic) if pairs_seeds(result) else best_cells(cells, None, statistic)
    return [best_table(result, ranked, top=top)]


def _why_none(result: Queries) -> str:
    """Return why cells are not ranked."""
    return "there is only one cell" if len(result.cells) == 1 else "no run converged"


TABLE = TableKind("best", 10, "Best cells", _build, _why_none, most_shown=_MOST_SHOWN)
