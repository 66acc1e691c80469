"""Curves of a result over steps: cumulative incidence, run lengths, profiles, and parallel runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweep.errors import SweepError, shown, unknown
from sweep.results.answers import check_alone, check_has_criterion, check_swept
from sweep.results.data import ResultData
from sweep.results.pooled_cells import pairs_seeds
from sweep.statistics.cells import group_of, values_of_groups
from sweep.statistics.incidence import EVENTS, incidence_by
from sweep.statistics.parallel_runs import FirstOf, first_of
from sweep.statistics.profiles import performance_profile

# Most curves of an answer.
MOST_CURVES = 10_000
# Default numbers of parallel runs, as far as there are seeds.
_ENDS = ("", "_low", "_high")
PARALLEL_RUNS = (1, 2, 4, 8, 16, 32, 64)


class ResultCurves(ResultData, ABC):
    """The curves of a result."""

    def incidence(
        self, by: str | Sequence[str] = (), event: str = "converged", *, parallel_runs: int = 1
    ) -> pd.DataFrame:
        """Return the cumulative incidence: the share of runs that ended in some way by each step.

        Parameters
        ----------
        by
            Swept parameters; each combination of their values has a curve.
        event
            ``"converged"``, ``"diverged"``, ``"stalled"`` or ``"plateau"``. Exhausted runs are right-censored at their
            limit.
        parallel_runs
            If k is above 1, the share of choices of k runs of a cell in which any run has converged.

        Returns
        -------
        DataFrame
            The table of :func:`sweep.statistics.incidence.incidence_by`.

        Raises
        ------
        SweepError
            If a name is no swept parameter or given twice, the event is unknown, there would be more than 10,000
            curves, or ``parallel_runs`` is more than the runs of a cell.
        """
        by = listed(by)
        check_swept(self.study, by)
        if event not in EVENTS:
            raise SweepError(unknown("event", event, list(EVENTS)))
        n_curves = self.study.grid.n_combinations(by)
        if n_curves > MOST_CURVES:
            raise SweepError(
                f"{n_curves:,} combinations of {', '.join(by)}; at most {MOST_CURVES:,} curves are estimated"
            )
        if parallel_runs != 1:
            check_parallel(self.tally, [parallel_runs])
            if event != "converged":
                raise SweepError(f"event {event!r} given; of parallel runs only the first convergence is estimated")
        outcomes = self.outcomes if event == "converged" and pairs_seeds(self) else None
        return incidence_by(self.pooled_tally, self.study.grid, by, event, outcomes, parallel_runs)

    def run_lengths(self, by: str | Sequence[str] = ()) -> pd.DataFrame:
        """Return the run-length distribution: the share of pairs of a run and a target reached by each step.

        Parameters
        ----------
        by
            Swept parameters; each combination of their values has a curve; with ``"loss_threshold"``, or
            ``"threshold"`` if thresholds are its values, each threshold has one.

        Returns
        -------
        DataFrame
            The table of :meth:`incidence`.

        Raises
        ------
        SweepError
            If no thresholds are recorded and ``threshold`` has one value, or for the reasons of :meth:`incidence`.
        StoreError
            If thresholds are recorded and rows of runs were not kept.

        Notes
        -----
        This is the empirical distribution of run lengths over several thresholds (Hansen et al., Optim. Methods Softw.
        36 (2021) 114: COCO). Targets are those of ``record.loss_thresholds``, or else the values of ``threshold``: the
        runs of a seed take the same steps whatever their target, so the run that ends at a target gives the step at
        which it is first reached. A run that ends before it meets a recorded target does not reach it.
        """
        if self.study.record.loss_thresholds:
            return self.by_threshold.incidence(by)
        check_thresholds(self)
        return self.incidence(by)

    @property
    @abstractmethod
    def by_threshold(self) -> ResultCurves:
        """The runs evaluated by each recorded target of the loss; :class:`sweep.Result` makes them."""

    def performance_profile(self, vary: str) -> pd.DataFrame:
        """Return the performance profile: how often a value of a parameter is within a factor of the best one's steps.

        Parameters
        ----------
        vary
            A swept parameter of several values.

        Returns
        -------
        DataFrame
            The table of :func:`sweep.statistics.profiles.performance_profile`. If thresholds are recorded, each problem
            has a target too, and is solved at the step to it.

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
            Numbers of runs that start together; by default 1, 2, 4, .. 64, as far as there are seeds.
        by
            Swept parameters; each combination of their values has rows, with means over the other parameters. By
            default all.

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
            If a name is no swept parameter or given twice, k is below 1 or more than the runs of a cell, there would be
            more than 10,000 combinations, there is no criterion, or pooled cells lack runs of some seeds or their
            rows.
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
        if (n_groups := len(np.unique(group))) > MOST_CURVES:
            raise SweepError(f"{n_groups:,} combinations of {', '.join(names)}; at most {MOST_CURVES:,} are estimated")
        rows = []
        for number in np.unique(group):
            own = cells[group == number]
            steps, converged = runs_of(self, own)
            for each in chosen:
                first = first_of(steps, converged, grid.most_steps(own), each)
                rows.append((number, len(own), each, *first[:3], *_restricted(first, grid.most_steps(own).mean())))
        columns = ["n_cells", "k", *(f"convergence_rate{end}" for end in _ENDS)]
        columns += [f"restricted_mean_steps{end}" for end in _ENDS]
        table = pd.DataFrame(rows, columns=["group", *columns]).set_index("group")
        return values_of_groups(grid, names, cells).join(table, how="inner").reset_index(drop=True)


