"""The measures of the runs of a study, by cell and seed, and their statistics by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.analysis.cells import columns_of_measure
from sweep.analysis.seed_tables import measured_from_tables
from sweep.analysis.study_measures import check_measure
from sweep.errors import SweepError
from sweep.results.aggregate import measure_by_cell
from sweep.results.run_rows import check_kept
from sweep.statistics.intervals import Array

if TYPE_CHECKING:
    import pandas as pd

    from sweep.statistics.outcomes import Measured
    from sweep.store.stored_runs import StoredRuns
    from sweep.study.model import Study


class RunMeasures:
    """The measures of the runs of a result, as ``result.measures``, read when they are first needed.

    Attributes
    ----------
    independent_of : str
        A parameter on which measures do not depend, so that it makes no cells of theirs: ``"loss threshold"`` in
        ``result.by_threshold``, where no measure can be read. Empty for a result.
    """

    def __init__(self, study: Study, stored: StoredRuns, independent_of: str = "") -> None:
        self._study = study
        self._stored = stored
        self.independent_of = independent_of
        self.known: dict[str, Measured] = {}
        self.known_cells: dict[str, pd.DataFrame] = {}  # statistics by cell

    @property
    def are_kept(self) -> bool:
        """Whether all measures of the study can be read: rows were kept, and they are those of runs."""
        return not self.independent_of and self._stored.keep == "runs" and self._stored.has_parts

    def of(self, measure: str) -> Measured:
        """Return a measure of every seed in every cell.

        Parameters
        ----------
        measure
            Name of a measure that the study has, such as ``"final_loss"`` or ``"test_accuracy"``.

        Returns
        -------
        Measured
            Its ``values`` are (cells, seeds) of float64, in the unit of the measure.

        Raises
        ------
        SweepError
            If there is no such measure, the study does not have it, or it is read from ``result.by_threshold``.
        StoreError
            If rows of runs were not kept.
        """
        if measure not in self.known:
            self._check(measure)
            tables = self._stored.tables(["run", measure])
            self.known[measure] = measured_from_tables(tables, self._study.grid, measure)
        return self.known[measure]

    def in_cells(self, measure: str, cells: pd.DataFrame) -> pd.DataFrame:
        """Return the cells of a result with the statistics of a measure.

        Parameters
        ----------
        measure
            Name of a measure, as for :meth:`of`.
        cells
            The table ``result.cells``.

        Returns
        -------
        DataFrame
            This table with the columns of quartiles or the mean of the measure, in its unit.

        Raises
        ------
        SweepError
            As for :meth:`of`.
        StoreError
            As for :meth:`of`. The final loss needs no rows if some cell has no criterion.
        """
        columns = columns_of_measure(measure)
        if measure == "final_loss" and columns[0] in cells:  # where some cell has no criterion
            return cells
        if measure not in self.known_cells:
            self._check(measure)
            self.known_cells[measure] = self._by_cell(measure, cells["cell"].to_numpy())
        return cells.drop(columns=columns, errors="ignore").join(self.known_cells[measure][columns], on="cell")

    def _by_cell(self, measure: str, numbers: Array) -> pd.DataFrame:
        """Return the statistics of a measure of cells with these numbers."""
        return measure_by_cell(self._stored, measure)

    def _check(self, measure: str) -> None:
        """Check that there is such a measure, and that rows were kept."""
        if self.independent_of:
            raise SweepError(
                f"{measure} does not depend on a {self.independent_of}; use the result itself, not by_threshold"
            )
        check_measure(self._study, measure)
        check_kept(self._stored)
