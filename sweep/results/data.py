"""The content of a result: its study, facts, statistics, counts and rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernels.floating_point import DefaultFloatingPoint
from sweep.analysis.cells import columns_of_measure
from sweep.analysis.seed_tables import COLUMNS as OUTCOME_COLUMNS
from sweep.analysis.seed_tables import measured_from_tables, outcomes_from_tables
from sweep.analysis.study_measures import check_measure
from sweep.analysis.tally import with_equal_cells
from sweep.columns import NULL_COLUMNS
from sweep.errors import StoreError
from sweep.results.aggregate import Aggregate, digest_of_rows, measure_by_cell
from sweep.results.run_order import in_run_order, rows_frame
from sweep.schemas.cell_columns import has_loss_statistics
from sweep.schemas.run_columns import runs_columns, updates_column
from sweep.statistics.outcomes import Measured, Outcomes
from sweep.store.stored_runs import StoredResult
from sweep.study.model import Study

if TYPE_CHECKING:
    import pandas as pd


class ResultData(DefaultFloatingPoint):
    """The stored data of a study: facts, statistics, counts and rows.

    Attributes
    ----------
    study : Study
    place : str or None
        Path or address of the results folder; None for a result in memory.
    directory : Path or None
        The results folder, if it is on this machine.
    complete : bool
        Whether the result has all runs; a partial result has those that are trained.
    """

    def __init__(self, study: Study, facts: dict[str, Any], parts: StoredResult) -> None:
        self.study, self._facts, self._parts = study, facts, parts
        self.place: str | None = parts.place
        self.directory: Path | None = parts.directory
        self.complete: bool = facts["complete"]
        self._measured: dict[str, Measured] = {}
        self._measured_cells: dict[str, pd.DataFrame] = {}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The content of run.json: identity, digest, machine, versions, steps and seconds.

        The digest covers all rows. If only cells are kept it covers their tally, so it differs (see
        :func:`sweep.store.digest.tally_digest`). For rows in memory it is computed at the first access, which takes
        some 35 ns per run.
        """
        if "digest" not in self._facts:
            self._facts["digest"] = digest_of_rows(self._parts)
        return self._facts

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Statistics, one row per cell (configuration); in a partial result, per cell that has runs.

        ``expected_steps`` is the expected running time (ERT), ``restricted_mean_steps`` the restricted mean survival
        time (RMST). Exhausted runs are right-censored.
        """
        if self.complete:
            stored: pd.DataFrame = self._parts.read_cells().to_pandas()
            frame = stored.astype(dict.fromkeys(NULL_COLUMNS, "Int64"))  # null if not reached
        else:
            frame = self._counts.statistics()
        return frame.copy()  # in few blocks: with a hundred, pandas warns when a column is inserted

    @cached_property
    def _counts(self) -> Aggregate:
        return Aggregate(self._parts, self._parts.counted())

    @cached_property
    def tally(self) -> pd.DataFrame:
        """Counts of runs by cell, status and steps, from which :mod:`sweep.statistics` computes every statistic.

        A row means that ``n`` runs of ``cell`` ended with ``status`` after ``steps`` steps. Rows are sorted.
        """
        return self._counts.tally

    @property
    def even(self) -> bool:
        """Whether all cells have the same number of runs; false for partial results and adaptive seeds.

        If they do not, statistics over several cells give each cell equal weight.
        """
        return self.complete and not self.study.seeds.until

    @property
    def pooled_tally(self) -> pd.DataFrame:
        """The tally for pooling cells. If cells have different numbers of runs, weights make them count equally."""
        return self.tally if self.even else with_equal_cells(self.tally)

    @cached_property
    def outcomes(self) -> Outcomes:
        """Whether and when each seed of each cell converged, for comparisons with common random numbers.

        Raises
        ------
        StoreError
            If rows of runs were not kept.
        """
        self._check_rows()
        columns = [*OUTCOME_COLUMNS, updates_column(self.study)]
        return outcomes_from_tables(self._parts.tables(columns), self.study.grid)

    def measured(self, measure: str) -> Measured:
        """Return a measure of every seed in every cell.

        Parameters
        ----------
        measure
            A key of :data:`sweep.measures.ORDERED`.

        Returns
        -------
        Measured
            Values of (cells, seeds).

        Raises
        ------
        StoreError
            If rows of runs were not kept.
        SweepError
            If the study does not have the measure.
        """
        if measure not in self._measured:
            self._check_rows(measure)
            tables = self._parts.tables(["run", measure])
            self._measured[measure] = measured_from_tables(tables, self.study.grid, measure)
        return self._measured[measure]

    def measured_cells(self, measure: str) -> pd.DataFrame:
        """Return the cells with the statistics of a measure.

        Parameters
        ----------
        measure
            As for :meth:`measured`.

        Returns
        -------
        DataFrame
            The cells, and the columns of :func:`~sweep.analysis.cells.columns_of_measure`.

        Raises
        ------
        StoreError
            If rows of runs were not kept. The final loss needs none if some cell has no criterion.
        """
        if measure == "final_loss" and has_loss_statistics(self.study):
            return self.cells
        if measure not in self._measured_cells:
            self._check_rows(measure)
            statistics = measure_by_cell(self._parts, measure).reindex(self.cells["cell"].to_numpy())
            columns = statistics[columns_of_measure(measure)].set_axis(self.cells.index)
            self._measured_cells[measure] = self.cells.drop(columns=columns.columns, errors="ignore").join(columns)
        return self._measured_cells[measure]

    @cached_property
    def counted_losses(self) -> pd.DataFrame:
        """Counts of rounded final losses by ``cell`` and ``final_loss``, of a result without rows of runs."""
        return self._counts.losses

    @property
    def parts_in_use(self) -> StoredResult:
        """The parts that the result is read from."""
        return self._parts

    @property
    def has_parts(self) -> bool:
        """Whether the result has rows or counts of runs, and not only cells."""
        return self._parts.has_parts

    @property
    def keeps_runs(self) -> bool:
        """Whether the result has rows of runs, and not only counts."""
        return self._parts.keep == "runs" and self.has_parts

    def runs(self, columns: list[str] | None = None) -> pd.DataFrame:
        """Return the runs, one row each, in run order.

        Parameters
        ----------
        columns
            Columns to return, in this order; all by default.

        Returns
        -------
        DataFrame
            A row for each trained run.

        Raises
        ------
        StoreError
            If rows of runs were not kept, or a column is unknown.
        """
        wanted = self._known_columns(columns)
        read = list(dict.fromkeys(wanted)) or ["run"]  # each once
        frame = rows_frame(self._parts, read)
        return frame if read == wanted else frame[wanted]

    def batches(self, columns: list[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the rows of :meth:`runs` in batches, for results that do not fit into memory.

        Parameters
        ----------
        columns
            Columns to return, in this order; all by default.

        Yields
        ------
        DataFrame
            The next rows in run order.

        Raises
        ------
        StoreError
            If rows of runs were not kept, or a column is unknown.
        """
        wanted = self._known_columns(columns)
        for table in in_run_order(self._parts, list(dict.fromkeys(wanted)) or ["run"]):
            yield table.to_pandas()[wanted]

    def row(self, run: int) -> dict[str, Any]:
        """Return the row of a run; StoreError if it is not trained or rows of runs were not kept."""
        import pyarrow.compute as pc

        self._check_rows()
        if not 0 <= run < self.study.n_runs:
            raise StoreError(f"run: must be from 0 to {self.study.n_runs - 1}, got {run}")
        table = self._parts.table_at(self._parts.plan.position(run))
        rows = table.filter(pc.equal(table["run"], run)).to_pylist()
        if not rows:
            raise StoreError(f"run {run} is not trained, because its cell needed no more seeds (seeds.until)")
        return dict(rows[0])

    def parts(self) -> list[str]:
        """Return the paths of the Parquet files that hold the runs or their counts, in part order.

        Other tools can read them. Any other files in parts/ are those of a training under way or of killed processes.

        Raises
        ------
        StoreError
            If the result is in memory, or was published without its parts.
        """
        if self.place is None:
            raise StoreError("this result is in memory and has no files; run the study with out=DIR")
        return self._parts.part_paths()

    def _known_columns(self, columns: list[str] | None) -> list[str]:
        """Check requested columns, and return them; all by default."""
        self._check_rows()
        known = [column.name for column in runs_columns(self.study)]
        wanted = known if columns is None else list(columns)
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise StoreError(f"runs have no column {unknown[0]!r}; they have {', '.join(known)}")
        return wanted

    def _check_rows(self, measure: str | None = None) -> None:
        if measure:
            check_measure(self.study, measure)
        if self._parts.keep != "runs":
            raise StoreError(
                "this result keeps cells only; run the study with keep='runs' (--keep runs) to keep rows of runs"
            )

    def __repr__(self) -> str:
        """Return the study, the folder, and the digest or the number of trained runs."""
        place = f" in {self.place!r}" if self.place else ""
        n_runs, n_all = self.facts["n_runs"], self.study.n_runs
        partial = f"partial, {n_runs:,} of {n_all:,} runs" if not self.complete else ""
        return f"<Result of {self.study.name!r}{place}: {partial or 'digest ' + str(self.facts.get('digest'))[:12]}>"