def _restricted(first: FirstOf, most_steps: float) -> tuple[float, float, float]:
    """Return the restricted mean steps of the first run, and the ends of its interval."""
    return most_steps - first.saved, most_steps - first.saved_high, most_steps - first.saved_low


def runs_of(result: ResultData, cells: Any) -> tuple[Any, Any]:
    """Return steps of runs and whether they converged, both (cells, seeds); seeds of a single cell are in any order.

    Raises
    ------
    SweepError
        If there are several cells, and runs or their rows are missing.
    """
    if len(cells) == 1:
        first, last = np.searchsorted(result.tally["cell"].to_numpy(), [cells[0], cells[0] + 1])
        own = result.tally.iloc[first:last]
        steps, converged = (
            np.repeat(ends.to_numpy(), own["n"]) for ends in (own["steps"], own["status"] == "converged")
        )
        return steps[None], converged[None]
    if not pairs_seeds(result) or not (outcomes := result.outcomes.at(cells)).present.all():
        raise SweepError(
            "parallel runs pooled over several cells need the rows of all of their runs; give all parameters in by"
        )
    return outcomes.steps, outcomes.converged


def check_parallel(tally: pd.DataFrame, numbers: Sequence[Any]) -> None:
    """Check numbers of parallel runs.

    Raises
    ------
    SweepError
        If one is no integer from 1, or is more than the runs of some cell.
    """
    fewest = int(tally.groupby("cell")["n"].sum().min())
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 1 <= number <= fewest:
            raise SweepError(
                f"{shown(number)} parallel runs asked for; must be a whole number from 1 to {fewest:,}, the fewest "
                "runs of a cell"
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
        The table of :func:`sweep.statistics.profiles.performance_profile`.

    Raises
    ------
    SweepError
        If there is one value, there is no criterion, or no problem has runs at all values.
    StoreError
        If rows of runs were not kept.
    """
    check_has_criterion(result.study)
    if len(values) < 2:
        raise SweepError(f"{vary} has 1 value; a performance profile compares two values or more")
    check_alone(result.study, vary)
    profile = performance_profile(result.outcomes, result.study.grid, vary, cells, tuple(values))
    if not profile["n_problems"].iloc[0]:
        if result.complete:
            raise SweepError(
                f"no cells differ in {vary} alone and have all of these values; pick some with --at {vary}=.."
            )
        raise SweepError(f"no seed is trained at all values of {vary} yet; run the same study again to go on")
    return profile


def check_thresholds(result: ResultData, thresholds: Sequence[Any] | None = None) -> None:
    """Check that there are several thresholds, values of ``threshold``, where none are recorded.

    Raises
    ------
    SweepError
        If ``threshold`` has one value or is not swept, or there is no criterion.
    """
    check_has_criterion(result.study)
    found = result.study.parameters.get("threshold", ()) if thresholds is None else thresholds
    if len(found) < 2:
        raise SweepError(
            f"threshold {'is not swept' if not found else 'has 1 value'}; run lengths need several thresholds, as in "
            "a study with --set record.loss_thresholds=1e-1,1e-2,1e-3"
        )


def listed(names: str | Sequence[str]) -> list[str]:
    """Return names as a list; a single name becomes a list of one."""
    return [names] if isinstance(names, str) else list(names)
