"""Statistics and digest of a study, made while it trains."""

from __future__ import annotations

import pyarrow as pa

from sweep.digest import RunsDigest, Tables
from sweep.plan import Plan
from sweep.schema import runs_columns
from sweep.statistics import Tally, merge, summarize, tally_from_table, tally_runs

# Rows held before they are counted: between shards, with cold caches, a count of few takes as long as one of many.
_LOOSE_ROWS = 2**16

# Counts held before equal ones are added up.
_LOOSE_COUNTS = 2**20


class Aggregate:
    """What is known of all parts so far; they come in shard order.

    Memory grows with the different ends (cell, status and steps) and not with the runs
    that end alike, but for the last parts, whose rows wait to be counted together.

    Parameters
    ----------
    plan
        What is trained.
    keep
        ``"runs"`` if parts hold a row for each run; ``"cells"`` if they are tallies.
    digests
        Whether rows are digested.
    """

    def __init__(self, plan: Plan, keep: str, digests: bool) -> None:
        self._plan = plan
        self._keep = keep
        self._rows: list[pa.Table] = []
        self._tallies: list[Tally] = []
        self._n_counts, self._most_counts = 0, _LOOSE_COUNTS
        self._digest = RunsDigest(runs_columns(plan.study)) if digests and keep == "runs" else None

    def add(self, table: pa.Table) -> None:
        """Take in the next part."""
        if self._digest:
            self._digest.update(table)
        if self._keep == "cells":
            self._count(tally_from_table(table))
            return
        self._rows.append(table)
        if sum(map(len, self._rows)) >= _LOOSE_ROWS:
            self._count_rows()

    def _count_rows(self) -> None:
        self._count(tally_runs(pa.concat_tables(self._rows)))
        self._rows.clear()

    def _count(self, tally: Tally) -> None:
        self._tallies.append(tally)
        self._n_counts += len(tally.n)
        if self._n_counts > self._most_counts:
            self._tallies = [merge(self._tallies)]
            self._n_counts = len(self._tallies[0].n)
            self._most_counts = self._n_counts + max(_LOOSE_COUNTS, self._n_counts)

    def cells(self) -> pa.Table:
        """Return the cells table of all parts."""
        if self._rows:
            self._count_rows()
        return summarize(merge(self._tallies), self._plan)

    def digest(self, tables: Tables) -> str | None:
        """Return the digest of all runs, or None if rows are not digested.

        Parameters
        ----------
        tables
            Gives all parts once more, for those that were out of run order.
        """
        return self._digest.finish(tables, self._plan.n_runs) if self._digest else None
