"""What the cells of a result say: which is best, in which order they stand, and sums over parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.errors import SweepError, unknown
from sweep.results.pooled_measures import pooled_by
from sweep.statistics.cells import INTERVALS, group_of, summarize_by, values_of_groups
from sweep.statistics.clustered import rate_intervals, step_intervals
from sweep.statistics.intervals import Array, wilson_interval
from sweep.statistics.measures import STATISTIC_OF
from sweep.statistics.ranking import has_all_runs, rank_cells
from sweep.statistics.steps import ends_by_group, steps_of_equal_cells
from sweep.study.columns import STATUSES, tells_losses
from sweep.study.model import Study
from sweep.study.words import WORDS
from sweep.system.formatting import list_text

if TYPE_CHECKING:
    from sweep.results.data import ResultData as Result

_COUNTS = ["n_runs", *(f"n_{name}" for name in STATUSES)]

# Runs whose rows are read for answers that nobody asked rows for: more would take memory that grows with the runs.
MOST_PAIRED = 2 * 10**7

# Names that people give to columns of cells.
COLUMNS = {
    "rate": "convergence_rate",
    "median_steps": "steps_q50",
    "mean_steps": "restricted_mean_steps",
    **STATISTIC_OF,
    **{name.removeprefix("n_"): name for name in _COUNTS},
}


def judges_convergence(study: Study) -> bool:
    """Tell whether any cell of a study has a criterion."""
    return set(study.values_of("criterion")) != {"none"}


def swept(study: Study) -> list[str]:
    """Return the parameters that have several values, in file order."""
    return [name for name, values in study.parameters.items() if len(values) > 1]


def check_judged(study: Study) -> None:
    """Refuse a study in which nothing converges by definition.

    Raises
    ------
    SweepError
    """
    if not judges_convergence(study):
        raise SweepError(
            "the study has criterion 'none': convergence is not judged, so there is nothing to tell of it; "
            f"of {list_text(list(STATISTIC_OF))} there is"
        )


def default_statistic(study: Study) -> str:
    """Return what cells are told by unless something is asked for: the rate, or the final loss if none is judged."""
    return "convergence_rate" if judges_convergence(study) else STATISTIC_OF["final_loss"]


def names_of(columns: Iterable[str]) -> list[str]:
    """Return columns by the names that people give to them."""
    aliases = {known: alias for alias, known in COLUMNS.items()}
    return list(dict.fromkeys(aliases.get(known, known) for known in columns))


def split_by(study: Study, names: Sequence[str], statistics: Iterable[str]) -> tuple[list[str], str | None]:
    """Divide names into swept parameters and the column of at most one statistic, which have no name in common.

    Parameters
    ----------
    study
    names
        As given with ``by``.
    statistics
        Columns that are allowed.

    Raises
    ------
    SweepError
        If a name is neither, or there are several statistics, or a parameter is given twice.
    """
    parameters = [name for name in names if name in WORDS]
    others = [name for name in names if name not in WORDS]
    check_swept(study, parameters)
    if len(others) > 1:
        raise SweepError(f"{list_text(others)} given; give parameters and one statistic")
    return parameters, column_of(others[0], statistics) if others else None


def check_swept(study: Study, names: Sequence[str]) -> None:
    """Require that these are swept parameters, each given once.

    Raises
    ------
    SweepError
        If a name is no swept parameter, or is given twice.
    """
    for name in names:
        if name not in study.parameters:
            raise SweepError(unknown("parameter", name, list(study.parameters)) if study.parameters else _NOTHING)
        if list(names).count(name) > 1:
            raise SweepError(f"parameter {name!r} given twice; give each once")


def column_of(name: str, allowed: Iterable[str]) -> str:
    """Return the column of cells that a name stands for.

    Raises
    ------
    SweepError
        If it is none of those allowed.
    """
    column, allowed = COLUMNS.get(name, name), list(allowed)
    if column not in allowed:
        raise SweepError(unknown("statistic", name, names_of(allowed)))
    return column


def sort_by(cells: pd.DataFrame, study: Study, name: str) -> pd.DataFrame:
    """Order cells by a column: rates and counts from the highest down, all else from the lowest up.

    Parameters
    ----------
    cells
        Cells of a result, or what :func:`sum_over` returns.
    study
        Of the result.
    name
        A column, or one of :data:`COLUMNS`.

    Raises
    ------
    SweepError
        If there is no such column.
    """
    column = COLUMNS.get(name, name)
    if column not in cells:
        raise SweepError(unknown("column", name, names_of(cells.columns)))
    if column == default_statistic(study):
        return rank_cells(cells, study, column)
    rates = ("convergence_rate", "finite_rate", "n_correct_mean")
    downwards = column in ("n_cells", "best_rate", *_COUNTS) or column.startswith(rates)
    return cells.sort_values(column, ascending=not downwards, na_position="last", kind="stable")


def n_not_worse(result: Result) -> int:
    """Return how many cells beside the best have an interval that reaches into that of the best.

    In a partial result, cells that lack runs do not count.
    """
    cells, statistic = result.cells[has_all_runs(result.cells, result.study)], default_statistic(result.study)
    if statistic != "convergence_rate":
        highest = rank_cells(cells, result.study, statistic)[f"{statistic}_high"].iloc[0]
        return int((cells[f"{statistic}_low"] <= highest).sum()) - 1
    lowest = rank_cells(cells, result.study)["convergence_rate_low"].iloc[0]
    return int((cells["convergence_rate_high"] >= lowest).sum()) - 1


def sum_over(result: Result, by: Sequence[str]) -> pd.DataFrame:
    """Add up all cells that share the values of some parameters.

    Parameters
    ----------
    result
    by
        Swept parameters to keep; counts are added up over the others. None for all cells together.

    Returns
    -------
    DataFrame
        One row for each combination of the values of ``by``, in the order of the cells: these values, n_cells,
        the counts of the cells, convergence_rate (of a partial result the mean over the cells, as of
        :func:`mean_rates`) with its 95 % interval as of :func:`rate_intervals_by`, and
        best_cell, the number of the best cell among them, with best_rate; where cells tell of final losses the columns
        of :func:`sweep.results.pooled_measures.pooled_by`, and best_final_loss_q50 for best_rate where convergence is
        not judged.

    Raises
    ------
    SweepError
        If a name is no swept parameter, or is given twice.
    """
    check_swept(result.study, by)
    cells = result.cells
    grid, numbers = result.study.grid, cells["cell"].to_numpy()
    group = group_of(grid, by, numbers)
    groups, statistic = cells.groupby(group), default_statistic(result.study)
    sums = groups[_COUNTS].sum()
    ranked = rank_cells(cells, result.study, statistic)
    best = ranked.groupby(group_of(grid, by, ranked["cell"].to_numpy()))[["cell", statistic]].first()
    rates = sums["n_converged"] / sums["n_runs"] if result.complete else mean_rates(cells, group)
    table = values_of_groups(grid, by, numbers).join(sums.assign(n_cells=groups.size()), how="inner")[
        [*by, "n_cells", *_COUNTS]
    ]
    table = table.assign(convergence_rate=rates, **rate_intervals_by(result, cells, group), best_cell=best["cell"])
    table[f"best_{'rate' if statistic == 'convergence_rate' else statistic}"] = best[statistic]
    if not tells_losses(result.study):
        return table
    return table.join(pooled_by(result, "final_loss", cells, group, pairs_seeds(result)))


def summarize_over(result: Result, by: Sequence[str], cells: pd.DataFrame, measure: str | None = None) -> pd.DataFrame:
    """Return the statistics of all runs of some cells that share the values of some parameters.

    Parameters
    ----------
    result
    by
        Swept parameters, one or more.
    cells
        Cells of the result, or some of them, with their statistics of ``measure``.
    measure
        What was measured of runs, to be told too; by default the final loss where cells tell of it.

    Returns
    -------
    DataFrame
        As of :func:`sweep.statistics.cells.summarize_by`, then :func:`sweep.results.pooled_measures.pooled_by`.
        Intervals over several cells count each seed once; they are missing where rows are not there or are too many,
        and of a partial result. There all but counts weighs cells equally, and what restarts save is missing.
    """
    measure = measure or ("final_loss" if tells_losses(result.study) else None)
    table = _convergence_over(result, by, cells)
    if measure is None:
        return table.reset_index(drop=True)
    group = group_of(result.study.grid, by, cells["cell"].to_numpy())
    return table.join(pooled_by(result, measure, cells, group, pairs_seeds(result))).reset_index(drop=True)


def _convergence_over(result: Result, by: Sequence[str], cells: pd.DataFrame) -> pd.DataFrame:
    """Return what runs of groups of cells tell of convergence, by the number of the group."""
    grid = result.study.grid
    tally = result.tally[result.tally["cell"].isin(cells["cell"])]
    table = summarize_by(tally, grid, by)
    several = table.index[table["n_cells"] > 1]
    shared = cells["cell"].to_numpy()[np.isin(group_of(grid, by, cells["cell"].to_numpy()), several)]
    if not len(shared):
        return table
    if not result.complete:
        counted = tally["cell"].to_numpy()
        equal = steps_of_equal_cells(ends_by_group(tally, group_of(grid, by, counted), grid.most_steps(counted)))
        equal["convergence_rate"] = mean_rates(cells, group_of(grid, by, cells["cell"].to_numpy()))
        for name, column in equal.items():
            table.loc[several, str(name)] = column[several]
        table.loc[several, ["restart_steps", "restarted_steps"]] = None
    if not (pairs_seeds(result) and result.complete):
        table.loc[several, INTERVALS] = None
        return table
    outcomes, group = result.outcomes.at(shared), group_of(grid, by, shared)
    of_rates = pd.DataFrame(dict(zip(INTERVALS[:2], rate_intervals(outcomes, group), strict=True)), several)
    tally = tally[tally["cell"].isin(shared)]
    counted = tally["cell"].to_numpy()
    ends = ends_by_group(tally, group_of(grid, by, counted), grid.most_steps(counted))
    of_steps = step_intervals(outcomes, group, grid.most_steps(shared), ends)
    for name, column in {**of_rates, **of_steps}.items():
        table.loc[several, name] = column
    return table


def pairs_seeds(result: Result) -> bool:
    """Tell whether rows of runs are there, and not too many to be read for every answer."""
    return result.keeps_runs and result.study.n_runs <= MOST_PAIRED


def mean_rates(cells: pd.DataFrame, group: Array) -> pd.Series[float]:
    """Return the mean convergence rate of the cells of each group, by its number.

    The first runs of a study are no fair sample of its cells: some have all their runs by then, and others few or none.
    """
    return (cells["n_converged"] / cells["n_runs"]).groupby(group).mean()


def rate_intervals_by(result: Result, cells: pd.DataFrame, group: Array) -> pd.DataFrame:
    """Return the intervals of convergence rates over groups of cells, by the number of their group.

    Those of several cells count each seed once, and are missing where rows of runs are not there, or too many to be
    read, and of a partial result, whose cells have different numbers of runs.
    """
    groups = cells.groupby(group)
    sums, n_cells = groups[["n_converged", "n_runs"]].sum(), groups.size().to_numpy()
    if pairs_seeds(result) and result.complete and n_cells.max(initial=1) > 1:
        low, high = rate_intervals(result.outcomes.at(cells["cell"].to_numpy()), group)
    else:
        ends = wilson_interval(sums["n_converged"].to_numpy(), sums["n_runs"].to_numpy())
        low, high = (np.where(n_cells == 1, end, np.nan) for end in ends)
    return pd.DataFrame({"convergence_rate_low": low, "convergence_rate_high": high}, sums.index)


_NOTHING = "nothing is swept in this study"
