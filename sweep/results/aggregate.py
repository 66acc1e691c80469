"""Counts of runs by cell, and the table of cells and the digest that follow from them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from sweep.analysis.cells import cells_to_table, summarize
from sweep.analysis.losses import CellLosses, columns_in_cells, losses_by_cell, tap, with_measures
from sweep.analysis.study_measures import most_correct
from sweep.analysis.tally import CountSum, no_losses, no_runs
from sweep.results.run_order import in_run_order
from sweep.schemas.cell_columns import has_loss_statistics
from sweep.schemas.run_columns import runs_columns
from sweep.store.commits import Commit
from sweep.store.digest import rows_digest, tally_digest
from sweep.store.stored_runs import StoredRuns
from sweep.study.model import Study


class Aggregate:
    """Counts of the parts added so far, in any order, and what follows from them; those of some commits come first."""

    def __init__(self, study: Study, parts: StoredRuns, commits: Sequence[Commit] = ()) -> None:
        self._study = study
        self._parts = parts
        self._tallies = CountSum(no_runs())
        self._losses = CountSum(no_losses())
        self._measured: dict[str, pd.DataFrame] | None = None  # statistics of cells, once the rows are read
        for commit in commits:
            self.add(commit)

    def add(self, commit: Commit) -> None:
        """Add a part."""
        self._tallies.add(self._parts.tally(commit))
        if self._parts.keep == "cells" and has_loss_statistics(self._study):
            self._losses.add(self._parts.losses(commit))
        self._measured = None

    @property
    def tally(self) -> pd.DataFrame:
        """Counts of runs by cell, status and steps."""
        return self._tallies.total()

    @property
    def losses(self) -> pd.DataFrame:
        """Counts of runs by cell and rounded final loss, where rows are not kept and some cell has no criterion."""
        return self._losses.total()

    def statistics(self) -> pd.DataFrame:
        """Return the statistics of cells; those of losses and recorded measures need a pass over all rows."""
        cells, columns = summarize(self.tally, self._study.grid), columns_in_cells(self._study)
        if columns and self._measured is None:
            if self._parts.keep == "cells":
                self._measured = {"final_loss": losses_by_cell(self.losses, cells, self._study.grid)}
            else:
                self._measured = {name: measure_by_cell(self._parts, name) for name in columns}
        return with_measures(cells, columns, self._measured or {})

    def cells(self) -> pa.Table:
        """Return the table of cells, as it is stored."""
        return cells_to_table(self.statistics(), self._study)

    def digest(self) -> str:
        """Return the digest of all rows, read again in run order, or of the tally if only counts are kept."""
        if self._parts.keep == "runs":
            study = self._study
            measured = {name: CellLosses(name, most_correct(study, name)) for name in columns_in_cells(study)}
            digest = digest_of_rows(self._parts, list(measured.values()))
            self._measured = {name: cells.statistics() for name, cells in measured.items()}
            return digest
        tally = self.tally
        columns = (tally["cell"], tally["status"].cat.codes, tally["steps"], tally["n"])
        return tally_digest(*(column.to_numpy() for column in columns))


def measure_by_cell(parts: StoredRuns, measure: str) -> pd.DataFrame:
    """Return the statistics of a measure by cell, from the rows of all runs."""
    cells = CellLosses(measure, most_correct(parts.plan.study, measure))
    for table in in_run_order(parts, ["cell", measure]):
        cells.take_in(table)
    return cells.statistics()


def digest_of_rows(parts: StoredRuns, measured: Sequence[CellLosses] = ()) -> str:
    """Return the digest of the rows of a complete result, and add each row to statistics of measures."""
    columns = runs_columns(parts.plan.study)
    rows = in_run_order(parts, [column.name for column in columns])
    return rows_digest(tap(rows, measured), columns)
