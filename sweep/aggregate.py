"""Statistics and digest of a study, made while it trains."""

from __future__ import annotations

import pyarrow as pa

from sweep.commits import Commit
from sweep.digest import RunsDigest, tally_digest
from sweep.plan import Plan
from sweep.result import Memory
from sweep.schema import runs_columns
from sweep.statistics import Tally, merge, summarize, tally_runs
from sweep.store import Store

# Counts held before equal ones are added up.
_LOOSE_COUNTS = 2**20


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
        self._tallies: list[Tally] = []
        self._n_counts, self._most_counts = 0, _LOOSE_COUNTS
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
            tally = tally_runs(table)
        else:
            tally = self._parts.tally(commit)
        self._tallies.append(tally)
        self._n_counts += len(tally.n)
        if self._n_counts > self._most_counts:
            self._tallies = [merge(self._tallies)]
            self._n_counts = len(self._tallies[0].n)
            self._most_counts = self._n_counts + max(_LOOSE_COUNTS, self._n_counts)

    def cells(self) -> pa.Table:
        """Return the cells table of all parts."""
        return summarize(merge(self._tallies), self._plan)

    def digest(self) -> str | None:
        """Return the digest of all rows, of the tally if rows are not kept, or None of rows in memory."""
        if self._digest:
            return self._digest.finish(self._parts.tables, self._plan.n_runs)
        if self._parts.keep == "runs":
            return None
        whole = merge(self._tallies)
        return tally_digest(*whole.parts, whole.n)
