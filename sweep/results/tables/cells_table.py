"""The table of cells, or of several cells pooled, and the matrix of one statistic over two parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sweep.errors import SweepError, unknown
from sweep.results.answers import (
    main_statistics,
    names_of,
    possible_statuses,
    ranking_statistic,
    swept,
)
from sweep.results.queries import Queries
from sweep.results.race import rank_with_race
from sweep.results.sentences import of_each_cell, of_several_cells
from sweep.results.tables.table import (
    Row,
    Table,
    TableColumn,
    cell_number,
    count_column,
    matrix_column,
    shown_of,
    statistic_column,
    statistic_columns,
    statistic_text,
    value_column,
    value_text,
)
from sweep.results.tables.table_kind import TableKind
from sweep.schemas.cell_columns import recorded_quantities
from sweep.statistics.of_cells import OF_CONVERGENCE, every, main_statistic_of, of_measure, synonyms
from sweep.statistics.statistic import Statistic
from sweep.study.selection import check_top
from sweep.system.formatting import count_text, list_text, name_text

if TYPE_CHECKING:
    import pandas as pd


def cells_table(
    result: Queries,
    whole: pd.DataFrame,
    by: Sequence[str] = (),
    sort: str | None = None,
    top: int | None = None,
) -> Table:
    """Return the table of cells, or of cells pooled over all parameters but those in ``by``.

    ``whole`` has all rows: cells of the result, or a table of :mod:`sweep.results.pooled_cells`. By default rows are in
    the order of the study, or with ``top``, the most rows, the best come first; ``sort`` is as in
    :func:`sorted_cells`.
    """
    check_top(top)
    study = result.study
    frame = whole = whole if by else result.numbered_cells.loc[whole.index]
    if sort or top:
        frame = sorted_cells(result, whole, sort).head(top or len(whole))
    counts = ("n_cells", "n_runs") if by else ("n_runs",)
    varied = [name for name in counts if frame[name].nunique() > 1]
    columns = [value_column(name) for name in (by or (*cell_number(result), *swept(study)))]
    columns += map(count_column, varied)
    columns += [count_column(f"n_{status}", is_optional=True) for status in possible_statuses(study)]
    answered = main_statistics(result)
    losses = () if result.held_out else of_measure("final_loss")
    statistics = OF_CONVERGENCE.values() if study.has_criterion else losses
    columns += statistic_columns(list(dict.fromkeys([*answered, *statistics])), frame)
    medians = [main_statistic_of(measure) for measure in recorded_quantities(study)]
    medians = [each for each in medians if each not in answered]
    columns += [statistic_column(each, has_interval=False) for each in medians if each.name in frame]
    others = [name for name in swept(study) if name not in by]
    if "best_cell" in frame and others:
        columns.append(
            TableColumn("best cell", lambda row: _best_of(result, row, others), ("best_cell",), is_text=True)
        )
    order = _order_text(ranking_statistic(result), sort, top)
    title = _rows_text(frame, len(whole), by) + order + _alike_text(whole, frame, counts)
    notes = [of_several_cells(result)] if by else []
    if not by or "expected_steps" in frame or not study.has_criterion:
        notes.append(of_each_cell(study))
    frame = frame if by else result.named(frame)
    return Table(title, tuple(columns), frame, len(whole), tuple(notes), "numbers by status")


def sorted_cells(result: Queries, cells: pd.DataFrame, name: str | None) -> pd.DataFrame:
    """Return the rows of a table sorted by a column or its synonym; SweepError if there is no such column.

    The table has cells of the result, or is that of :func:`sweep.results.pooled_cells.sum_over`. Rates, counts and
    margins come from the highest, all other columns from the lowest. By default, and for the statistic by which answers
    rank cells, rows are ranked: the best first, ties by the other statistics.
    """
    default = ranking_statistic(result)
    column = synonyms().get(name, name) if name else default
    if column not in cells:
        raise SweepError(unknown("column", name or default, names_of(cells.columns)))
    if column == default:
        return rank_with_race(result, cells, column)
    found = every().get(column) or every().get(column.rpartition("_")[0])  # or that of which it is an end
    is_high = found is not None and (found.more_is_better or found.kind == "count")
    downward = column in ("n_cells", "best_rate") or is_high
    if column == "best_value":
        downward = every()[default].more_is_better
    return cells.sort_values(column, ascending=not downward, na_position="last", kind="stable")


def _rows_text(frame: pd.DataFrame, n_rows: int, by: Sequence[str]) -> str:
    """Return what the rows are, and how many."""
    if not by:
        return shown_of(len(frame), n_rows, "cell")
    return f"{shown_of(len(frame), n_rows, 'value' if len(by) == 1 else 'combination')} of {', '.join(by)}"


def _order_text(default: str, sort: str | None, top: int | None) -> str:
    """Return the clause on the order of rows; empty for that of the study."""
    if sort and synonyms().get(sort, sort) != default:
        return f", sorted by {sort}"
    return ", best first" if sort or top else ""


def _alike_text(whole: pd.DataFrame, frame: pd.DataFrame, counts: Sequence[str]) -> str:
    """Return the clause on counts that are equal in all rows and so need no columns."""
    equal = {name: int(frame[name].iloc[0]) for name in counts if frame[name].nunique() == 1}
    texts = [count_text(n, name.removeprefix("n_").removesuffix("s")) for name, n in equal.items()]
    return f"{', each of' if len(whole) > 1 else ' with'} {list_text(texts)}" if texts else ""


def _best_of(result: Queries, row: Row, others: list[str]) -> str:
    """Return the statistic and the values of the best cell of a row; in a partial result with its interval and runs."""
    statistic = every()[ranking_statistic(result)]
    where = name_text(result.study.grid.values(row["best_cell"]), others)
    best = "best_rate" if statistic.name == "convergence_rate" else "best_value"
    unit = " %" if statistic.percent else ""
    if result.complete or statistic.name != "convergence_rate":
        return f"{value_text(statistic, row[best])}{unit} at {where}"
    cells = result.numbered_cells
    (cell,) = cells[cells["cell"] == row["best_cell"]].to_dict("records")
    return f"{statistic_text(statistic, cell, unit)} of {count_text(cell['n_runs'], 'run')} at {where}"


def matrix_table(cells: pd.DataFrame, down: str, across: str, statistic: Statistic) -> Table:
    """Return a table of a statistic of cells over two parameters; a dash for cells without a value."""
    matrix = cells.pivot(index=down, columns=across, values=statistic.name)
    values = [matrix_column(value, statistic) for value in matrix]
    title = f"{statistic.label}: {down} (down) and {across} (across)"
    return Table(title, (value_column(down), *values), matrix.reset_index(), len(matrix))


def _build(result: Queries, top: int | None) -> list[Table]:
    """Return the table of cells in the order of the study, or of the best ones."""
    return [cells_table(result, result.cells, top=top)]


def _why_none(result: Queries) -> str:
    """Return nothing, since all results have cells."""
    return ""


TABLE = TableKind("cells", 100, "Cells", _build, _why_none)
