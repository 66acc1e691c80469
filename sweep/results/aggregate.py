"""Statistics and digest of a study, computed while it trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sweep.analysis.cells import cells_to_table, summarize
from sweep.analysis.losses import CellLosses, LossSum, columns_in_cells, losses_by_cell, tap, with_measures
from sweep.analysis.tally import TallySum
from sweep.results.run_order import in_run_order
from sweep.schedule.plan import Plan
from sweep.store.commits import Commit, check_planned
from sweep.store.digest import rows_digest, tally_digest
from sweep.store.parts import Parts
from sweep.study.cell_columns import tells_losses
from sweep.study.columns import runs_columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Aggregate:
    """Statistics of the parts added so far, in any order.

    Parameters
    ----------
    plan
        The plan of the study.
    parts
        The parts of the result.
    """

    def __init__(self, plan: Plan, parts: Parts) -> None:
        self._plan = plan
        self._parts = parts
        self._tallies = TallySum()
        self._has_losses = tells_losses(plan.study)
        self._counted = LossSum()  # where rows are not kept
        self._measured: dict[str, pd.DataFrame] = {}  # statistics of cells, once the rows are read

    def add(self, commit: Commit) -> None:
        """Add a part.

        Raises
        ------
        StoreError
            If the part belongs to another study, or holds other runs than planned.
        """
        check_planned(commit, self._plan)
        self.take_in(commit)

    def take_in(self, commit: Commit) -> None:
        """Add a part without checking which runs it holds."""
        self._tallies.add(self._parts.tally(commit))
        if self._has_losses and self._parts.keep == "cells":
            self._counted.add(self._parts.losses(commit))

    def cells(self) -> pa.Table:
        """Return the cells table of all parts.

        If rows are kept, statistics of losses and other measures are missing until :meth:`digest` has read the rows
        and computed them.
        """
        cells = summarize(self._tallies.total(), self._plan.grid)
        if self._has_losses and self._parts.keep == "cells":
            self._measured["final_loss"] = losses_by_cell(self._counted.total(), cells, self._plan.grid)
        cells = with_measures(cells, columns_in_cells(self._plan.study), self._measured)
        return cells_to_table(cells, self._plan.study)

    def digest(self) -> str:
        """Return the digest of all rows, read again in run order, or of the tally if only counts are kept."""
        if self._parts.keep == "runs":
            measured = {name: CellLosses(name) for name in columns_in_cells(self._plan.study)}
            digest = digest_of_rows(self._parts, list(measured.values()))
            self._measured = {name: cells.statistics() for name, cells in measured.items()}
            return digest
        tally = self._tallies.total()
        columns = (tally["cell"], tally["status"].cat.codes, tally["steps"], tally["n"])
        return tally_digest(*(column.to_numpy() for column in columns))


def digest_of_rows(parts: Parts, measured: Sequence[CellLosses] = ()) -> str:
    """Return the digest of the rows of a complete result, and add each row to statistics of measures."""
    columns = runs_columns(parts.plan.study)
    rows = in_run_order(parts, [column.name for column in columns])
    return rows_digest(tap(rows, measured), columns)
