"""Statistics and digest of a study, made while it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.digest import rows_digest, tally_digest
from sweep.plan import Plan
from sweep.schema import runs_columns
from sweep.statistics.cells import cells_to_table, summarize
from sweep.statistics.tally import TallySum
from sweep.store.commits import Commit
from sweep.store.parts import Parts
from sweep.store.run_order import in_run_order

if TYPE_CHECKING:
    import pyarrow as pa


class Aggregate:
    """What is known of the parts so far, which may come in any order.

    Parameters
    ----------
    plan
        What is trained.
    parts
        Where the parts are.
    """

    def __init__(self, plan: Plan, parts: Parts) -> None:
        self._plan = plan
        self._parts = parts
        self._tallies = TallySum()

    def add(self, commit: Commit) -> None:
        """Take in a part.

        Raises
        ------
        StoreError
            If it belongs to another study, or holds other runs than planned.
        """
        self._plan.check(commit)
        self.take_in(commit)

    def take_in(self, commit: Commit) -> None:
        """Take in a part, of whichever runs."""
        self._tallies.add(self._parts.tally(commit))

    def cells(self) -> pa.Table:
        """Return the cells table of all parts."""
        return cells_to_table(summarize(self._tallies.total(), self._plan), self._plan.study)

    def digest(self) -> str:
        """Return the digest of all rows, which are read once more in run order, or of the tally if it is kept alone."""
        if self._parts.keep == "runs":
            return digest_of_rows(self._parts, self._plan)
        tally = self._tallies.total()
        columns = (tally["cell"], tally["status"].cat.codes, tally["steps"], tally["n"])
        return tally_digest(*(column.to_numpy() for column in columns))


def digest_of_rows(parts: Parts, plan: Plan) -> str:
    """Return the digest of the rows of a complete result."""
    columns = runs_columns(plan.study)
    return rows_digest(in_run_order(parts, plan, [column.name for column in columns]), columns)
