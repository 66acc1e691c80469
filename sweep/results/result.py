"""The result of a study, in memory or on disk."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernels.floating_point import default_floating_point
from sweep.analysis.cells import summarize
from sweep.errors import StoreError, SweepError
from sweep.results.curves import ResultCurves, listed
from sweep.results.queries import ResultQueries
from sweep.results.threshold_runs import LOSS_THRESHOLD, ThresholdParts, ThresholdStudy
from sweep.statistics.outcomes import Measured
from sweep.store.files import Files
from sweep.store.reader import StoreReader
from sweep.store.run_facts import totals
from sweep.store.stored_runs import StoredResult
from sweep.system.formatting import short

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from sweep.study.selection import At

_ROWS = "by_threshold has no rows and files; those of the result have a column steps_to_x for each threshold"


class Result(ResultQueries):
    """The result of a study, complete or partial."""

    @cached_property
    def by_threshold(self) -> ThresholdRuns:
        """The runs evaluated by each recorded loss threshold.

        It answers queries like a result with one more parameter, ``loss_threshold``: ``by_threshold.cells``,
        ``by_threshold.summarize("loss_threshold")``.
        """
        return ThresholdRuns(self)

    def weights(self, cell: int = 0, which: str = "final") -> dict[str, NDArray[Any]]:
        """Return the recorded weights of the runs of a cell.

        Parameters
        ----------
        cell
            Number of the cell, as in the column ``cell``.
        which
            ``"final"`` or ``"initial"``.

        Returns
        -------
        dict
            Arrays by name, with a row for each run in the order of seeds: ``w`` (runs, inputs, hidden), ``v`` (runs,
            hidden, outputs), ``b``, ``c`` and ``k``; with several hidden layers ``w1``, ``b1``, ``w2``, .. Weights of
            diverged runs may be infinite or NaN.

        Raises
        ------
        SweepError
            If there is no such cell, or ``which`` is neither.
        StoreError
            If these weights were not recorded (``record.weights``), or no run of the cell is trained yet.
        """
        from sweep.results.networks import named_weights

        self._check_rows()
        return named_weights(self.parts_in_use, cell, which)

    def functions(self, by: str | Sequence[str] = (), top: int = 10) -> pd.DataFrame:
        """Return how many runs learned each function; the study must record ``learned_function``.

        Parameters
        ----------
        by
            Swept parameters; runs are pooled over the others.
        top
            Most functions of each combination of their values.

        Returns
        -------
        DataFrame
            By these parameters, from the most frequent function to the rarest: ``learned_function``, the bit mask of
            the column, -1 for runs that diverged; ``n_runs``; ``n_learned``; and ``share`` with its 95 % interval.

        Raises
        ------
        SweepError
            If functions are not recorded, a name is no swept parameter or occurs twice, or ``top`` is below 1.
        StoreError
            If rows of runs were not kept.
        """
        from sweep.results.functions import functions_by

        return functions_by(self, listed(by), top)

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
        from sweep.results.learning_curves import curves_of

        return curves_of(self, cell, at)

    def export(
        self,
        to: str | None = None,
        by: str | Sequence[str] = (),
        *,
        out: str | Path | None = None,
        sort: str | None = None,
        top: int | None = None,
    ) -> str | None:
        """Write the table of cells as CSV, JSON or TeX, to a file or as text, like ``to_csv`` of pandas.

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
            Most rows; the first ones by ``sort``, or else the best.

        Returns
        -------
        str or None
            The text, or None if it is written to a file.

        Raises
        ------
        SweepError
            If the format or a name is unknown, ``top`` is below 1, or the file cannot be written.
        StoreError
            If cells cannot be pooled, because the result was published without its parts.

        Notes
        -----
        In CSV and JSON, floats and integers have all digits, so they are read back exactly. CSV: missing values are
        empty, infinite ones ``inf``; rows of a partial result have a column ``partial``. JSON: an object with the
        identity of the study, the unit and description of each of its ``columns``, and ``rows``; missing values are
        null, infinite ones the text ``"inf"``. TeX: a booktabs table with rounded numbers, whose caption explains them.
        """
        from sweep.results.export import exported, format_of
        from sweep.system.atomic_files import check_output, replace_file

        file = None if out is None else Path(out)
        form = format_of(to, file)
        if file is not None:
            check_output(file)
        text = exported(self, form, listed(by), sort, top)
        if file is None:
            return text
        replace_file(file, text.encode())
        return None

    def _repr_html_(self) -> str:
        """Return the answer and the best cells as HTML."""
        from sweep.results.notebook import result_html

        return result_html(self)


class ThresholdRuns(Result):
    """The runs of a result, evaluated by each recorded loss threshold; ``loss_threshold`` is one more parameter.

    A run converges at the step at which its loss first falls below the threshold. If the run ended before, whatever its
    status, it did not converge.
    """

    def __init__(self, result: ResultCurves) -> None:
        if not result.study.record.loss_thresholds:
            raise SweepError(
                "the study records no loss thresholds; run it with --set record.loss_thresholds=[1.0,0.1,0.01]"
            )
        if not result.keeps_runs:
            raise StoreError("this result has no rows of runs, which hold the steps to each loss threshold")
        study: Any = ThresholdStudy(result.study)
        parts: Any = ThresholdParts(result.parts_in_use, result.study)
        n_runs = sum(commit.n_runs for commit in parts.counted()) * len(result.study.record.loss_thresholds)
        super().__init__(study, {"complete": result.complete, "n_runs": n_runs, "digest": None}, parts)

    @property
    def cells(self) -> pd.DataFrame:
        """Statistics, one row per cell and threshold."""
        return summarize(self.tally, self.study.grid)

    def measured(self, measure: str) -> Measured:
        """Raise SweepError, since measures of the end of a run do not depend on a loss threshold."""
        raise SweepError(f"{measure} does not depend on a loss threshold; use the result itself, not by_threshold")

    def measured_cells(self, measure: str) -> pd.DataFrame:
        """Raise SweepError, as :meth:`measured` does."""
        raise SweepError(f"{measure} does not depend on a loss threshold; use the result itself, not by_threshold")

    def learning_curves(self, cell: int | None = None, *, at: At | None = None) -> pd.DataFrame:
        """Raise SweepError, since curves do not depend on a loss threshold."""
        raise SweepError("learning curves do not depend on a loss threshold; use the result itself, not by_threshold")

    def row(self, run: int) -> dict[str, Any]:
        """Raise StoreError, since only the result itself has rows."""
        raise StoreError(_ROWS)

    def parts(self) -> list[str]:
        """Raise StoreError, since only the result itself has files."""
        raise StoreError(_ROWS)

    def _known_columns(self, columns: list[str] | None) -> list[str]:
        raise StoreError(_ROWS)

    def __repr__(self) -> str:
        """Return the study and its thresholds."""
        thresholds = ", ".join(map(short, self.study.parameters[LOSS_THRESHOLD]))
        return f"<Thresholds {thresholds} of {self.study.name!r}>"

    def _repr_html_(self) -> str:
        """Return the cells as HTML."""
        return str(self.cells.to_html(max_rows=20, index=False))


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
        Complete, or with ``partial`` perhaps partial.

    Raises
    ------
    StoreError
        If it is no results folder, is damaged or mixes two trainings; if the study is not complete and ``partial`` is
        false; or if no run is trained yet.
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
    """Return the partial result of the runs trained so far, if any.

    Raises
    ------
    StoreError
        If a commit is damaged.
    """
    parts.restrict_to_present()
    study = parts.plan.study
    facts = {**parts.facts(), **totals(study, parts.keep, parts.counted()), "digest": None, "complete": False}
    return Result(study, facts, parts)
