"""Statistics and digest of a study, made while it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.digest import RunsDigest, tally_digest
from sweep.plan import Plan
from sweep.schema import runs_columns
from sweep.statistics.cells import cells_to_table, summarize
from sweep.statistics.tally import merge, tally_rows
from sweep.store.commits import Commit
from sweep.store.memory import Memory
from sweep.store.store import Store

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# Rows of tallies held before they are added up, and as how many a frame counts by itself, in memory.
_LOOSE_ROWS = 2**20
_FRAME_ROWS = 300


class Aggregate:
    """What is known of all parts so far; they come in shard order.

    Memory grows with the different ends (cell, status and steps) and not with the runs
    that end alike.

    Parameters
    ----------
    plan
        What is trained.
    parts
        Where the parts are. Rows that are stored are digested, and tallies.
    """

    def __init__(self, plan: Plan, parts: Store | Memory) -> None:
        self._plan = plan
        self._parts = parts
        self._identity = plan.study.identity
        self._tallies: list[pd.DataFrame] = []  # the sum of the first ones, and those since then
        self._n_loose = 0
        stores_rows = isinstance(parts, Store) and parts.keep == "runs"
        self._digest = RunsDigest(runs_columns(plan.study)) if stores_rows else None

    def add(self, commit: Commit) -> None:
        """Take in the next part.

        Raises
        ------
        StoreError
            If it belongs to another study, or holds other runs than planned.
        """
        commit.check(self._identity, self._plan.shard(commit.shard))
        if self._digest:
            table = self._parts.table(commit)
            self._digest.update(table)
            tally = tally_rows(table)
        else:
            tally = self._parts.tally(commit)
        self._tallies.append(tally)
        self._n_loose += len(tally) + _FRAME_ROWS
        if self._n_loose > max(_LOOSE_ROWS, len(self._tallies[0])):
            self._tallies, self._n_loose = [merge(self._tallies)], 0

    def cells(self) -> pa.Table:
        """Return the cells table of all parts."""
        return cells_to_table(summarize(merge(self._tallies), self._plan), self._plan.study)

    def digest(self) -> str | None:
        """Return the digest of all rows, of the tally if rows are not kept, or None of rows in memory."""
        if self._digest:
            return self._digest.finish(self._parts.tables, self._plan.n_runs)
        if self._parts.keep == "runs":
            return None
        whole = merge(self._tallies)
        columns = (whole["cell"], whole["status"].cat.codes, whole["steps"], whole["n"])
        return tally_digest(*(column.to_numpy() for column in columns))
