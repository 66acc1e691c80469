"""Queries: summaries, best cells, comparisons, curves over steps, and importance of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.compare import MOST_COMPARED, ComparedBy, check_margin, compare_values
from sweep.analysis.importance import (
    EXPLAINED,
    LEAST_SEEDS,
    explained_measure,
    explained_outcomes,
    importance,
    importance_of,
)
from sweep.errors import SweepError
from sweep.measures import MEASURES
from sweep.results.answers import (
    check_alone,
    check_has_criterion,
    check_swept,
    column_of,
    criterion_fault,
    default_statistic,
    split_by,
)
from sweep.results.best import compared_at_best, ranked_cells
from sweep.results.curves import incidence_of, parallel_runs_of, profile_of
from sweep.results.evaluated_runs import EvaluatedRuns
from sweep.results.pooled_cells import cells_with, pool_cells, recorded, summarized
from sweep.results.race import race_table
from sweep.statistics.of_cells import NAMED, every, measure_of
from sweep.statistics.ranking import ranked_by
from sweep.study.selection import At, check_top
from sweep.system.formatting import list_text

if TYPE_CHECKING:
    import pandas as pd


def listed(names: str | Sequence[str]) -> list[str]:
    """Return names as a list, also a single name."""
    return [names] if isinstance(names, str) else list(names)


def compared_by() -> list[str]:
    """Return the statistics by which values of a parameter can be compared: the rate, and one of each measure."""
    return [name for name, each in ranked_by().items() if each.measure or each.compared == "rate"]


class Queries(EvaluatedRuns):
    """The questions about how runs ended, and about their measures."""

    @property
    def over_replicates(self) -> Queries:
        """The runs pooled over replicates, if they have any; see :attr:`sweep.Result.over_replicates`."""
        return self

    def naming(self, names: Sequence[str]) -> Queries:
        """Return the runs pooled over the replicates that are not named."""
        return self

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
        runs = self.naming(listed(by)) if parallel_runs == 1 else self  # parallel runs train on one split
        return incidence_of(runs, listed(by), event, parallel_runs)

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
        runs = self._problems().naming([vary])
        return profile_of(runs, vary, self.study.parameters[vary], np.arange(runs.study.n_cells))

    def _problems(self) -> Queries:
        """Return the runs that are the problems of performance profiles."""
        return self

    def parallel_runs(
        self, k: int | Sequence[int] | None = None, by: str | Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return how often any of k parallel runs of a cell converges, and the steps until the first does.

        Parameters
        ----------
        k
            Numbers of runs that start together; by default 1, 2, 4, .. 64, up to the number of seeds.
        by
            Swept parameters, by default all but replicates such as ``split_seed``. Each combination of their values
            has rows, with means over the others.

        Returns
        -------
        DataFrame
            By these parameters and ``k``: ``convergence_rate``, the share of choices of k runs in which any converges,
            and ``restricted_mean_steps`` (RMST), the mean steps until the first converges, with the limit of steps if
            none does. Both have 95 % intervals, which need eight seeds for each parallel run; see
            :func:`sweep.statistics.parallel_runs.first_of`. Means over replicates have none. Steps times k are those of
            all k runs.

        Raises
        ------
        SweepError
            If a name is no swept parameter or occurs twice, k is below 1 or above the runs of a cell, there would be
            more than 10,000 combinations, there is no criterion, or pooled cells lack runs of some seeds or rows.
        """
        return parallel_runs_of(self, k, list(self.over_replicates.study.parameters) if by is None else listed(by))

    def summarize(self, by: str | Sequence[str]) -> pd.DataFrame:
        """Return the statistics of all runs that share the values of some parameters, pooled over the others.

        Parameters
        ----------
        by
            Swept parameters, one or more. Also statistics that tables of cells lack
            (:data:`sweep.statistics.of_cells.NAMED`).

        Returns
        -------
        DataFrame
            The table of :func:`sweep.results.pooled_cells.pool_cells`, with statistics of convergence and of final
            losses, these statistics, and quartiles of recorded measures.

        Raises
        ------
        SweepError
            If there is no name, or a name is no swept parameter or occurs twice.
        """
        if (pooled := self.naming(listed(by))) is not self:
            return pooled.summarize(by)
        named = [name for name in listed(by) if name in NAMED]
        by = [name for name in listed(by) if name not in named]
        check_swept(self.study, by)
        if any(every()[name].needs_criterion for name in named):
            check_has_criterion(self.study)
        if not by:
            raise SweepError(
                "by: must be one or more parameters, got none; statistics of single cells are in result.cells"
            )
        statistics = {**summarized(self, *named), **recorded(self)}
        return pool_cells(self, by, self.numbered_cells, statistics).reset_index(drop=True)

    def statistic(self, name: str) -> pd.DataFrame:
        """Return a statistic of each cell, such as a custom one or another one that tables of cells lack.

        Parameters
        ----------
        name
            A name of :func:`sweep.statistics.of_cells.every`.

        Returns
        -------
        DataFrame
            ``cell``, the swept parameters, ``n_runs``, the statistic, and the ends of its interval if it has one.

        Raises
        ------
        SweepError
            If the name is unknown, or the study lacks the measure or the criterion.
        StoreError
            If the statistic needs rows of runs that were not kept.
        """
        column = column_of(name, every())
        if every()[column].needs_criterion:
            check_has_criterion(self.study)
        shown = ["cell", *self.study.parameters, "n_runs", *every()[column].columns]
        return self.named(cells_with(self, column)[list(dict.fromkeys(shown))])

    def best(self, by: str | Sequence[str] = (), top: int | None = None, at: At | None = None) -> pd.DataFrame:
        """Return the ranked cells and which may be the best, or the best cell for each value of some parameters.

        Parameters
        ----------
        by
            A statistic of :func:`sweep.statistics.ranking.ranked_by`, as ``"convergence_rate"``, ``"expected_steps"``
            (ERT) or a measure such as ``"final_loss"``; by default the accuracy or loss of validation or test patterns,
            else the rate, or the final loss if there is no criterion. Or swept parameters, to find the best cell for
            each combination of their values. Or both.
        top
            Most rows; all by default.
        at
            Selects cells by values of some parameters; see :func:`sweep.study.selection.values_at`.

        Returns
        -------
        DataFrame
            The table of :func:`sweep.statistics.ranking.best_cells`, or with parameters that of
            :func:`sweep.results.best.best_of_each`. Comparisons need rows of runs; without rows their columns are
            missing. A row that pools replicates, such as folds, is several cells and has no ``cell``. Its values select
            them, as in ``result.cells.merge(best[["hidden"]])``.

        Raises
        ------
        SweepError
            If a name or a value is unknown, cells cannot be ranked by the statistic, ``top`` is no integer from 1, or
            the statistic is one of convergence and there is no criterion.
        StoreError
            If the statistic needs rows of runs that were not kept.
        """
        check_top(top)
        if (pooled := self.naming([*listed(by), *(at or {})])) is not self:
            return pooled.best(by, top, at)
        return self.named(ranked_cells(self, listed(by), at)).head(top or self.study.n_cells)

    def race(self) -> pd.DataFrame:
        """Return how the cells raced, in a study with ``seeds.until.best``.

        Returns
        -------
        DataFrame
            A row for each cell, those that may be the best first: ``cell``, the swept parameters, ``n_seeds``, ``left``
            (whether it may be the best), ``p_value`` (of the bet against it, valid for any number of cells and looks),
            and ``low`` and ``high``, the ends of the interval of its mean that holds at any number of seeds, with the
            confidence of the race; missing if cells are compared by wins.

        Raises
        ------
        SweepError
            If cells did not race, the result is partial, or rows of runs were not kept.
        """
        return self.named(race_table(self))

    def compare(
        self,
        vary: str,
        by: str | Sequence[str] | None = None,
        *,
        margin: float | None = None,
        each_at_best: bool = False,
    ) -> pd.DataFrame:
        """Compare the values of a parameter on common seeds (common random numbers).

        Parameters
        ----------
        vary
            A swept parameter with at most 20 values.
        by
            Other parameters, by default all. Each combination of their values has a row; pairs of runs are pooled over
            the rest. With ``seeds.until``, pooled pairs use only seeds that all their cells have, so every cell
            has the same weight. Also the measure to compare: ``"rate"`` (convergence and steps) or a measure such as
            ``"final_loss"``; by default the accuracy or loss of test patterns, else the rate, or the final loss if
            there is no criterion.
        margin
            Largest negligible difference of rates, such as 0.05. With a margin, values are also tested for equivalence.
        each_at_best
            Compare each value with the other parameters at their best, as after tuning, instead of pooling over them:
            half of the seeds choose a cell for each value, the other half compare them, and the other way round.
            Validation patterns choose if there are any. ``by`` then names a measure only.

        Returns
        -------
        DataFrame
            The table of :func:`sweep.analysis.compare.compare_values`. With ``each_at_best`` its ``attrs["chosen"]``
            lists the cells that each half of the seeds chose, and ``attrs["note"]`` says by what.

        Raises
        ------
        SweepError
            If a name is no swept parameter or occurs twice, ``vary`` has one value or too many, the margin is not
            between 0 and 1, or there is no criterion. With ``each_at_best`` also if ``by`` names parameters, the result
            is partial, or seeds are fewer than four or differ between cells.
        StoreError
            If rows of runs were not kept.
        """
        if (pooled := self.naming([vary, *listed(by or [])])) is not self:
            return pooled.compare(vary, by, margin=margin, each_at_best=each_at_best)
        parameters, chosen = split_by(self.study, [] if by is None else listed(by), compared_by())
        statistic = chosen or default_statistic(self)
        measure = measure_of(statistic)
        if measure is None:
            check_has_criterion(self.study)
        check_margin(margin, measure)
        if by is None:
            parameters = [name for name in self.study.parameters if name != vary]
        check_swept(self.study, [vary, *parameters])
        if not each_at_best:
            check_alone(self.study, vary)
        n_values = len(self.study.parameters[vary])
        if not 2 <= n_values <= MOST_COMPARED:
            values = "1 value" if n_values == 1 else f"{n_values:,} values"
            raise SweepError(f"{vary} has {values}; compare takes parameters with 2 to {MOST_COMPARED} values")
        if each_at_best:
            if by is not None and parameters:
                raise SweepError(f"by: must be a measure with each_at_best, got {list_text(parameters)}; leave it out")
            return compared_at_best(self, vary, chosen, margin)
        by_measure = ComparedBy.of_study(self.study, measure, margin, on_shared_seeds=self.adaptive)
        compared = compare_values(self.runs_by(measure), self.study.grid, vary, parameters, by_measure)
        if compared.empty:
            raise SweepError(f"no seed is trained at two values of {vary} yet; run the same study again to continue")
        return compared

    def importance(self, statistic: str | None = None, *, errors: bool = True, log: bool | None = None) -> pd.DataFrame:
        """Divide the variance between runs among parameters, their pairs and the seed: main and total effects (Sobol).

        Parameters
        ----------
        statistic
            ``"convergence_rate"``, ``"restricted_mean_steps"``, or a measure of runs such as ``"test_loss"``; by
            default the convergence rate, or the measure by which answers rank cells if there is no criterion.
        errors
            Whether to also estimate standard errors, the main effect of the seed and total effects of parameters. These
            need the rows of runs, and are missing if rows are not kept. Measures always need them.
        log
            Whether to divide the variance of decimal logarithms of a measure; by default if its values are positive
            and the middle 90 % of them span at least two decades, as losses often do.

        Returns
        -------
        DataFrame
            The table of :func:`sweep.analysis.importance.importance`. Its ``attrs["explained"]`` says what varies, such
            as ``"log10 of final loss"``. Values of a measure that are not finite, such as losses of diverged runs,
            count as the nearest finite value; ``attrs["note"]`` then says how many runs have them. If seeds and
            replicates, as of ``split_seed``, both vary, everything is missing with fewer than 4 replicates or 3 seeds,
            and the note says so. It also says that shares are rough with fewer than 10 seeds.

        Raises
        ------
        SweepError
            If the statistic is unknown or the study lacks it, ``log`` is set for convergence, or the result is
            partial.
        StoreError
            If the variance of a measure is divided and rows of runs were not kept.
        """
        if self.over_replicates is not self:
            return self.over_replicates.importance(statistic, errors=errors, log=log)
        column = column_of(statistic or default_statistic(self), explained_by())
        measure = measure_of(column)
        fault = importance_fault(self)
        if fault:
            raise SweepError(fault)
        if measure is None:
            check_has_criterion(self.study)
            if log is not None:
                raise SweepError(f"log: applies to measures of runs only, got {log} with {column}; leave it out")
        if measure is not None or self.replicates > 1:
            explained = (
                explained_outcomes(self.outcomes, self.study.grid, column)
                if measure is None
                else explained_measure(self.measures.of(measure), MEASURES[measure], log)
            )
            table = importance_of(explained, self.study.grid, self.replicates, self.pooled_over)
        else:
            outcomes = self.outcomes if errors and self.keeps_runs else None
            table = importance(self.cells, self.study.grid, column, outcomes)
            table.attrs |= {"explained": EXPLAINED[column], "note": ""}
        if self.replicates == 1 and self.cells["n_runs"].min() < LEAST_SEEDS:
            rough = f"shares from fewer than {LEAST_SEEDS} seeds are rough, and their errors unknown"
            table.attrs["note"] = "; ".join(filter(None, [table.attrs["note"], rough]))
        return table


def explained_by() -> list[str]:
    """Return the statistics whose variance between runs can be divided: two of convergence, and one of each measure."""
    return [*EXPLAINED, *(name for name, each in ranked_by().items() if each.measure)]


def importance_fault(result: EvaluatedRuns) -> str | None:
    """Return why the variance between the runs of a result is not divided, or None if it is."""
    if not result.complete:
        return "importance needs all runs, and this result is partial; run the same study again to complete it"
    if not result.keeps_runs and criterion_fault(result.study):
        return "importance of a measure needs the rows of runs, which were not kept; run the study with --keep runs"
    return None
