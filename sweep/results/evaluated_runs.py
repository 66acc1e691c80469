"""Runs of a study, and the counts and statistics that follow from them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.floating_point import DefaultFloatingPoint
from sweep.analysis.cells import cells_of, of_criterion
from sweep.analysis.held_out import HeldOut, held_out
from sweep.analysis.seed_tables import COLUMNS as OUTCOME_COLUMNS
from sweep.analysis.seed_tables import outcomes_from_tables
from sweep.analysis.study_race import StudyRace, race_of_tables
from sweep.results.aggregate import Aggregate, digest_of_rows
from sweep.results.run_rows import check_kept
from sweep.schemas.run_columns import updates_column
from sweep.statistics.intervals import Array
from sweep.statistics.of_cells import main_statistic_of
from sweep.statistics.outcomes import Measured
from sweep.study.until_faults import n_contenders, raced_statistic

if TYPE_CHECKING:
    import pandas as pd

    from sweep.results.run_measures import RunMeasures
    from sweep.statistics.by_function import ByFunction
    from sweep.statistics.statistic import Statistic
    from sweep.store.stored_runs import StoredRuns
    from sweep.study.model import Study


class EvaluatedRuns(DefaultFloatingPoint):
    """Runs of a study by how and when they ended."""

    # How many replicates, such as splits of the data, the seeds of a cell hold; see ReplicatedRuns.
    replicates = 1
    n_pooled = 1  # how many values are pooled; replicates are 1 if there is one seed, whose place they take
    pooled_over = ""  # the options whose values are these replicates
    has_cells_of_study = True  # whether users may pass on the numbers of cells; see OtherCells

    def __init__(self, study: Study, facts: dict[str, Any], stored: StoredRuns, measures: RunMeasures) -> None:
        self.study = study
        self.complete: bool = facts["complete"]  # whether all runs are trained; a partial result has those that are
        self.measures = measures
        # Estimates of statistics of rows by cell, since their resamples take long.
        self.by_function: dict[Statistic, ByFunction] = {}
        self._facts = facts
        self.stored = stored  # rows or counts of the runs

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The content of run.json: identity, digest, machine, versions, steps and seconds.

        The digest covers all rows. If only cells are kept it covers their tally, so it differs (see
        :func:`sweep.store.digest.tally_digest`). For rows in memory it is computed at the first access, which takes
        some 35 ns per run.
        """
        if "digest" not in self._facts:
            self._facts["digest"] = digest_of_rows(self.stored)
        return self._facts

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Statistics, one row per cell (configuration); in a partial result, per cell that has runs.

        They are those of cells.parquet and of held-out patterns; without a criterion there are none of convergence.
        ``expected_steps`` is the expected running time (ERT), ``restricted_mean_steps`` the restricted mean survival
        time (RMST). Exhausted runs are right-censored.
        """
        return self.named(self.numbered_cells)

    @property
    def held_out(self) -> HeldOut | None:
        """The measures of held-out patterns with which it answers; None without, or without rows of runs."""
        return held_out(self.study) if self.measures.are_kept else None

    @cached_property
    def numbered_cells(self) -> pd.DataFrame:
        """The table of cells with ``cell``, the number in the grid of these runs."""
        cells = of_criterion(self._make_cells(), self.study)
        for measure in dict.fromkeys(self.held_out or ()):
            columns = list(main_statistic_of(measure).columns)
            cells = cells.assign(**self.measures.in_cells(measure, cells)[columns])
        return cells.copy()  # in few blocks: with a hundred, pandas warns when a column is inserted

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table for users, without numbers of cells that are not those of the study."""
        return table

    def _make_cells(self) -> pd.DataFrame:
        return self._counts.statistics()

    @cached_property
    def _counts(self) -> Aggregate:
        return Aggregate(self.study, self.stored, self.stored.counted())

    @cached_property
    def tally(self) -> pd.DataFrame:
        """Counts of runs by cell, status and steps, from which :mod:`sweep.statistics` computes every statistic.

        A row means that ``n`` runs of ``cell`` ended with ``status`` after ``steps`` steps. Rows are sorted.
        """
        return self.named(self.numbered_tally)

    @cached_property
    def numbered_tally(self) -> pd.DataFrame:
        """The tally with ``cell``, the number in the grid of these runs."""
        return self._counts.tally

    @property
    def even(self) -> bool:
        """Whether all cells have the same number of runs; false for partial results and adaptive seeds.

        If they do not, statistics over several cells give each cell equal weight.
        """
        return self.complete and not self.study.seeds.until

    @property
    def adaptive(self) -> bool:
        """Whether the cells of a complete result have as many runs as ``seeds.until`` needed."""
        return self.complete and self.study.seeds.until is not None

    def places_of(self, cells: Array) -> tuple[Array, Array]:
        """Return the cells, here configurations, and the replicates of runs of some cells of the study."""
        return cells, np.zeros_like(cells)

    @cached_property
    def outcomes(self) -> Measured:
        """When each seed of each cell converged, if it did, for comparisons with common random numbers; needs rows."""
        check_kept(self.stored)
        columns = [*OUTCOME_COLUMNS, updates_column(self.study)]
        return outcomes_from_tables(self.stored.tables(columns), self.study.grid)

    def runs_by(self, measure: str | None) -> Measured:
        """Return a measure of every seed in every cell; None for the steps to converge."""
        return self.measures.of(measure) if measure else self.outcomes

    @cached_property
    def race_state(self) -> StudyRace | None:
        """How the cells raced (``seeds.until.best``); None if they did not, or rows of all runs are missing."""
        study = self.stored.plan.study
        if not raced_statistic(study) or not self.complete or not self.keeps_runs:
            return None
        if self.study.n_cells != n_contenders(study) or "loss_threshold" in self.study.parameters:
            return None  # these are not the cells that raced
        return race_of_tables(study, self.stored.tables(StudyRace(study).columns))

    @property
    def counted_losses(self) -> pd.DataFrame:
        """Counts of rounded final losses by ``cell`` and ``final_loss``, of a result without rows of runs."""
        return self._counts.losses

    @property
    def has_parts(self) -> bool:
        """Whether there are rows or counts of runs, and not only cells."""
        return self.stored.has_parts

    @property
    def keeps_runs(self) -> bool:
        """Whether there are rows of runs, and not only counts."""
        return self.stored.keep == "runs" and self.has_parts


class OtherCells(EvaluatedRuns):
    """Runs of other cells than those of the study: of configurations without replicates, or with loss thresholds.

    Functions that take a cell, as :func:`sweep.trained_weights`, take the number of a cell of the study. So tables for
    users name these cells by values of options alone.
    """

    has_cells_of_study = False

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with values of options instead of numbers of cells."""
        cells = cells_of(self.study.grid, table["cell"].to_numpy()).set_axis(table.index)
        missing = [name for name in self.study.parameters if name not in table]
        return cells[missing].join(table.drop(columns="cell"))
