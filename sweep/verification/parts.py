"""Check one part: its file, the runs that it holds, and whether training gives the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kernels.loop.runs import Columns
from sweep.digest import column_values
from sweep.errors import StoreError
from sweep.plan import Plan
from sweep.rounds import Rounds
from sweep.schema import arrow_schema, runs_columns, tally_columns
from sweep.shards import Shard
from sweep.statistics.tally import tally_to_table
from sweep.store.commits import Commit
from sweep.store.reader import StoreReader
from sweep.worker import ShardResult, Worker


class Checked(NamedTuple):
    """What was found of a part.

    Attributes
    ----------
    commit
        Of the part.
    fault
        What is wrong, empty if nothing is.
    known
        Whether it is known which runs it should hold, else its checksum alone was compared.
    n_retrained
        How many of its runs were trained again.
    """

    commit: Commit
    fault: str = ""
    known: bool = True
    n_retrained: int = 0


class PartCheck:
    """Checks parts of one result, from several threads.

    Parameters
    ----------
    plan
        Of the study.
    store
        The result.
    rounds
        Tells which cells its parts should hold.
    sample
        So many runs of the study, spread evenly, are trained again; all of them with -1. Where counts alone are kept
        these are the shards that hold them.
    """

    def __init__(self, plan: Plan, store: StoreReader, rounds: Rounds, sample: int) -> None:
        self._plan, self._store, self._rounds = plan, store, rounds
        self._columns = runs_columns(store.study) if store.keep == "runs" else tally_columns()
        self._schema = arrow_schema(runs_columns(store.study))
        self._worker = Worker(self._plan)
        self._all = sample < 0
        n_runs = self._plan.n_runs
        chosen = np.linspace(0, n_runs - 1, min(max(sample, 0), n_runs))
        self._chosen = np.unique(chosen.round().astype(np.int64))

    def check(self, commit: Commit) -> Checked:
        """Compare a part with its checksum, with what the study says of its runs, and with their training."""
        try:
            table = self._store.table(commit)
        except StoreError as error:
            return Checked(commit, str(error))
        try:
            shard = self._rounds.restrict(commit.as_shard())
        except StoreError:  # it follows from parts that are damaged or missing, which is told of there
            return Checked(commit, known=False)
        where = self._store.files.where(f"parts/{commit.part}")
        wrong = self._planned_column_that_differs(shard, table)
        if wrong:
            return Checked(commit, f"{where!r} is damaged: its column {wrong!r} has other values than its runs")
        n_retrained = 0
        for piece in self._to_retrain(shard):
            trained = self._worker.train(piece)
            n_retrained += trained.n_runs
            if self._store.keep == "runs":
                own = trained.rows()
                given = table.filter(pc.is_in(table["run"], own["run"])) if piece is not shard else table
            else:
                given, own = table, tally_to_table(trained.tally())
            wrong = self._column_that_differs(given, own)
            if wrong:
                fault = f"{where!r}: training gives other bits, in column {wrong!r}"
                return Checked(commit, fault, n_retrained=n_retrained)
        return Checked(commit, n_retrained=n_retrained)

    def _planned_column_that_differs(self, shard: Shard, table: pa.Table) -> str:
        """Return the first column that follows from the study and is not as it follows."""
        if self._store.keep != "runs":
            cells = self._plan.cells(shard)[0]
            return "" if np.isin(table["cell"].to_numpy(), cells).all() else "cell"
        trained = [column for column in self._columns if column.name in Columns._fields]
        columns = Columns(**{column.name: column_values(table, column) for column in trained})
        planned = ShardResult(self._plan, shard, columns, self._schema, 0, 0)
        names = [column.name for column in self._columns if column.name not in Columns._fields]
        return self._column_that_differs(table.select(names), planned.rows(names))

    def _column_that_differs(self, one: pa.Table, other: pa.Table) -> str:
        """Return the name of the first column whose values are not equal, bit by bit but for the sign of zero."""
        for column in self._columns:
            if column.name in one.schema.names and not np.array_equal(
                column_values(one, column), column_values(other, column)
            ):
                return column.name
        return ""

    def _to_retrain(self, shard: Shard) -> Iterator[Shard]:
        """Yield what of a shard is trained again."""
        chosen = self._chosen[(self._chosen >= shard.start) & (self._chosen < shard.stop)].tolist()
        if self._all or (chosen and self._store.keep != "runs"):
            yield shard
            return
        for run in chosen:
            piece = self._rounds.restrict(Shard(shard.index, run, run + 1))
            if piece.open is None or piece.open.any():
                yield piece
