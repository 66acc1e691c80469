"""Check one part: its file, the runs that it holds, and whether training gives the same bits."""

from __future__ import annotations

from collections.abc import Iterator

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


class PartCheck:
    """Checks parts of one result, from several threads.

    Parameters
    ----------
    store
        The result.
    sample
        So many runs of the study, spread evenly, are trained again; all of them with -1. Where counts alone are kept
        these are the shards that hold them.
    """

    def __init__(self, store: StoreReader, sample: int) -> None:
        self._store, self._plan = store, Plan(store.study)
        self._columns = runs_columns(store.study) if store.keep == "runs" else tally_columns()
        self._schema = arrow_schema(runs_columns(store.study))
        self._worker, self._rounds = Worker(self._plan), Rounds(self._plan, store)
        self._all = sample < 0
        n_runs = self._plan.n_runs
        chosen = np.linspace(0, n_runs - 1, min(max(sample, 0), n_runs))
        self._chosen = np.unique(chosen.round().astype(np.int64))

    def check(self, commit: Commit) -> tuple[str, int]:
        """Return what is wrong with a part, empty if nothing is, and how many of its runs were trained again."""
        try:
            table = self._store.table(commit)
        except StoreError as error:
            return str(error), 0
        try:
            shard = self._rounds.restrict(Shard(commit.shard, commit.start, commit.stop, 0.0))
        except StoreError:  # which cells it should hold follows from a part that is damaged, and told of there
            return "", 0
        where = self._store.files.where(f"parts/{commit.part}")
        wrong = self._planned_column_that_differs(shard, table)
        if wrong:
            return f"{where!r} is damaged: its column {wrong!r} has other values than its runs", 0
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
                return f"{where!r}: training gives other bits, in column {wrong!r}", n_retrained
        return "", n_retrained

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
            piece = self._rounds.restrict(Shard(shard.index, run, run + 1, 0.0))
            if piece.open is None or piece.open.any():
                yield piece
