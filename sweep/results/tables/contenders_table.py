"""The cells that may be the best: their differences from the first, and how many seeds would separate them."""

from __future__ import annotations

from math import inf, isfinite, isnan, log, nan
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.compare import compare_sides
from sweep.analysis.compare_measures import compare_pairs
from sweep.analysis.study_measures import most_correct
from sweep.results.answers import default_statistic, swept
from sweep.results.pooled_cells import pairs_seeds
from sweep.results.queries import Queries
from sweep.results.tables.table import (
    INTERVAL,
    Row,
    Table,
    TableColumn,
    p_value_column,
    shown_of,
    statistic_column,
    value_column,
    with_ends,
)
from sweep.results.tables.table_kind import TableKind
from sweep.statistics.of_cells import every
from sweep.statistics.power import seeds_to_separate
from sweep.statistics.sides import Side
from sweep.statistics.statistic import Statistic
from sweep.system.formatting import count_text, difference_text, measure_text, steps_difference_text, steps_text

# Most rows on the screen and the page: with few seeds nearly all cells may be the best.
_MOST_SHOWN = 10


class _Difference(NamedTuple):
    """How far a cell is from the first: the column of a comparison, its head, and whether it is a ratio."""

    name: str
    head: str
    is_ratio: bool = False


# By how cells are compared by a statistic; those of users, which are resampled, have none.
_DIFFERENCES = {
    "rate": _Difference("difference", "difference from\nthe first, %"),
    "ratio": _Difference("expected_steps_ratio", "expected steps,\ntimes the first's", is_ratio=True),
    "median steps": _Difference("restricted_mean_difference", "mean steps,\nminus the first's"),
    "median": _Difference("advantage", "advantage over\nthe first, %"),
    "mean": _Difference("difference", "difference from\nthe first"),
}


def contenders(result: Queries, ranked: pd.DataFrame, statistic: str, top: int | None = None) -> list[Table]:
    """Return the table of the cells that contain the best one with 95 % confidence; none if they are not known.

    There is none either by a statistic that is a function of rows, since no formula has the difference of two cells.

    Parameters
    ----------
    result
        Complete or partial.
    ranked
        All ranked cells, the table of :func:`sweep.statistics.ranking.best_cells`.
    statistic
        By which they are ranked.
    top
        Most rows; all by default.
    """
    found = every()[statistic]
    difference = _DIFFERENCES.get(str(found.compared))
    if difference is None or not pairs_seeds(result) or (found.needs_criterion and not ranked["n_converged"].any()):
        return []
    candidates = ranked[ranked["may_be_best"]]
    if len(candidates) < 2:
        return []
    names = with_ends(difference.name)
    shown = candidates.head(top or len(candidates))
    compared = _compared_with_first(result, found, shown["cell"].to_numpy())
    frame = shown.merge(compared[["cell", "n_seeds", *names]], on="cell", how="left")
    needed = [_separating(row, difference, len(candidates) - 1) for row in frame.to_dict("records")]
    frame["n_separating"] = pd.array(needed, "Int64")
    columns = (
        *map(value_column, ("rank", "cell", *swept(result.study))),
        statistic_column(found, has_interval=True),
        TableColumn(difference.head, lambda row: _difference_text(row, found), names, INTERVAL),
        p_value_column("p_value_holm"),
        TableColumn("seeds to\nseparate", lambda row: steps_text(row["n_separating"]), ("n_separating",)),
    )
    notes = (
        "with 95 % confidence, the best cell is a contender",
        "seeds to separate: with so many seeds per cell, a comparison excludes the cell in 80 % of studies, if the "
        "observed difference is the true one",
    )
    which = shown_of(len(frame), len(candidates), "contender")
    title = f"{which} for the best of {count_text(len(ranked), 'cell')}"
    return [Table(title, columns, frame, len(candidates), notes)]


def _compared_with_first(result: Queries, statistic: Statistic, cells: NDArray[np.int64]) -> pd.DataFrame:
    """Return the comparisons of cells with the first of them on common seeds, by ``cell``; the first has none."""
    others = cells[1:]
    first = np.repeat(cells[:1], len(others))
    strata = pd.DataFrame({"cell": others})
    if statistic.measure:
        measured, most = result.measures.of(statistic.measure), most_correct(result.study, statistic.measure)
        return compare_pairs(measured.at(others), measured.at(first), strata, ["cell"], statistic.measure, most)
    outcomes, limits = result.outcomes, result.study.grid.most_steps
    return compare_sides(
        Side(outcomes.at(others), limits(others)), Side(outcomes.at(first), limits(first)), strata, ["cell"]
    )


def _separating(row: Row, difference: _Difference, n_compared: int) -> int | None:
    """Return how many seeds would separate a cell from the first; None if the difference does not tell."""
    ends = [row[name] for name in with_ends(difference.name)]
    if difference.is_ratio:
        ends = [log(each) if 0 < each < inf else nan for each in ends]
    if not all(map(isfinite, ends)):
        return None
    return seeds_to_separate(ends[0], ends[1], ends[2], int(row["n_seeds"]), n_compared)


def _difference_text(row: Row, statistic: Statistic) -> str:
    """Write the difference of a cell from the first; a dash for the first."""
    value, low, high = (row[name] for name in with_ends(_DIFFERENCES[str(statistic.compared)].name))
    if isnan(value):
        return "-"
    if statistic.compared in ("rate", "median"):
        return difference_text(value, low, high)
    if statistic.compared == "median steps":
        return steps_difference_text(value, low, high)
    return f"{measure_text(value)} [{measure_text(low)}, {measure_text(high)}]"


def _build(result: Queries, top: int | None) -> list[Table]:
    """Return the contenders for the best cell by the default statistic."""
    if len(result.cells) == 1 or not pairs_seeds(result):
        return []
    return contenders(result, result.best(), default_statistic(result.study), top)


TABLE = TableKind("contenders", 15, "Contenders", _build, beside_ranking=contenders, most_shown=_MOST_SHOWN)
