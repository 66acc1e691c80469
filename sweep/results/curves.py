"""Curves over steps: cumulative incidence, run lengths, profiles, and parallel runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweep.analysis.cells import group_of, values_of_groups
from sweep.analysis.incidence import EVENTS, incidence_by
from sweep.analysis.profiles import performance_profile
from sweep.errors import SweepError, shown, unknown
from sweep.results.answers import check_alone, check_has_criterion, check_swept, criterion_fault
from sweep.results.estimate import pairs_seeds
from sweep.results.evaluated_runs import EvaluatedRuns
from sweep.results.pooled_cells import pooled_tally
from sweep.statistics.parallel_runs import FirstOf, first_of
from sweep.study.axes.grid import replicate_axes
from sweep.study.model import Study

# Most curves of a table.
MOST_CURVES = 10_000
# Default numbers of parallel runs; those above the number of seeds are left out.
PARALLEL_RUNS = (1, 2, 4, 8, 16, 32, 64)

_ENDS = ("", "_low", "_high")


def incidence_of(result: EvaluatedRuns, by: Sequence[str], event: str, parallel_runs: int) -> pd.DataFrame:
    """Return the cumulative incidence; see :meth:`sweep.Result.incidence`."""
    check_swept(result.study, by)
    if event not in EVENTS:
        raise SweepError(unknown("event", event, list(EVENTS)))
    _check_few(by, result.study.grid.n_combinations(by))
    if parallel_runs != 1:
        check_parallel(result.numbered_tally, [parallel_runs])
        if event != "converged":
            raise SweepError(f"event: must be 'converged' with parallel runs, got {event!r}")
    outcomes = result.outcomes if event == "converged" and pairs_seeds(result) else None
    grid = result.study.grid
    return incidence_by(pooled_tally(result), grid, by, event, outcomes, parallel_runs, result.replicates)


def parallel_runs_of(result: EvaluatedRuns, k: int | Sequence[int] | None, names: Sequence[str]) -> pd.DataFrame:
    """Return how often any of k parallel runs converges; see :meth:`sweep.Result.parallel_runs`."""
    check_has_criterion(result.study)
    crossed = bool(replicate_axes(result.study.axes, names))
    check_swept(result.study, names)
    fewest = _fewest_runs(result.numbered_tally)
    chosen = [each for each in PARALLEL_RUNS if each <= fewest] if k is None else [k] if isinstance(k, int) else list(k)
    check_parallel(result.numbered_tally, chosen)
    grid = result.study.grid
    cells = np.sort(result.numbered_tally["cell"].unique())
    group = group_of(grid, names, cells)
    numbers = np.unique(group)
    _check_few(names, len(numbers))
    rows = []
    for number in numbers:
        members = cells[group == number]
        steps, converged = runs_of(result, members)
        for each in chosen:
            first = first_of(steps, converged, grid.most_steps(members), each)
            if crossed:
                first = FirstOf(first.rate, np.nan, np.nan, first.saved, np.nan, np.nan)
            most = grid.most_steps(members).mean()
            means = most - first.saved, most - first.saved_high, most - first.saved_low
            rows.append((number, len(members), each, *first[:3], *means))
    columns = ["n_cells", "k", *(f"convergence_rate{end}" for end in _ENDS)]
    columns += [f"restricted_mean_steps{end}" for end in _ENDS]
    table = pd.DataFrame(rows, columns=["group", *columns]).set_index("group")
    return values_of_groups(grid, names, cells).join(table, how="inner").reset_index(drop=True)


def runs_of(result: EvaluatedRuns, cells: Any) -> tuple[Any, Any]:
    """Return steps of runs and whether they converged, both (cells, seeds). Seeds of a single cell are in any order.

    Several cells are refused if runs or their rows are missing.
    """
    if len(cells) == 1:
        first, last = np.searchsorted(result.numbered_tally["cell"].to_numpy(), [cells[0], cells[0] + 1])
        tally = result.numbered_tally.iloc[first:last]
        steps, converged = (
            np.repeat(ends.to_numpy(), tally["n"]) for ends in (tally["steps"], tally["status"] == "converged")
        )
        return steps[None], converged[None]
    outcomes = result.outcomes.at(cells) if pairs_seeds(result) else None
    if outcomes is None or not outcomes.present.all():
        raise SweepError("parallel runs over several cells need the rows of all their runs; name all parameters in by")
    return outcomes.steps, outcomes.converged


def _check_few(by: Sequence[str], n_curves: int) -> None:
    """Refuse parameters with too many combinations of values."""
    if n_curves > MOST_CURVES:
        raise SweepError(
            f"by: must be parameters with at most {MOST_CURVES:,} combinations of values, got {', '.join(by)} with "
            f"{n_curves:,}"
        )


def _fewest_runs(tally: pd.DataFrame) -> int:
    return int(tally.groupby("cell")["n"].sum().min())


def check_parallel(tally: pd.DataFrame, numbers: Sequence[Any]) -> None:
    """Refuse numbers of parallel runs that are no integers from 1, or exceed the runs of some cell."""
    fewest = _fewest_runs(tally)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 1 <= number <= fewest:
            raise SweepError(
                f"parallel runs: must be from 1 to {fewest:,}, the fewest runs of a cell, got {shown(number)}"
            )


def profile_of(result: EvaluatedRuns, vary: str, values: Sequence[Any], cells: Any) -> pd.DataFrame:
    """Return the performance profile of two or more values of a parameter in some cells.

    It is the table of :func:`sweep.analysis.profiles.performance_profile`. ``cells`` are numbers of cells, (cells,), in
    order. SweepError is raised if there is one value, there is no criterion, or no problem has runs at all values;
    StoreError if rows of runs were not kept.
    """
    check_has_criterion(result.study)
    if len(values) < 2:
        raise SweepError(f"{vary} has 1 value; a performance profile compares two or more")
    check_alone(result.study, vary)
    profile = performance_profile(result.outcomes, result.study.grid, vary, cells, tuple(values))
    if not profile["n_problems"].iloc[0]:
        if result.complete:
            raise SweepError(
                f"no cells differ in {vary} alone and have all of these values; select values with --at {vary}=.."
            )
        raise SweepError(f"no seed is trained at all values of {vary} yet; run the same study again to continue")
    return profile


def check_thresholds(result: EvaluatedRuns, thresholds: Sequence[Any] | None = None) -> None:
    """Refuse a result without recorded loss thresholds in which ``threshold`` is not swept, or without a criterion."""
    fault = thresholds_fault(result.study, thresholds)
    if fault:
        raise SweepError(fault)


def thresholds_fault(study: Study, thresholds: Sequence[Any] | None = None) -> str | None:
    """Return why ``threshold``, or some of its values, do not suffice for run lengths, or None if they do."""
    found = study.parameters.get("threshold", ()) if thresholds is None else thresholds
    if len(found) > 1:
        return criterion_fault(study)
    return criterion_fault(study) or (
        "run-length distributions need several loss thresholds; record them with --set "
        "record.loss_thresholds=1e-1,1e-2,1e-3, or sweep threshold"
    )
