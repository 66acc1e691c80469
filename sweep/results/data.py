"""What a result holds: its study, facts, statistics, counts and rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import StoreError
from sweep.statistics.cells import summarize
from sweep.statistics.losses import CellLosses, LossSum, losses_by_cell, with_losses
from sweep.statistics.measures import measure_columns
from sweep.statistics.outcomes import COLUMNS as OUTCOME_COLUMNS
from sweep.statistics.outcomes import Measured, Outcomes, measured_from_tables, outcomes_from_tables
from sweep.statistics.tally import TallySum, with_equal_cells
from sweep.store.aggregate import digest_of_rows
from sweep.store.memory import MemoryParts
from sweep.store.reader import StoreReader
from sweep.store.run_order import in_run_order, rows_frame
from sweep.study.columns import NULL_COLUMNS, runs_columns, tells_losses
from sweep.study.model import Study

if TYPE_CHECKING:
    import pandas as pd


class ResultData:
    """What is kept of a study.

    Attributes
    ----------
    study : Study
    place : str or None
        Where it lies, if anywhere.
    directory : Path or None
        The same, if that is a folder of this machine.
    complete : bool
        Whether all runs are there; a partial result holds those that are trained.
    """

    def __init__(self, study: Study, facts: dict[str, Any], parts: StoreReader | MemoryParts) -> None:
        self.study = study
        self._facts = facts
        self._parts = parts
        self.place: str | None = parts.files.place if isinstance(parts, StoreReader) else None
        self.directory: Path | None = parts.directory if isinstance(parts, StoreReader) else None
        self.complete: bool = facts["complete"]
        self._measured: dict[str, Measured] = {}
        self._measured_cells: dict[str, pd.DataFrame] = {}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What run.json holds: identity, digest, machine, versions, steps and seconds.

        The digest is that of all rows; where cells only are kept it is that of their tally,
        another number (see :func:`sweep.store.digest.tally_digest`).

        The digest of rows in memory is made when this is first asked for, at some 35 ns a run.
        """
        if "digest" not in self._facts:
            self._facts["digest"] = digest_of_rows(self._parts)
        return self._facts

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Statistics, one row per cell; in a partial result, per cell that has runs."""
        if not self.complete:
            frame = summarize(self.tally, self.study.grid)
        else:
            stored: pd.DataFrame = self._parts.read_cells().to_pandas()
            frame = stored.astype(dict.fromkeys(NULL_COLUMNS, "Int64"))  # null where not reached
        if not tells_losses(self.study) or ("finite_rate" in frame and frame["finite_rate"].notna().any()):
            return frame
        return with_losses(frame, self._losses_by_cell(frame))

    @cached_property
    def tally(self) -> pd.DataFrame:
        """Counts of the runs by how they ended, of which :mod:`sweep.statistics` makes every statistic.

        ``n`` runs of this ``cell`` ended with this ``status`` after so many ``steps``, one row for each end that
        occurs, sorted.
        """
        tallies = TallySum()
        for commit in self._parts.counted():
            tallies.add(self._parts.tally(commit))
        return tallies.total()

    @property
    def pooled_tally(self) -> pd.DataFrame:
        """The tally to take cells together: in a partial result with a weight, so that all that are there count alike.

        The first runs of a study are no fair sample of its cells: some have all of their runs by then, others few.
        """
        return self.tally if self.complete else with_equal_cells(self.tally)

    @cached_property
    def outcomes(self) -> Outcomes:
        """How every seed ended in every cell, for comparisons on common seeds.

        Raises
        ------
        StoreError
            If runs were not kept.
        """
        self._check_rows()
        return outcomes_from_tables(self._parts.tables(OUTCOME_COLUMNS), self.study.grid)

    def measured(self, measure: str) -> Measured:
        """Return what was measured of every seed in every cell.

        Parameters
        ----------
        measure
            ``"final_loss"``, ``"max_error"`` or ``"n_correct"``.

        Raises
        ------
        StoreError
            If runs were not kept.
        """
        if measure not in self._measured:
            self._check_rows()
            tables = self._parts.tables(["run", measure])
            self._measured[measure] = measured_from_tables(tables, self.study.grid, measure)
        return self._measured[measure]

    def measured_cells(self, measure: str) -> pd.DataFrame:
        """Return the cells with the statistics of a measure: :func:`~sweep.statistics.measures.measure_columns`.

        Parameters
        ----------
        measure
            As of :meth:`measured`.

        Raises
        ------
        StoreError
            If runs were not kept, unless it is the final loss of a study in which some cell is not judged.
        """
        if measure == "final_loss" and tells_losses(self.study):
            return self.cells
        if measure not in self._measured_cells:
            self._check_rows()
            statistics = self._statistics_by_cell(measure).reindex(self.cells["cell"].to_numpy())
            if measure == "n_correct":
                statistics["n_correct_mean_high"] = statistics["n_correct_mean_high"].clip(upper=self.study.n_outputs)
            columns = statistics[measure_columns(measure)].set_axis(self.cells.index)
            self._measured_cells[measure] = self.cells.assign(**columns)
        return self._measured_cells[measure]

    @cached_property
    def counted_losses(self) -> pd.DataFrame:
        """Counts of rounded final losses, by ``cell`` and ``final_loss``, where rows are not kept."""
        losses = LossSum()
        for commit in self._parts.counted():
            counts = self._parts.losses(commit)
            if counts is not None:
                losses.add(counts)
        return losses.total()

    def _losses_by_cell(self, cells: pd.DataFrame) -> pd.DataFrame | None:
        """Return the statistics of final losses by cell, of rows or of counts; None if neither is there."""
        if not self.has_parts:
            return None
        if self.keeps_runs:
            return self._statistics_by_cell("final_loss")
        return losses_by_cell(self.counted_losses, cells, self.study.grid)

    def _statistics_by_cell(self, measure: str) -> pd.DataFrame:
        """Return the statistics of a measure by cell, from rows."""
        cells = CellLosses(measure)
        for table in in_run_order(self._parts, ["cell", measure]):
            cells.take_in(table)
        return cells.statistics()

    @property
    def has_parts(self) -> bool:
        """Whether rows or counts of runs are there, or the cells alone."""
        return self._parts.has_parts

    @property
    def keeps_runs(self) -> bool:
        """Whether rows of runs are there, or counts alone."""
        return self._parts.keep == "runs" and self.has_parts

    def runs(self, columns: list[str] | None = None) -> pd.DataFrame:
        """Return the runs, one row each, in run order.

        Parameters
        ----------
        columns
            Only these, in this order.

        Raises
        ------
        StoreError
            If runs were not kept, or a column is unknown.
        """
        wanted = self._known_columns(columns)
        read = list(dict.fromkeys(wanted)) or ["run"]  # each once
        frame = rows_frame(self._parts, read)
        return frame if read == wanted else frame[wanted]

    def batches(self, columns: list[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield the runs in run order as :meth:`runs` returns them, some at a time: for more than fit into memory.

        Parameters
        ----------
        columns
            Only these, in this order.

        Raises
        ------
        StoreError
            If runs were not kept, or a column is unknown.
        """
        wanted = self._known_columns(columns)
        for table in in_run_order(self._parts, list(dict.fromkeys(wanted)) or ["run"]):
            yield table.to_pandas()[wanted]

    def row(self, run: int) -> dict[str, Any]:
        """Return the row of one run.

        Raises
        ------
        StoreError
            If there is no such run, or runs were not kept.
        """
        import pyarrow.compute as pc

        self._check_rows()
        if not 0 <= run < self.study.n_runs:
            raise StoreError(f"run {run} given; this study has runs 0 to {self.study.n_runs - 1}")
        table = self._parts.table_at(self._parts.plan.position(run))
        rows = table.filter(pc.equal(table["run"], run)).to_pylist()
        if not rows:
            raise StoreError(f"run {run} given; it is not trained, as its cell needed no more seeds (seeds.until)")
        return dict(rows[0])

    def parts(self) -> list[str]:
        """Return the paths of the Parquet files that hold the runs or their counts, in shard order.

        They are for tools that read such files. Files in parts/ that are not among them are of a run under way or
        were left by killed processes, and do not count.

        Raises
        ------
        StoreError
            If the result is in memory, or published without its parts.
        """
        if isinstance(self._parts, MemoryParts):
            raise StoreError("this result is in memory; run the study with a results folder to have files")
        return self._parts.part_paths()

    def _known_columns(self, columns: list[str] | None) -> list[str]:
        """Return the columns asked for, all without."""
        self._check_rows()
        known = [column.name for column in runs_columns(self.study)]
        wanted = known if columns is None else list(columns)
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise StoreError(f"no column {unknown[0]!r} in runs; there are {', '.join(known)}")
        return wanted

    def _check_rows(self) -> None:
        if self._parts.keep != "runs":
            raise StoreError(
                "this result keeps cells only; run the study with keep='runs' (--keep runs) to have its runs"
            )

    def __repr__(self) -> str:
        """Show the study, where it lies and its digest, or how much of it there is."""
        place = f" in {self.place!r}" if self.place else ""
        n_runs, n_all = self.facts["n_runs"], self.study.n_runs
        partial = f"partial, {n_runs:,} of {n_all:,} runs" if not self.complete else ""
        return f"<Result of {self.study.name!r}{place}: {partial or 'digest ' + str(self.facts.get('digest'))[:12]}>"
