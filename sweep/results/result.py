"""The result of a study, in memory or on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernels.floating_point import default_floating_point
from sweep.columns import NULL_COLUMNS
from sweep.errors import StoreError
from sweep.results.curves import check_thresholds
from sweep.results.export import export
from sweep.results.functions import functions_by
from sweep.results.learning_curves import curves_of
from sweep.results.networks import named_weights
from sweep.results.notebook import result_html
from sweep.results.queries import Queries, listed
from sweep.results.replicated_runs import PoolsReplicates
from sweep.results.run_measures import RunMeasures
from sweep.results.run_rows import RunRows, check_kept
from sweep.results.sentences import answer
from sweep.results.tables import tables_of
from sweep.results.tables.table import Table
from sweep.results.threshold_runs import ThresholdRuns
from sweep.store.files import Files
from sweep.store.reader import StoreReader
from sweep.store.run_facts import totals
from sweep.store.stored_runs import StoredResult
from sweep.study.model import Study

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from sweep.study.selection import At


class Result(PoolsReplicates):
    """The result of a study, complete or partial.

    Attributes
    ----------
    study : Study
        The study whose runs these are.
    place : str or None
        Path or address of the results folder; None for a result in memory.
    directory : Path or None
        The results folder, if it is on this machine.
    complete : bool
        Whether the result has all runs; a partial result has those that are trained.
    measures : RunMeasures
        The measures of the runs: ``measures.of("final_loss")`` has that of every seed in every cell. See
        :class:`~sweep.results.run_measures.RunMeasures`.
    """

    stored: StoredResult

    def __init__(self, study: Study, facts: dict[str, Any], parts: StoredResult) -> None:
        super().__init__(study, facts, parts, RunMeasures(study, parts))
        self.place = parts.place
        self.directory = parts.directory
        self._rows = RunRows(parts)

    @property
    def digest(self) -> str:
        """SHA-256 of all rows in run order, to cite; empty if the result is partial."""
        return str(self.facts["digest"]) if self.complete else ""

    @cached_property
    def by_threshold(self) -> ThresholdRuns:
        """The runs evaluated by each recorded loss threshold.

        It is a :class:`sweep.results.threshold_runs.ThresholdRuns`, which answers queries about convergence like a
        result with one more parameter, ``loss_threshold``: ``by_threshold.cells``,
        ``by_threshold.summarize("loss_threshold")``.

        Raises
        ------
        SweepError
            If the study records no loss thresholds.
        StoreError
            If rows of runs were not kept.
        """
        return ThresholdRuns(self)

    def _make_cells(self) -> pd.DataFrame:
        if not self.complete:
            return super()._make_cells()
        stored: pd.DataFrame = self.stored.read_cells().to_pandas()
        return stored.astype(dict.fromkeys(NULL_COLUMNS, "Int64"))  # null if not reached

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
        return self._rows.frame(columns)

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
        return self._rows.batches(columns)

    def row(self, run: int) -> dict[str, Any]:
        """Return the row of a run; StoreError if it is not trained or rows of runs were not kept."""
        return self._rows.row(run)

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
        return self.stored.part_paths()

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

    def _problems(self) -> Queries:
        return self.by_threshold if self.study.record.loss_thresholds else self

    def weights(self, cell: int = 0, which: str = "final") -> dict[str, NDArray[Any]]:
        """Return the recorded weights of the runs of a cell.

        Parameters
        ----------
        cell
            Number of the cell, as in ``result.cells``. A row of :meth:`sweep.Result.best` that pools folds or splits is
            several cells: ``result.cells.merge(best[["hidden"]])`` has their numbers.
        which
            ``"final"``, ``"initial"`` or ``"best"`` (at the best validation).

        Returns
        -------
        dict
            Arrays by name, with a row for each run in the order of seeds: ``w`` (runs, inputs, hidden), ``v`` (runs,
            hidden, outputs), ``b``, ``c`` and ``k``; with several hidden layers ``w1``, ``b1``, ``w2``, .. Weights of
            diverged runs may be infinite or NaN.

        Raises
        ------
        SweepError
            If there is no such cell, or ``which`` is another text.
        StoreError
            If these weights were not recorded (``record.weights``), or no run of the cell is trained yet.
        """
        check_kept(self.stored)
        return named_weights(self.stored, cell, which)

    def functions(self, by: str | Sequence[str] = (), top: int | None = 10) -> pd.DataFrame:
        """Return how many runs learned each function; the study must record ``learned_function``.

        Parameters
        ----------
        by
            Swept parameters; runs are pooled over the others. Splits and noise that are not named count as seeds do.
        top
            Most functions of each combination of their values; None for all.

        Returns
        -------
        DataFrame
            By these parameters, from the most frequent function to the rarest: ``learned_function``, the bit mask of
            the column, -1 for runs that diverged; ``n_runs``; ``n_learned``; and ``share`` with its 95 % interval.

        Raises
        ------
        SweepError
            If functions are not recorded, a name is no swept parameter or occurs twice, or ``top`` is no integer
            from 1.
        StoreError
            If rows of runs were not kept.
        """
        return functions_by(self.naming(listed(by)), self._rows, listed(by), top)

    def learning_curves(self, cell: int | None = None, *, at: At | None = None) -> pd.DataFrame:
        """Return the recorded learning curves, a row for each point.

        Parameters
        ----------
        cell
            Only runs of the cell with this number.
        at
            Selects cells by values of some parameters; see :func:`sweep.study.selection.values_at`.

        Returns
        -------
        DataFrame
            In the order of run and steps: ``run``, ``cell``, ``seed``, the swept parameters, ``status`` (how the run
            ended), ``steps``, ``epochs`` if some cell trains in batches, ``train_loss``, ``n_correct``, and with test
            patterns ``test_loss`` and ``n_test_correct``. The last point of a run is its end.

        Raises
        ------
        SweepError
            If there is no such cell, or a name or a value is unknown.
        StoreError
            If no curves were recorded (``record.curves``), the result is partial, or the file is damaged.
        """
        return curves_of(self, self.stored, cell, at)

    def export(
        self,
        to: str | None = None,
        by: str | Sequence[str] = (),
        *,
        out: str | Path | None = None,
        sort: str | None = None,
        top: int | None = None,
        table: str = "cells",
    ) -> str | None:
        """Write the table of cells, or another one, as CSV, JSON or TeX, like ``to_csv`` of pandas.

        Parameters
        ----------
        to
            ``"csv"``, ``"json"`` or ``"tex"``; by default the suffix of the file, or CSV.
        by
            Swept parameters; all others are pooled, as in :meth:`summarize`. By default each cell has a row.
        out
            The file, which is written whole or not at all.
        sort
            A column or a statistic, as in ``sweep show --sort``; by default rows are in the order of the study.
        top
            Most rows of each table; the first ones by ``sort``, or else the best. All by default.
        table
            The kind of table, as in :meth:`tables`. Only the table of cells has ``by`` and ``sort``.

        Returns
        -------
        str or None
            The text, or None if it is written to a file.

        Raises
        ------
        SweepError
            If the format or a name is unknown, ``top`` is no integer from 1, or the file cannot be written.
        StoreError
            If cells cannot be pooled, because the result was published without its parts.

        Notes
        -----
        In CSV and JSON, floats and integers have all digits, so they are read back exactly. CSV: missing values are
        empty, infinite ones ``inf``; rows of a partial result have a column ``partial``. JSON: an object with the
        identity of the study, the unit and description of each of its ``columns``, and ``rows``; missing values are
        null, infinite ones the text ``"inf"``. TeX: a booktabs table with rounded numbers, whose caption explains them.
        """
        return export(self, to, listed(by), out, sort, top, table)

    def tables(self, name: str) -> list[Table]:
        """Return tables of a kind with all rows, of which reports may show only the first.

        Parameters
        ----------
        name
            ``"best"``, ``"comparisons"`` (several tables), ``"cells"`` or another section of the report.

        Returns
        -------
        list of Table
            Each has ``frame``, a DataFrame with all digits, and ``texts``, and notebooks show it. The list is empty
            if the result has not what the tables need.

        Raises
        ------
        SweepError
            If there is no such kind.
        """
        return tables_of(self, name)

    def _repr_html_(self) -> str:
        """Return the answer and the best cells as HTML."""
        return result_html(self)

    def __repr__(self) -> str:
        """Return the study, the folder, and the digest or the number of trained runs."""
        place = f" in {self.place!r}" if self.place else ""
        what = f"digest {str(self.facts.get('digest'))[:12]}"
        if not self.complete:
            what = f"partial, {self.facts['n_runs']:,} of {self.study.n_runs:,} runs"
        return f"<Result of {self.study.name!r}{place}: {what}>"

    def __str__(self) -> str:
        """Return the sentences of the answer, a line each."""
        return "\n".join(answer(self))


@default_floating_point
def open_result(directory: str | Path | Files, *, partial: bool = False) -> Result:
    """Open a results folder.

    Parameters
    ----------
    directory
        A path, or an address ``s3://BUCKET/PREFIX``.
    partial
        Whether to open a study that was interrupted or is still training, with the runs trained so far.

    Returns
    -------
    Result
        Partial only if ``partial`` is true and some runs are not trained.

    Raises
    ------
    StoreError
        If it is no results folder, is damaged or mixes files of two trainings; if the study is not complete and
        ``partial`` is false; or if no run is trained yet.
    """
    store = StoreReader.open(directory)
    facts = store.facts()
    if facts["complete"]:
        if store.has_parts:
            store.commits()  # raises if commits of two trainings are mixed, also if they are never read
        return Result(store.study, facts, store)
    named = f"results in {store.files.place!r}"
    if not partial:
        raise StoreError(
            f"{named} are not complete; run the same study again to complete them, or open them with partial=True"
        )
    result = partial_result(store)
    if not result.facts["n_runs"]:
        raise StoreError(f"{named} have no trained runs yet; run the same study again to continue")
    return result


def partial_result(parts: StoredResult) -> Result:
    """Return the partial result of the runs trained so far, if any."""
    parts.restrict_to_present()
    study = parts.plan.study
    facts = {**parts.facts(), **totals(study, parts.keep, parts.counted()), "digest": None, "complete": False}
    return Result(study, facts, parts)
