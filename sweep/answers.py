"""What the cells of a result say: which is best, in which order they stand, and sums over parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.errors import SweepError, unknown
from sweep.schema import STATUSES
from sweep.statistics.intervals import wilson_interval
from sweep.study import Study

if TYPE_CHECKING:
    import pandas as pd

_COUNTS = ["n_runs", *(f"n_{name}" for name in STATUSES)]

# Names that people give to columns of cells.
COLUMNS = {
    "rate": "convergence_rate",
    "median_steps": "steps_q50",
    "mean_steps": "restricted_mean_steps",
    **{name.removeprefix("n_"): name for name in _COUNTS},
}

# What orders cells from best to worst, and whether more is worse.
_BEST = {"convergence_rate": False, "expected_steps": True}


def judges_convergence(study: Study) -> bool:
    """Tell whether any cell of a study has a criterion."""
    return set(study.values_of("criterion")) != {"none"}


def swept(study: Study) -> list[str]:
    """Return the parameters that have several values, in file order."""
    return [name for name, values in study.parameters.items() if len(values) > 1]


def best_first(cells: pd.DataFrame) -> pd.DataFrame:
    """Order cells by their convergence rate, the highest first; equal ones by the steps that a success takes."""
    order = {name: ascending for name, ascending in _BEST.items() if name in cells}
    return cells.sort_values(list(order), ascending=list(order.values()), kind="stable")


def sort_by(cells: pd.DataFrame, name: str) -> pd.DataFrame:
    """Order cells by a column: rates and counts from the highest down, all else from the lowest up.

    Parameters
    ----------
    cells
        Cells of a result, or what :func:`sum_over` returns.
    name
        A column, or one of :data:`COLUMNS`.

    Raises
    ------
    SweepError
        If there is no such column.
    """
    column = COLUMNS.get(name, name)
    if column not in cells:
        aliases = {known: alias for alias, known in COLUMNS.items()}
        raise SweepError(unknown("column", name, [aliases.get(known, known) for known in cells.columns]))
    if column == "convergence_rate":
        return best_first(cells)
    downwards = column in ("n_cells", "best_rate", *_COUNTS) or column.startswith("convergence_rate")
    return cells.sort_values(column, ascending=not downwards, na_position="last", kind="stable")


def n_not_worse(cells: pd.DataFrame) -> int:
    """Return how many cells beside the best have an interval that reaches into that of the best."""
    lowest = best_first(cells)["convergence_rate_low"].iloc[0]
    return int((cells["convergence_rate_high"] >= lowest).sum()) - 1


def sum_over(cells: pd.DataFrame, study: Study, by: list[str]) -> pd.DataFrame:
    """Add up all cells that share the values of some parameters.

    Parameters
    ----------
    cells
        Cells of a result.
    study
        Its study.
    by
        Swept parameters to keep; counts are added up over the others.

    Returns
    -------
    DataFrame
        One row for each combination of the values of ``by``, in the order of the cells: these values, n_cells,
        the counts of the cells, convergence_rate with its Wilson interval, and best_cell, the number of the best
        cell among them, with best_rate.

    Raises
    ------
    SweepError
        If a name is no swept parameter, or is given twice.
    """
    for name in by:
        if name not in study.parameters:
            raise SweepError(unknown("parameter", name, list(study.parameters)) if study.parameters else _NOTHING)
        if by.count(name) > 1:
            raise SweepError(f"parameter {name!r} given twice; give each once")
    groups = cells.groupby(by, sort=False)
    sums = groups[_COUNTS].sum()
    sums.insert(0, "n_cells", groups.size())
    low, high = wilson_interval(sums["n_converged"].to_numpy(), sums["n_runs"].to_numpy())
    best = best_first(cells).groupby(by, sort=False)[["cell", "convergence_rate"]].first()
    return sums.assign(
        convergence_rate=sums["n_converged"] / sums["n_runs"],
        convergence_rate_low=low,
        convergence_rate_high=high,
        best_cell=best["cell"],
        best_rate=best["convergence_rate"],
    ).reset_index()


_NOTHING = "nothing is swept in this study, so there is nothing to sum over"
