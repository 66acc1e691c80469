"""The cells that may be the best: their differences from the first, and how many seeds would separate them.

Differences are those that the ranking tests. Medians have none: it compares shares of runs at two values.
"""

from __future__ import annotations

from math import ceil, inf, isfinite, isnan, log, log2, nan
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweep.analysis.compare import compare_sides
from sweep.analysis.study_measures import most_correct
from sweep.results.answers import ranking_statistic, swept
from sweep.results.best import rank
from sweep.results.estimate import pairs_seeds, why_unpaired
from sweep.results.queries import Queries
from sweep.results.race import confidence_of, raced_by
from sweep.results.tables.table import (
    INTERVAL,
    RANK,
    Row,
    Table,
    TableColumn,
    cell_number,
    p_value_column,
    shown_of,
    statistic_column,
    value_column,
    with_ends,
)
from sweep.results.tables.table_kind import TableKind
from sweep.statistics.intervals import LEVEL
from sweep.statistics.of_cells import every
from sweep.statistics.power import seeds_to_separate
from sweep.statistics.ranking import difference_of_means, paired_runs, why_no_best
from sweep.statistics.sides import Side
from sweep.statistics.statistic import Statistic
from sweep.system.formatting import difference_text, measure_text, steps_text

# Most rows on the screen and the page: with few seeds nearly all cells may be the best.
_MOST_SHOWN = 10


class _Difference(NamedTuple):
    """How far a cell is from the first: the column of a comparison, its head, and whether it is a ratio or a share."""

    name: str
    head: str
    is_ratio: bool = False
    is_percent: bool = False


# By how cells are compared by a statistic.
_DIFFERENCES = {
    "rate": _Difference("difference", "difference from\nthe first, %", is_percent=True),
    "ratio": _Difference("expected_steps_ratio", "expected steps,\ntimes the first's", is_ratio=True),
    "mean": _Difference("difference", "difference from\nthe first"),
}

_MEANINGS = RANK | {
    "n_seeds": "seeds on which the cell is compared with the first",
    "n_separating": "seeds per cell with which a comparison excludes the cell in 80 % of studies, if the observed "
    "difference is the true one",
    "difference": "value of the cell minus that of the first, on common seeds",
    "difference_low": "lower end of its 95 % interval",
    "difference_high": "upper end of its 95 % interval",
    "expected_steps_ratio": "expected steps of the cell divided by those of the first, on common seeds",
    "expected_steps_ratio_low": "lower end of its 95 % interval",
    "expected_steps_ratio_high": "upper end of its 95 % interval",
}


def contenders(result: Queries, ranked: pd.DataFrame, statistic: str, top: int | None = None) -> list[Table]:
    """Return the table of the cells that contain the best one with 95 % confidence; none if they are not known.

    There is none either by a statistic of users, whose cells are compared by resampling. ``ranked`` are all cells, as
    by :func:`sweep.statistics.ranking.best_cells`.
    """
    found = every()[statistic]
    if found.compared == "resampled" or not pairs_seeds(result):
        return []
    if why_no_best(ranked, statistic):
        return []
    candidates = ranked[ranked["may_be_best"]]
    if len(candidates) < 2:
        return []
    frame = candidates.head(top or len(candidates))
    columns = [value_column(name) for name in ("rank", *cell_number(result), *swept(result.study))]
    columns.append(statistic_column(found, has_interval=True))
    notes = [f"with {100 * confidence_of(result, statistic):g} % confidence, the best cell is one of these"]
    difference = _DIFFERENCES.get("rate" if found.percent else str(found.compared))
    if difference is None:
        columns.append(p_value_column("p_value_holm"))
    else:
        names = with_ends(difference.name)
        compared = _compared_with_first(result, found, frame["cell"].to_numpy())
        frame = frame.merge(compared[["cell", "n_seeds", *names]], on="cell", how="left")
        needed = [_separating(row, difference, len(candidates) - 1) for row in frame.to_dict("records")]
        frame["n_separating"] = pd.array(needed, "Int64")
        frame["n_seeds"] = frame["n_seeds"].astype("Int64")
        columns += [
            TableColumn(difference.head, lambda row: _difference_text(row, difference), names, INTERVAL),
            p_value_column("p_value_holm"),
            TableColumn("seeds to\nseparate", lambda row: steps_text(row["n_separating"]), ("n_separating",)),
        ]
        notes.append(
            "seeds to separate: seeds per cell that exclude this cell with 80 % power, if the observed difference is "
            "the true one"
        )
    which = shown_of(len(frame), len(candidates), "cell")
    title = f"{which} that may be the best of {len(ranked):,} (contenders)"
    return [Table(title, tuple(columns), result.named(frame), len(candidates), tuple(notes), meanings=_MEANINGS)]


