"""What a result tells of its runs step by step: curves, and the first of several runs in parallel."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import pandas as pd

from sweep.errors import SweepError, shown, unknown
from sweep.results.answers import check_judged, check_swept, pairs_seeds
from sweep.results.data import ResultData
from sweep.statistics.cells import group_of, values_of_groups
from sweep.statistics.incidence import EVENTS, incidence_by
from sweep.statistics.parallel_runs import FirstOf, first_of
from sweep.statistics.profiles import performance_profile

# Combinations of values with a curve of their own.
MOST_CURVES = 10_000
# Choices of parallel runs that are told by default, as far as there are seeds.
_ENDS = ("", "_low", "_high")
PARALLEL_RUNS = (1, 2, 4, 8, 16, 32, 64)


class ResultCurves(ResultData):
    """The curves of a result."""

    def incidence(
        self, by: str | Sequence[str] = (), event: str = "converged", *, parallel_runs: int = 1
    ) -> pd.DataFrame:
        """Return the share of runs that has converged, diverged or stalled by each step.

        Parameters
        ----------
        by
            Swept parameters, for each combination of whose values there is a curve.
        event
            ``"converged"``, ``"diverged"`` or ``"stalled"``.
        parallel_runs
            If more than one, the shares of choices of so many runs of a cell of which any has converged.

        Returns
        -------
        DataFrame
            As of :func:`sweep.statistics.incidence.incidence_by`.

        Raises
        ------
        SweepError
            If a name is no swept parameter or given twice, there is no such event, there would be more than 10,000
            curves, or more parallel runs than a cell has.
        """
        by = listed(by)
        check_swept(self.study, by)
        if event not in EVENTS:
            raise SweepError(unknown("event", event, list(EVENTS)))
        n_curves = prod(len(self.study.parameters[name]) for name in by)
        if n_curves > MOST_CURVES:
            raise SweepError(
                f"{n_curves:,} combinations of {', '.join(by)}; at most {MOST_CURVES:,} curves are estimated"
            )
        if parallel_runs != 1:
            check_parallel(self.tally, [parallel_runs])
            if event != "converged":
                raise SweepError(f"event {event!r} given; of parallel runs it is told when the first converges")
        outcomes = self.outcomes if event == "converged" and pairs_seeds(self) else None
        return incidence_by(self.pooled_tally, self.study.grid, by, event, outcomes, parallel_runs)

    def run_lengths(self, by: str | Sequence[str] = ()) -> pd.DataFrame:
        """Return the share of all pairs of a run and a target that is reached by each step.

        Parameters
        ----------
        by
            Swept parameters, for each combination of whose values there is a curve; with ``"below"`` one per target.

        Returns
        -------
        DataFrame
            As of :meth:`incidence`.

        Raises
        ------
        SweepError
            If ``below`` has one value, or for the reasons of :meth:`incidence`.

        Notes
        -----
        The empirical distribution of run lengths over several targets (Hansen et al., Optim. Methods Softw. 36 (2021)
        114: COCO). Targets are the values of ``below``: the run of a seed takes the same steps whatever its target, so
        the one that ends at a target tells when it is first met.
        """
        check_targets(self)
        return self.incidence(by)

    def performance_profile(self, vary: str) -> pd.DataFrame:
        """Return how often each value of a parameter needs at most so many times the steps of the best value.

        Parameters
        ----------
        vary
            A swept parameter of several values.

        Returns
        -------
        DataFrame
            As of :func:`sweep.statistics.profiles.performance_profile`.

        Raises
        ------
        SweepError
            If it is no swept parameter or has one value, convergence is not judged, or no problem has the runs of all
            values.
        StoreError
            If runs were not kept.
        """
        check_swept(self.study, [vary])
        return profile_of(self, vary, self.study.parameters[vary], np.arange(self.study.n_cells))

    def parallel_runs(
        self, k: int | Sequence[int] | None = None, by: str | Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return how often any of several parallel runs of a cell converges, and after how many steps the first does.

        Parameters
        ----------
        k
            How many runs start together; by default 1, 2, 4, .. 64, as far as there are seeds.
        by
            Swept parameters, for each combination of whose values there are rows; over the others it is the mean of
            the cells. By default all.

        Returns
        -------
        DataFrame
            By these parameters and ``k``: ``convergence_rate``, the share of choices of so many runs of which any
            converges, and ``restricted_mean_steps``, the mean steps until the first does, the most that runs may take
            if none does, both with 95 % intervals, which take eight seeds for each parallel run:
            :func:`sweep.statistics.parallel_runs.first_of`. Times k they are the steps of all.

        Raises
        ------
        SweepError
            If a name is no swept parameter or given twice, k is below 1 or more than the runs of a cell, there would be
            more than 10,000 combinations, convergence is not judged, or cells that are taken together lack runs of some
            seeds or their rows.
        """
        check_judged(self.study)
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
            raise SweepError(f"{n_groups:,} combinations of {', '.join(names)}; at most {MOST_CURVES:,} are told")
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
    """Return the restricted mean of the first run, and the ends of its interval."""
    return most_steps - first.saved, most_steps - first.saved_high, most_steps - first.saved_low


def runs_of(result: ResultData, cells: Any) -> tuple[Any, Any]:
    """Return steps of runs and whether they converged, by cell and seed, or of one cell in any order.

    Raises
    ------
    SweepError
        If several cells lack runs or their rows.
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
            "parallel runs of several cells together take the rows of all of their runs; give all parameters in by"
        )
    return outcomes.steps, outcomes.converged


def check_parallel(tally: pd.DataFrame, numbers: Sequence[Any]) -> None:
    """Require numbers of parallel runs of which there are choices in every cell.

    Raises
    ------
    SweepError
        If one is no whole number from 1 on, or more than the runs of some cell.
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

    Raises
    ------
    SweepError
        If there is one value, convergence is not judged, or no problem has the runs of all values.
    StoreError
        If runs were not kept.
    """
    check_judged(result.study)
    if len(values) < 2:
        raise SweepError(f"{vary} has 1 value; a performance profile takes two values or more that are compared")
    profile = performance_profile(result.outcomes, result.study.grid, vary, cells, tuple(values))
    if not profile["n_problems"].iloc[0]:
        raise SweepError(f"no seed is trained at all values of {vary} yet; run the same study again to go on")
    return profile


def check_targets(result: ResultData, targets: Sequence[Any] | None = None) -> None:
    """Require several targets.

    Raises
    ------
    SweepError
        If ``below`` has one value, or none is judged.
    """
    check_judged(result.study)
    found = result.study.parameters.get("below", ()) if targets is None else targets
    if len(found) < 2:
        raise SweepError(
            f"below {'is not swept' if not found else 'has 1 value'}; run lengths are told over several targets, as of "
            "a study with --set below=1e-1,1e-2,1e-3"
        )


def listed(names: str | Sequence[str]) -> list[str]:
    """Return names as a list, also a single one."""
    return [names] if isinstance(names, str) else list(names)
