"""What can be asked of a result: statistics of its cells, which are best, and what matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sweep.errors import SweepError
from sweep.results.answers import check_judged, check_swept, column_of, default_statistic, split_by, summarize_over
from sweep.results.best import best_of_each, rank
from sweep.results.curves import ResultCurves, listed
from sweep.statistics.compare import MOST_COMPARED, check_margin, compare_values
from sweep.statistics.compare_measures import compare_measured
from sweep.statistics.importance import EXPLAINED, importance
from sweep.statistics.measures import STATISTIC_OF, measure_of
from sweep.statistics.ranking import RANKED_BY
from sweep.study.parameters import Scalar

if TYPE_CHECKING:
    import pandas as pd

# What values of a parameter are compared by.
COMPARED = ("convergence_rate", *STATISTIC_OF.values())


class ResultQueries(ResultCurves):
    """The questions that a result answers."""

    def summarize(self, by: str | Sequence[str]) -> pd.DataFrame:
        """Return the statistics of all runs that share the values of some parameters.

        Parameters
        ----------
        by
            Swept parameters.

        Returns
        -------
        DataFrame
            As of :func:`sweep.statistics.cells.summarize_by`.

        Raises
        ------
        SweepError
            If no name is given, one is no swept parameter, or is given twice.
        """
        by = listed(by)
        check_swept(self.study, by)
        if not by:
            raise SweepError("no parameters given to summarize by; result.cells has the statistics of every cell")
        return summarize_over(self, by, self.cells)

    def best(
        self, by: str | Sequence[str] = (), top: int | None = None, at: Mapping[str, Sequence[Scalar]] | None = None
    ) -> pd.DataFrame:
        """Rank the cells, and tell which of them may be the best; or find the best cell for each value of parameters.

        Parameters
        ----------
        by
            A statistic: ``"convergence_rate"``, ``"expected_steps"``, ``"steps_q50"``, ``"final_loss"``,
            ``"max_error"`` or ``"n_correct"``; the rate by default, or the final loss where convergence is not judged.
            Swept parameters, of each combination of whose values the best cell is found. Or both.
        top
            So many rows; all by default.
        at
            Only cells with these values of some parameters, as in :func:`sweep.study.selection.values_at`.

        Returns
        -------
        DataFrame
            As of :func:`sweep.statistics.ranking.best_cells`, or with parameters of
            :func:`sweep.results.best.best_of_each`.
            Comparisons take rows of runs; without them their columns are missing.

        Raises
        ------
        SweepError
            If a name or a value is unknown, cells cannot be ranked by that, ``top`` is below 1, or convergence is not
            judged and asked for.
        StoreError
            If what is measured takes rows of runs, and these were not kept.
        """
        if top is not None and top < 1:
            raise SweepError(f"top {top} given; must be at least 1")
        parameters, given = split_by(self.study, listed(by), RANKED_BY)
        statistic = given or default_statistic(self.study)
        ranked = best_of_each(self, parameters, statistic, at) if parameters else rank(self, statistic, at)
        return ranked.head(top or self.study.n_cells)

    def compare(self, vary: str, by: str | Sequence[str] | None = None, *, margin: float | None = None) -> pd.DataFrame:
        """Compare the values of a parameter on common seeds.

        Parameters
        ----------
        vary
            A swept parameter of at most 20 values.
        by
            Other parameters, for each combination of whose values there is a row; over the rest, pairs of runs are
            taken together. By default all others. Also what is compared: ``"rate"``, which compares convergence and
            its steps, ``"final_loss"``, ``"max_error"`` or ``"n_correct"``; by default the rate, or the final loss
            where convergence is not judged.
        margin
            A difference of rates that makes no difference, such as 0.05: also tell whether values are equivalent.

        Returns
        -------
        DataFrame
            As of :func:`sweep.statistics.compare.compare_values`, or of
            :func:`sweep.statistics.compare_measures.compare_measured`.

        Raises
        ------
        SweepError
            If a name is no swept parameter or given twice, ``vary`` has one value or too many, the margin is not
            between 0 and 1, or convergence is not judged.
        StoreError
            If runs were not kept.
        """
        parameters, given = split_by(self.study, [] if by is None else listed(by), COMPARED)
        statistic = given or default_statistic(self.study)
        measure = measure_of(statistic)
        if measure is None:
            check_judged(self.study)
        check_margin(margin, measure)
        if by is None:
            parameters = [name for name in self.study.parameters if name != vary]
        check_swept(self.study, [vary, *parameters])
        n_values = len(self.study.parameters[vary])
        if not 2 <= n_values <= MOST_COMPARED:
            values = "1 value" if n_values == 1 else f"{n_values:,} values"
            raise SweepError(f"{vary} has {values}; 2 to {MOST_COMPARED} can be compared with each other")
        if measure:
            compared = compare_measured(self.measured(measure), self.study.grid, vary, parameters, measure)
        else:
            compared = compare_values(self.outcomes, self.study.grid, vary, parameters, margin)
        if compared.empty:
            raise SweepError(f"no seed is trained at two values of {vary} yet; run the same study again to go on")
        return compared

    def importance(self, statistic: str = "convergence_rate", *, errors: bool = True) -> pd.DataFrame:
        """Divide the variance between runs among parameters, alone and in pairs, and the seed: main and total effects.

        Parameters
        ----------
        statistic
            ``"convergence_rate"`` or ``"restricted_mean_steps"``.
        errors
            Whether to find also errors, the main effect of the seed and total effects of parameters, for which rows of
            runs are read where they are there.

        Returns
        -------
        DataFrame
            As of :func:`sweep.statistics.importance.importance`.

        Raises
        ------
        SweepError
            If the variance of that is not divided, convergence is not judged, or the result is partial.
        """
        check_judged(self.study)
        column = column_of(statistic, EXPLAINED)
        if not self.complete:
            raise SweepError("what matters is computed on the whole grid, and this result is partial")
        outcomes = self.outcomes if errors and self.keeps_runs else None
        return importance(self.cells, self.study.grid, column, outcomes)
