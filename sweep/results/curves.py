"""Curves of a result over steps: cumulative incidence, run lengths, profiles, and parallel runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweep.analysis.cells import group_of, values_of_groups
from sweep.analysis.incidence import EVENTS, incidence_by
from sweep.analysis.profiles import performance_profile
from sweep.errors import SweepError, shown, unknown
from sweep.results.answers import check_alone, check_has_criterion, check_swept, criterion_fault
from sweep.results.data import ResultData
from sweep.results.pooled_cells import pairs_seeds
from sweep.statistics.parallel_runs import FirstOf, first_of
from sweep.study.model import Study

# Most curves of a table.
MOST_CURVES = 10_000
# Default numbers of parallel runs; those above the number of seeds are left out.
PARALLEL_RUNS = (1, 2, 4, 8, 16, 32, 64)

_ENDS = ("", "_low", "_high")


class ResultCurves(ResultData, ABC):
    """The curves of a result."""

    def incidence(
        self, by: str | Sequence[str] = (), event: str = "converged", *, parallel_runs: int = 1
    ) -> pd.DataFrame:
        """Return the cumulative incidence: the share of runs that ended with a status by each step.

        Parameters
        ----------
        by
            Swept parameters. Each combination of their values has a curve.
        event
            ``"converged"``, ``"diverged"``, ``"stalled"`` or ``"plateau"``. Exhausted runs are right-censored at their
            limit.
        parallel_runs
            If this is k > 1, the share of choices of k runs of a cell in which any run has converged.

        Returns
        -------
        DataFrame
            The table of :func:`sweep.analysis.incidence.incidence_by`.

        Raises
        ------
        SweepError
            If a name is no swept parameter or occurs twice, the event is unknown, there would be more than 10,000
            curves, or ``parallel_runs`` exceeds the runs of a cell.
        """
        by = listed(by)
        check_swept(self.study, by)
        if event not in EVENTS:
            raise SweepError(unknown("event", event, list(EVENTS)))
        n_curves = self.study.grid.n_combinations(by)
        if n_curves > MOST_CURVES:
            raise SweepError(
                f"by: must be parameters with at most {MOST_CURVES:,} combinations of values, got {', '.join(by)} with "
                f"{n_curves:,}"
            )
        if parallel_runs != 1:
            check_parallel(self.tally, [parallel_runs])
            if event != "converged":
                raise SweepError(f"event: must be 'converged' with parallel runs, got {event!r}")
        outcomes = self.outcomes if event == "converged" and pairs_seeds(self) else None
        return incidence_by(self.pooled_tally, self.study.grid, by, event, outcomes, parallel_runs)

    def run_lengths(self, by: str | Sequence[str] = ()) -> pd.DataFrame:
        """Return the run-length distribution: the share of pairs of run and loss threshold reached by each step.

        Parameters
        ----------
        by
            Swept parameters. Each combination of their values has a curve. Include ``"loss_threshold"`` (or
            ``"threshold"``, if no loss thresholds are recorded) for a curve of each threshold.

        Returns
        -------
        DataFrame
            The table of :meth:`incidence`.

        Raises
        ------
        SweepError
            If no loss thresholds are recorded and ``threshold`` has one value, or as for :meth:`incidence`.
        StoreError
            If loss thresholds are recorded and rows of runs were not kept.

        Notes
        -----
        This is the empirical distribution of run lengths over several thresholds (Hansen et al., Optim. Methods Softw.
        36 (2021) 114: COCO, which calls the thresholds targets). They are those of ``record.loss_thresholds``, or else
        the values of ``threshold``. Runs of a seed take the same steps whatever their threshold, so the run that ends
        at a threshold shows when the loss first falls below it. A run that ends earlier does not reach the threshold.
        """
        if self.study.record.loss_thresholds:
            return self.by_threshold.incidence(by)
        check_thresholds(self)
        return self.incidence(by)

    @property
    @abstractmethod
    def by_threshold(self) -> ResultCurves:
        """The runs evaluated by each recorded loss threshold; see :class:`sweep.Result`."""

    def performance_profile(self, vary: str) -> pd.DataFrame:
        """Return the performance profile: how often each value of a parameter is within a factor of the fewest steps.

        Parameters
        ----------
        vary
            A swept parameter with several values.

        Returns
        -------
        DataFrame
            The table of :func:`sweep.analysis.profiles.performance_profile`. If loss thresholds are recorded, a
            problem also has a threshold, and is solved at the step at which the loss falls below it.

        Raises
        ------
        SweepError
            If ``vary`` is no swept parameter or has one value, there is no criterion, or no problem (a seed in a
            combination of the other parameters) has runs at all values.
        StoreError
            If rows of runs were not kept.
        """
        check_swept(self.study, [vary])
        if self.study.record.loss_thresholds:
            return self.by_threshold.performance_profile(vary)
        return profile_of(self, vary, self.study.parameters[vary], np.arange(self.study.n_cells))

    def parallel_runs(
        self, k: int | Sequence[int] | None = None, by: str | Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return how often any of k parallel runs of a cell converges, and the steps until the first does.

        Parameters
        ----------
        k
            Numbers of runs that start together; by default 1, 2, 4, .. 64, up to the number of seeds.
        by
            Swept parameters, all by default. Each combination of their values has rows, with means over the others.

        Returns
        -------
        DataFrame
            By these parameters and ``k``: ``convergence_rate``, the share of choices of k runs in which any converges,
            and ``restricted_mean_steps`` (RMST), the mean steps until the first converges, with the limit of steps if
            none does. Both have 95 % intervals, which need eight seeds for each parallel run; see
            :func:`sweep.statistics.parallel_runs.first_of`. Steps times k are those of all k runs.

        Raises
        ------
        SweepError
            If a name is no swept parameter or occurs twice, k is below 1 or above the runs of a cell, there would be
            more than 10,000 combinations, there is no criterion, or pooled cells lack runs of some seeds or rows.
        """
        check_has_criterion(self.study)
        names = list(self.study.parameters) if by is None else listed(by)
        check_swept(self.study, names)
        fewest = int(self.tally.groupby("cell")["n"].sum().min())
        chosen = (
            [each for each in PARALLEL_RUNS if each <= fewest] if k is None else [k] if isinstance(k, int) else list(k)
        )
        check_parallel(self.tally, chosen)
        grid, cells = self.study.grid, np.sort(self.tally["cell"].unique())
        group = group_of(grid, names, cells)
        n_groups = len(np.unique(group))
        if n_groups > MOST_CURVES:
            raise SweepError(
                f"by: must be parameters with at most {MOST_CURVES:,} combinations of values, got {', '.join(names)} "
                f"with {n_groups:,}"
            )
        rows = []
        for number in np.unique(group):
            members = cells[group == number]
            steps, converged = runs_of(self, members)
            for each in chosen:
                first = first_of(steps, converged, grid.most_steps(members), each)
                means = _restricted(first, grid.most_steps(members).mean())
                rows.append((number, len(members), each, *first[:3], *means))
        columns = ["n_cells", "k", *(f"convergence_rate{end}" for end in _ENDS)]
        columns += [f"restricted_mean_steps{end}" for end in _ENDS]
        table = pd.DataFrame(rows, columns=["group", *columns]).set_index("group")
        return values_of_groups(grid, names, cells).join(table, how="inner").reset_index(drop=True)


