"""The best cells of a result: all cells ranked, or the best one for each value of some parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.errors import SweepError
from sweep.results.answers import check_has_criterion
from sweep.statistics.cells import group_of
from sweep.statistics.clusters import Clusters
from sweep.statistics.estimates import MeanCorrect
from sweep.statistics.intervals import LEVEL, Array, clopper_pearson_interval
from sweep.statistics.measures import least, measure_of, most_correct, quantile_interval
from sweep.statistics.ranking import best_cells, rank_cells
from sweep.statistics.steps import ends_by_group, expected_steps
from sweep.study.selection import At, cells_at, values_at

if TYPE_CHECKING:
    from sweep.results.data import ResultData as Result

_HALF = (1, 2)


def rank(result: Result, statistic: str, at: At | None = None) -> pd.DataFrame:
    """Return cells ranked by a statistic, with tests of which of them may be the best.

    Parameters
    ----------
    result
        Complete or partial.
    statistic
        A key of :data:`sweep.statistics.ranking.RANKED_BY`.
    at
        Selects cells by values of some parameters.

    Returns
    -------
    DataFrame
        The table of :func:`sweep.statistics.ranking.best_cells`.

    Raises
    ------
    SweepError
        If a value is unknown, no such cell is trained yet, or the statistic is one of convergence and there is no
        criterion.
    StoreError
        If the statistic needs rows of runs, and these were not kept.
    """
    cells, measure = cells_for(result, statistic, at), measure_of(statistic)
    runs = None
    if result.keeps_runs:
        runs = result.measured(measure) if measure else result.outcomes
    grid = result.study.grid
    most = most_correct(result.study, measure) if measure else grid.most_steps(np.arange(grid.n_cells))
    return best_cells(cells, runs, statistic, most)


def cells_for(result: Result, statistic: str, at: At | None = None) -> pd.DataFrame:
    """Return the cells with some values of parameters, and a statistic of each.

    Parameters
    ----------
    result
        Complete or partial.
    statistic, at
        As for :func:`rank`.

    Returns
    -------
    DataFrame
        Rows of the cells table, with the columns of the measure of the statistic.

    Raises
    ------
    SweepError
        If a value is unknown, no such cell is trained yet, the statistic is one of convergence and there is no
        criterion, or final losses of these cells were not counted.
    StoreError
        If the statistic needs rows of runs, and these were not kept.
    """
    measure = measure_of(statistic)
    if measure is None:
        check_has_criterion(result.study)
    cells = cells_at(result.measured_cells(measure) if measure else result.cells, values_at(result.study, at))
    if cells.empty:
        raise SweepError("no cell with these values is trained yet; run the same study again to continue")
    if measure and cells[statistic].isna().all():
        raise SweepError(
            "this result has no final losses of these cells, because with keep='cells' only cells without a criterion "
            "have them; run the study with keep='runs' (--keep runs)"
        )
    return cells


def best_of_each(result: Result, by: Sequence[str], statistic: str, at: At | None = None) -> pd.DataFrame:
    """Return the best cell for each combination of parameter values, with an interval that allows for the choice.

    Parameters
    ----------
    result
        Complete or partial.
    by
        Swept parameters, one or more.
    statistic, at
        As for :func:`rank`.

    Returns
    -------
    DataFrame
        From the best to the worst: the values of ``by``, ``best_of`` (the number of cells among which it is the best),
        ``cell``, the values of the other parameters, ``n_runs``, the statistic, and ``best_of_low`` and
        ``best_of_high``, the ends of its 95 % interval. Cells without counted losses are left out.

    Raises
    ------
    SweepError, StoreError
        As for :func:`rank`.

    Notes
    -----
    Choosing the cell that looks best of k biases its estimate. Each of the k intervals misses with a probability of at
    most 0.05 / k, so all of them hold together with 95 % confidence (Bonferroni), and so does that of the chosen cell.
    The intervals are those of single cells at this level: order statistics for medians,
    :mod:`sweep.statistics.estimates` for expected steps and means. Rates have Clopper-Pearson intervals, since Wilson
    intervals cover too little at such levels.
    """
    cells = cells_for(result, statistic, at)
    if measure_of(statistic):
        cells = cells[cells[statistic].notna()]  # losses of the others were not counted
    ranked = rank_cells(cells, statistic)
    group = group_of(result.study.grid, by, ranked["cell"].to_numpy())
    best = ranked.groupby(group, sort=False).head(1)
    best_of = ranked.groupby(group, sort=False).size().to_numpy()
    others = [name for name in result.study.parameters if name not in by]
    table = best[[*by, "cell", *others, "n_runs", statistic]].reset_index(drop=True)
    table.insert(len(by), "best_of", best_of)
    return table.assign(**_intervals(result, best, statistic, LEVEL / best_of))


def _intervals(result: Result, best: pd.DataFrame, statistic: str, levels: Array) -> dict[str, Array]:
    """Return the ends of the intervals of a statistic of some cells, each at its level, (cells,)."""
    measure, cells = measure_of(statistic), best["cell"].to_numpy()
    ends: tuple[Array, ...]
    if statistic == "convergence_rate":
        ends = clopper_pearson_interval(best["n_converged"].to_numpy(), best["n_runs"].to_numpy(), levels)
    elif statistic == "expected_steps":
        tally = result.tally[result.tally["cell"].isin(cells)]
        place = pd.Series(np.arange(len(cells)), cells).loc[tally["cell"]].to_numpy()
        limits = result.study.grid.most_steps(tally["cell"].to_numpy())
        ends = expected_steps(ends_by_group(tally, place, limits)).ends(levels)
    elif measure and statistic.endswith("_mean"):
        measured = result.measured(measure).at(cells)
        present, values = measured.present, np.where(measured.present, measured.values, 0.0)
        runs = Clusters.of_seeds(present, present, values)
        ends = MeanCorrect(runs, most_correct(result.study, measure)).ends(levels)
    else:
        found = [_median_interval(result, cell, statistic, level)
                 for cell, level in zip(cells.tolist(), levels.tolist(), strict=True)]  # fmt: skip
        ends = tuple(np.array(found).T)
        if statistic == "steps_q50":
            ends = tuple(np.where(np.isinf(each), np.nan, each) for each in ends)
    return dict(zip(("best_of_low", "best_of_high"), ends, strict=True))


def _median_interval(result: Result, cell: int, statistic: str, level: float) -> tuple[float, float]:
    """Return the interval of the median of one cell. Runs that do not converge have infinite steps."""
    measure = measure_of(statistic)
    if measure is None:
        tally = result.tally[result.tally["cell"] == cell]
        values = np.where(tally["status"] == "converged", tally["steps"], np.inf)
        order, n = np.argsort(values, kind="stable"), tally["n"].to_numpy()
    elif result.keeps_runs:
        values = result.measured(measure).values[cell]
        values = values[~np.isnan(values)]
        order, n = np.argsort(values), np.ones(len(values), np.int64)
    else:
        counts = result.counted_losses
        first, last = np.searchsorted(counts["cell"], (cell, cell + 1))
        values, n = (counts[name].to_numpy()[first:last] for name in ("final_loss", "n"))
        order = np.arange(len(values))
    return quantile_interval(values[order], n[order], _HALF, level, least(measure or ""))
