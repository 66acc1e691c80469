"""Statistics and digest of a study, made while it trains."""

from __future__ import annotations

import pyarrow as pa

from sweep.digest import RunsDigest, Tables
from sweep.plan import Plan
from sweep.schema import runs_columns
from sweep.statistics import Tally, merge, summarize, tally_from_table, tally_runs

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
    keep
        ``"runs"`` if parts hold a row for each run; ``"cells"`` if they are tallies.
    digests
        Whether rows are digested.
    """

    def __init__(self, plan: Plan, keep: str, digests: bool) -> None:
        self._plan = plan
        self._keep = keep
        self._tallies: list[Tally] = []
        self._n_counts, self._most_counts = 0, _LOOSE_COUNTS
        self._digest = RunsDigest(runs_columns(plan.study)) if digests and keep == "runs" else None

    def add(self, table: pa.Table) -> None:
        """Take in the next part."""
        self._tallies.append(tally_runs(table) if self._keep == "runs" else tally_from_table(table))
        if self._digest:
            self._digest.update(table)
        self._n_counts += len(self._tallies[-1].n)
        if self._n_counts > self._most_counts:
            self._tallies = [merge(self._tallies)]
            self._n_counts = len(self._tallies[0].n)
            self._most_counts = self._n_counts + max(_LOOSE_COUNTS, self._n_counts)

    def cells(self) -> pa.Table:
        """Return the cells table of all parts."""
        return summarize(merge(self._tallies), self._plan)

    def digest(self, tables: Tables) -> str | None:
        """Return the digest of all runs, or None if rows are not digested.

        Parameters
        ----------
        tables
            Gives all parts once more, for those that were out of run order.
        """
        return self._digest.finish(tables, self._plan.n_runs) if self._digest else None
