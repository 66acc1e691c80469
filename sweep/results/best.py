"""The best cells of a result: all cells ranked, or the best one for each value of some parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.analysis.cells import cells_of, group_of
from sweep.analysis.compare import ComparedBy
from sweep.analysis.each_at_best import (
    LEAST_SEEDS,
    by_center,
    by_rate,
    chosen_cells,
    compare_evaluated,
    evaluated_runs,
    halves_of,
)
from sweep.analysis.study_measures import most_correct
from sweep.errors import SweepError
from sweep.measures import MEASURES
from sweep.results.answers import check_has_criterion, default_statistic, ranking_statistic, split_by
from sweep.results.estimate import counted_runs, resampled_values
from sweep.results.pooled_cells import cells_with
from sweep.results.race import rank_with_race, tested_by_race
from sweep.statistics.intervals import LEVEL, Array
from sweep.statistics.of_cells import every, main_statistic_of, measure_of
from sweep.statistics.outcomes import Measured
from sweep.statistics.ranking import best_cells, ranked_by, why_no_best
from sweep.statistics.runs import NOT_COUNTED, Runs
from sweep.statistics.two_way import estimate_of
from sweep.study.selection import At, cells_at, values_at

if TYPE_CHECKING:
    from sweep.results.evaluated_runs import EvaluatedRuns


def ranked_cells(result: EvaluatedRuns, by: Sequence[str] = (), at: At | None = None) -> pd.DataFrame:
    """Return the table of :meth:`sweep.Result.best`, with numbers also of cells that are not those of the study."""
    parameters, chosen = split_by(result.study, by, ranked_by())
    statistic = chosen or ranking_statistic(result)
    return best_of_each(result, parameters, statistic, at) if parameters else rank(result, statistic, at)


def rank(result: EvaluatedRuns, statistic: str, at: At | None = None) -> pd.DataFrame:
    """Return cells ranked by a statistic, with tests of which of them may be the best.

    ``statistic`` is a key of :func:`sweep.statistics.ranking.ranked_by`, and ``at`` selects cells by values of some
    parameters. The table is that of :func:`sweep.statistics.ranking.best_cells`. If cells raced by the statistic, those
    that are left come first and may be the best, and p-values are those of the race, without any adjustment. Errors are
    those of :func:`cells_for`.
    """
    cells, measure = cells_for(result, statistic, at), measure_of(statistic)
    runs = None
    if result.keeps_runs:
        runs = _compared_runs(result, statistic)
    grid = result.study.grid
    most = most_correct(result.study, measure) if measure else grid.most_steps(np.arange(grid.n_cells))
    ranked = best_cells(cells, runs, statistic, most)
    return tested_by_race(result, ranked, statistic) if at is None else ranked


def _compared_runs(result: EvaluatedRuns, statistic: str) -> Measured:
    """Return what cells are compared by: ends of runs, a measure, or resampled values of the statistic itself."""
    found = every()[statistic]
    if found.compared == "resampled":
        return resampled_values(result, statistic)
    return result.runs_by(found.measure)


def cells_for(result: EvaluatedRuns, statistic: str, at: At | None = None) -> pd.DataFrame:
    """Return the rows of the cells with some values of parameters, with the columns of the measure of a statistic.

    SweepError is raised if a value is unknown, no such cell is trained yet, the statistic is one of convergence and
    there is no criterion, final losses of these cells were not counted, or a custom statistic has no value in any cell;
    StoreError if the statistic needs rows of runs, and these were not kept.
    """
    measure = measure_of(statistic)
    if every()[statistic].needs_criterion:
        check_has_criterion(result.study)
    cells = cells_at(cells_with(result, statistic), values_at(result.study, at))
    if cells.empty:
        raise SweepError("no cell with these values is trained yet; run the same study again to continue")
    if measure and cells[statistic].isna().all():
        raise SweepError(
            "this result has no final losses of these cells, because with keep='cells' only cells without a criterion "
            "have them; run the study with keep='runs' (--keep runs)"
        )
    if every()[statistic].computed == "from rows" and cells[statistic].isna().all():
        raise SweepError(f"statistic {statistic!r} is not a number in any cell, so cells cannot be ranked by it")
    return cells


def best_of_each(result: EvaluatedRuns, by: Sequence[str], statistic: str, at: At | None = None) -> pd.DataFrame:
    """Return the best cell for each combination of parameter values, with an interval that allows for the choice.

    Returns
    -------
    DataFrame
        From the best to the worst: the values of ``by``, ``best_of`` (the number of cells among which it is the best),
        ``cell``, the values of the other parameters, ``n_runs``, the statistic, and ``best_of_low`` and
        ``best_of_high``, the ends of its 95 % interval. Cells without counted losses are left out.

    Notes
    -----
    Choosing the cell that looks best of k biases its estimate. Each of the k intervals misses with a probability of at
    most 0.05 / k, so all of them hold together with 95 % confidence (Bonferroni), and so does that of the chosen cell.
    The intervals are those of single cells at this level: order statistics for medians,
    :mod:`sweep.statistics.estimates` for expected steps and means. Rates have Clopper-Pearson intervals, also within
    expected steps, since Wilson intervals cover too little at such levels.
    """
    if every()[statistic].compared == "resampled":
        raise SweepError(
            f"by: {statistic} has intervals at 95 % only, which do not allow for the choice of the best cell; rank all "
            f"cells by it alone"
        )
    cells = cells_for(result, statistic, at)
    if measure_of(statistic):
        cells = cells[cells[statistic].notna()]  # losses of the others were not counted
    ranked = rank_with_race(result, cells, statistic)
    group = group_of(result.study.grid, by, ranked["cell"].to_numpy())
    best = ranked.groupby(group, sort=False).head(1)
    best_of = ranked.groupby(group, sort=False).size().to_numpy()
    others = [name for name in result.study.parameters if name not in by]
    table = best[[*by, "cell", *others, "n_runs", statistic]].reset_index(drop=True)
    table.insert(len(by), "best_of", best_of)
    return table.assign(**_intervals(result, best, statistic, LEVEL / best_of))


def at_best_fault(result: EvaluatedRuns) -> str:
    """Return why values of a parameter cannot be compared each at its best; empty if they can."""
    if not result.complete:
        return "needs all runs, and this result is partial; run the same study again to complete it"
    if not result.even:
        return "needs the same number of seeds in all cells; run the study without seeds.until"
    if result.study.seeds.count < LEAST_SEEDS * result.replicates:
        return f"needs at least {LEAST_SEEDS} seeds, half of them to choose; add seeds"
    return ""


def compared_at_best(result: EvaluatedRuns, vary: str, statistic: str | None, margin: float | None) -> pd.DataFrame:
    """Compare the values of a parameter each with the others at their best; see :meth:`sweep.Result.compare`.

    By default measures of held-out patterns are compared, and those of validation patterns choose if there are any.
    """
    study, found = result.study, result.held_out
    if fault := at_best_fault(result):
        raise SweepError(f"each_at_best: {fault}")
    by = statistic or (main_statistic_of(found.reported).name if found else default_statistic(result))
    measure = measure_of(by)
    chooser = found.chosen_by if found and measure and measure.startswith("test") else measure
    values, grid = study.parameters[vary], study.grid
    place = grid.place(vary, np.arange(grid.n_cells))
    runs = result.runs_by(measure)
    half = halves_of(runs)
    order = by_center(result.measures.of(chooser), main_statistic_of(chooser)) if chooser else by_rate(runs)
    chosen = chosen_cells(order, half, place, len(values))
    most_steps = grid.most_steps(chosen.ravel()).reshape(chosen.shape).max(axis=1)
    compared = ComparedBy.of_study(study, measure, margin)
    table = compare_evaluated(evaluated_runs(runs, chosen, half), values, most_steps, compared)
    label = MEASURES[chooser].label if chooser else "convergence rate"
    table.attrs["note"] = (
        f"each value of {vary} is compared at its best cell by {label}: half of the seeds choose the cell, the other "
        "half compare, and vice versa"
    )
    if none := why_no_best(cells_for(result, by), by):
        table.attrs["note"] += f"; {none}, so no choice is better than another"
    table.attrs["measure"] = measure
    cells = result.named(cells_of(grid, chosen.ravel())).assign(half=np.tile([0, 1], len(values)))
    table.attrs["chosen"] = cells.to_dict("records")  # pandas cannot concatenate tables with a DataFrame here
    return table


def _intervals(result: EvaluatedRuns, best: pd.DataFrame, statistic: str, levels: Array) -> dict[str, Array]:
    """Return the ends of the intervals of a statistic of some cells, each at its own level, (cells,)."""
    cells, found = best["cell"].to_numpy(), every()[statistic]
    group = np.arange(len(cells))
    if result.keeps_runs if found.measure else result.replicates > 1:
        most = most_correct(result.study, found.measure) if found.measure else NOT_COUNTED
        most_steps = result.study.grid.most_steps(cells)
        runs = Runs.of_measured(result.runs_by(found.measure).at(cells), group, most_steps, most)
    else:
        runs = counted_runs(result, cells, group, found.measure)
    low, high = estimate_of(found, runs).ends(levels)
    if found.integer:  # missing where it is never reached
        low, high = (np.where(np.isinf(each), np.nan, each) for each in (low, high))
    return {"best_of_low": low, "best_of_high": high}