def _restricted(first: FirstOf, most_steps: float) -> tuple[float, float, float]:
    """Return the restricted mean steps of the first run, and the ends of its interval."""
    return most_steps - first.saved, most_steps - first.saved_high, most_steps - first.saved_low


def runs_of(result: ResultData, cells: Any) -> tuple[Any, Any]:
    """Return steps of runs and whether they converged, both (cells, seeds). Seeds of a single cell are in any order.

    Raises
    ------
    SweepError
        If there are several cells, and runs or their rows are missing.
    """
    if len(cells) == 1:
        first, last = np.searchsorted(result.tally["cell"].to_numpy(), [cells[0], cells[0] + 1])
        tally = result.tally.iloc[first:last]
        steps, converged = (
            np.repeat(ends.to_numpy(), tally["n"]) for ends in (tally["steps"], tally["status"] == "converged")
        )
        return steps[None], converged[None]
    outcomes = result.outcomes.at(cells) if pairs_seeds(result) else None
    if outcomes is None or not outcomes.present.all():
        raise SweepError("parallel runs over several cells need the rows of all their runs; name all parameters in by")
    return outcomes.steps, outcomes.converged


def check_parallel(tally: pd.DataFrame, numbers: Sequence[Any]) -> None:
    """Check numbers of parallel runs.

    Raises
    ------
    SweepError
        If one is not an integer from 1, or exceeds the runs of some cell.
    """
    fewest = int(tally.groupby("cell")["n"].sum().min())
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 1 <= number <= fewest:
            raise SweepError(
                f"parallel runs: must be from 1 to {fewest:,}, the fewest runs of a cell, got {shown(number)}"
            )


def profile_of(result: ResultData, vary: str, values: Sequence[Any], cells: Any) -> pd.DataFrame:
    """Return the performance profile of some values of a parameter in some cells.

    Parameters
    ----------
    result
        Complete or partial.
    vary
        The parameter.
    values
        Its values to compare, two or more.
    cells : (cells,)
        Numbers of the cells, in order.

    Returns
    -------
    DataFrame
        The table of :func:`sweep.analysis.profiles.performance_profile`.

    Raises
    ------
    SweepError
        If there is one value, there is no criterion, or no problem has runs at all values.
    StoreError
        If rows of runs were not kept.
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


def check_thresholds(result: ResultData, thresholds: Sequence[Any] | None = None) -> None:
    """Check that ``threshold`` has several values, if no loss thresholds are recorded.

    Raises
    ------
    SweepError
        If ``threshold`` has one value or is not swept, or there is no criterion.
    """
    fault = thresholds_fault(result.study, thresholds)
    if fault:
        raise SweepError(fault)


def thresholds_fault(study: Study, thresholds: Sequence[Any] | None = None) -> str | None:
    """Return why ``threshold``, or some of its values, do not suffice for run lengths, or None if they do."""
    found = study.parameters.get("threshold", ()) if thresholds is None else thresholds
    if len(found) > 1:
        return criterion_fault(study)
    return criterion_fault(study) or (
        f"threshold {'is not swept' if not found else 'has 1 value'}; run lengths need several thresholds: run the "
        "study with --set record.loss_thresholds=1e-1,1e-2,1e-3"
    )


def listed(names: str | Sequence[str]) -> list[str]:
    """Return names as a list, also a single name."""
    return [names] if isinstance(names, str) else list(names)
