"""Tables of the cells of a result, by itself or pooled over parameters: counts and statistics of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from sweep.analysis.cells import group_of, values_of_groups
from sweep.analysis.tally import with_equal_cells
from sweep.results.answers import check_swept, ranking_statistic
from sweep.results.estimate import ENDS, Statistics, estimate, of_what, statistic_of_rows
from sweep.results.race import rank_with_race
from sweep.schemas.cell_columns import has_loss_statistics, recorded_quantities
from sweep.statistics.of_cells import COUNTS, OF_CONVERGENCE, every, of_measure
from sweep.statistics.statistic import Statistic

if TYPE_CHECKING:
    from sweep.results.evaluated_runs import EvaluatedRuns
    from sweep.study.axes.grid import Grid


def pooled_tally(result: EvaluatedRuns) -> pd.DataFrame:
    """Return the tally for pooling cells. If cells have different numbers of runs, weights make them count equally."""
    return result.numbered_tally if result.even else with_equal_cells(result.numbered_tally)


def cells_with(result: EvaluatedRuns, statistic: str) -> pd.DataFrame:
    """Return the numbered cells of a result with the columns of a statistic of :func:`sweep.statistics.of_cells.every`.

    They are the last columns if the table of cells lacks them. StoreError is raised if the statistic needs rows of
    runs, and these were not kept; SweepError if the study does not have the measure.
    """
    found, cells = every()[statistic], result.numbered_cells
    if found.measure:
        return result.measures.in_cells(found.measure, cells)
    if found.computed == "always":
        return cells
    if found.computed == "from rows":
        return cells.join(statistic_of_rows(result, statistic), on="cell")
    return cells.join(estimate(result, {ENDS: [found]}, cells, cells["cell"].to_numpy()), on="cell")


def pool_cells(
    result: EvaluatedRuns, by: Sequence[str], cells: pd.DataFrame, statistics: Statistics, grid: Grid | None = None
) -> pd.DataFrame:
    """Return counts and statistics of all runs of cells that share the values of some parameters.

    Arguments are those of :func:`sweep.results.estimate.estimate`. An empty ``by`` pools all cells. Columns are the
    values of ``by``, n_cells, the sums of the counts, and the statistics; the index is the number of the group.
    """
    grid, numbers = grid or result.study.grid, cells["cell"].to_numpy()
    group = group_of(grid, by, numbers)
    groups, counts = cells.groupby(group), [name for name in COUNTS if name in cells]
    sums = groups[counts].sum().assign(n_cells=groups.size())[["n_cells", *counts]]
    return values_of_groups(grid, by, numbers).join(sums).join(estimate(result, statistics, cells, group, grid))


def summarized(result: EvaluatedRuns, *named: str) -> Statistics:
    """Return the statistics of summaries: of convergence if there is a criterion, of a measure, and named ones.

    The measure is that of a named statistic, by default the final loss if some cell has no criterion.
    """
    found = [every()[name] for name in named]
    losses = "final_loss" if has_loss_statistics(result.study) else ""
    measure = next((each.measure for each in found if each.measure), losses)
    statistics = {ENDS: list(OF_CONVERGENCE.values()) if result.study.has_criterion else []}
    statistics |= {measure: list(of_measure(measure))} if measure else {}
    for each in found:
        if each.computed != "always":
            statistics.setdefault(of_what(each), []).append(each)
    return statistics


def recorded(result: EvaluatedRuns) -> Statistics:
    """Return the quartiles or means of recorded measures, and of those of held-out patterns."""
    measures = dict.fromkeys([*(result.held_out or ()), *recorded_quantities(result.study)])
    return {name: [each for each in of_measure(name) if each.measure] for name in measures}


def sum_over(result: EvaluatedRuns, by: Sequence[str]) -> pd.DataFrame:
    """Return counts and rates of cells that share the values of some swept parameters.

    The table is that of :func:`pool_cells`. Statistics are convergence_rate if there is a criterion, those of final
    losses if cells have any, and of recorded measures. best_cell is the number of the best cell of a group, and
    best_rate its rate, or best_value its value if cells are ranked by another statistic. SweepError is raised if a name
    is no swept parameter or occurs twice.
    """
    check_swept(result.study, by)
    cells, statistic = result.numbered_cells, ranking_statistic(result)
    statistics: dict[str, Sequence[Statistic]] = {}
    if result.study.has_criterion:
        statistics[ENDS] = [OF_CONVERGENCE["convergence_rate"]]
    if has_loss_statistics(result.study):
        statistics["final_loss"] = of_measure("final_loss")
    table = pool_cells(result, by, cells, {**statistics, **recorded(result)})
    ranked = rank_with_race(result, cells, statistic)
    group = group_of(result.study.grid, by, ranked["cell"].to_numpy())
    best = ranked.groupby(group)[["cell", statistic]].first()
    named = "best_rate" if statistic == "convergence_rate" else "best_value"
    return table.join(best.set_axis(["best_cell", named], axis=1))