def _compared_with_first(result: Queries, statistic: Statistic, cells: NDArray[np.int64]) -> pd.DataFrame:
    """Return the comparisons of cells with the first of them on common seeds, by ``cell``; the first has none."""
    others = cells[1:]
    if statistic.measure:
        return _means_compared(result, statistic.measure, cells)
    first = np.repeat(cells[:1], len(others))
    strata = pd.DataFrame({"cell": others})
    outcomes, limits = result.outcomes, result.study.grid.most_steps
    return compare_sides(
        Side(outcomes.at(others), limits(others)), Side(outcomes.at(first), limits(first)), strata, ["cell"]
    )


def _means_compared(result: Queries, measure: str, cells: NDArray[np.int64]) -> pd.DataFrame:
    """Return the differences of means of correct outputs, with the intervals by which the ranking tests them."""
    measured = result.measures.of(measure)
    first, others = paired_runs(measured.at(cells[:1]), measured.at(cells[1:]))
    ahead = difference_of_means(first, others, most_correct(result.study, measure))
    low, high = ahead.ends()
    n_seeds = (first.present & others.present).sum(axis=1)
    columns = dict(zip(with_ends("difference"), (0.0 - ahead.value, 0.0 - high, 0.0 - low), strict=True))  # no -0
    return pd.DataFrame({"cell": cells[1:], "n_seeds": n_seeds, **columns})


def _separating(row: Row, difference: _Difference, n_compared: int) -> int | None:
    """Return how many seeds would separate a cell from the first; None if the difference does not tell.

    The seeds that were used did not separate them. If the estimate is not above their number, it is too rough.
    """
    ends = [row[name] for name in with_ends(difference.name)]
    if difference.is_ratio:
        ends = [log(each) if 0 < each < inf else nan for each in ends]
    if not all(map(isfinite, ends)):
        return None
    n_seeds = int(row["n_seeds"])
    needed = seeds_to_separate(ends[0], ends[1], ends[2], n_seeds, n_compared)
    return needed if needed is not None and needed > n_seeds else None


def _difference_text(row: Row, difference: _Difference) -> str:
    """Write the difference of a cell from the first; a dash for the first."""
    value, low, high = (row[name] for name in with_ends(difference.name))
    if isnan(value):
        return "-"
    if difference.is_percent:
        known = isfinite(low) and isfinite(high)  # infinite with too few seeds to exclude any difference
        return difference_text(value, low if known else nan, high)
    return f"{measure_text(value)} [{measure_text(low)}, {measure_text(high)}]"


def _build(result: Queries, top: int | None) -> list[Table]:
    """Return the contenders for the best cell by the default statistic."""
    if len(result.cells) == 1 or not pairs_seeds(result) or result.replicates > 1:
        return []
    statistic = ranking_statistic(result)
    return contenders(result, rank(result, statistic), statistic, top)


def _why_none(result: Queries) -> str:
    """Return why there are no contenders."""
    if len(result.cells) == 1:
        return "there is only one cell"
    if not pairs_seeds(result):
        return why_unpaired(result)
    if result.replicates > 1:
        return _too_few_replicates(result) or (
            f"the seeds that would separate them are not estimated for several values of {result.pooled_over}"
        )
    return why_no_best(result.numbered_cells, ranking_statistic(result)) or "only one cell may be the best"


def _too_few_replicates(result: Queries) -> str:
    """Return how many replicates may separate cells by their means, if those that there are cannot; else empty.

    A p-value is never below that of a sign test in which all replicates favor the first cell.
    """
    by, n_cells = ranking_statistic(result), len(result.cells)
    least = ceil(log2((n_cells - 1) / LEVEL))
    if not every()[by].percent or every()[by].compared != "mean" or result.replicates >= least or raced_by(result, by):
        return ""
    return (
        f"{result.replicates} values of {result.pooled_over} are too few to exclude any of {n_cells:,} cells by their "
        f"means; {least} or more may"
    )


TABLE = TableKind("contenders", 15, "Contenders", _build, _why_none, beside_ranking=contenders, most_shown=_MOST_SHOWN)
