"""Parts of a result that is not written anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.plan import Shard
from sweep.statistics.tally import tally_to_table
from sweep.store.commits import Commit
from sweep.store.parts import Parts
from sweep.study import Study

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from sweep.shard import ShardResult


class Memory(Parts):
    """Parts of a result that was not written anywhere; offers what a :class:`Store` does.

    Parameters
    ----------
    study, keep
        As of a store.
    """

    shared = False
    has_parts = True

    def __init__(self, study: Study, keep: str) -> None:
        self.keep = keep
        self._identity = study.identity
        self.cells: pa.Table | None = None
        self._parts: dict[int, tuple[Commit, Any]] = {}  # results of shards, or tallies

    def write_part(self, result: ShardResult, **facts: Any) -> Commit:
        """Keep the result of a shard, or its tally; the commit names no file."""
        commit = Commit.of(result, self._identity, part="", sha256="", **facts)
        self._parts[commit.shard] = commit, result if self.keep == "runs" else result.tally()
        return commit

    def commits(self) -> dict[int, Commit]:
        """Return the commits of earlier calls: none."""
        return {}

    def commit_of(self, shard: Shard) -> Commit | None:
        """Return the commit of a shard that another process has finished: None."""
        return None

    def counted(self) -> list[Commit]:
        """Return the commits of all parts, in shard order."""
        return [self._parts[index][0] for index in sorted(self._parts)]

    def frame(self, columns: list[str]) -> pd.DataFrame:
        """Return these columns of all rows in visiting order; numbers are copied once, for they may be many."""
        import numpy as np
        import pandas as pd
        import pyarrow as pa

        parts = [self._parts[index][1] for index in sorted(self._parts)]
        whole: dict[str, Any] = {}
        for name in columns:
            kind = parts[0].schema.field(name).type
            if pa.types.is_floating(kind) or pa.types.is_integer(kind):
                whole[name] = np.concatenate([part.column(name) for part in parts], dtype=kind.to_pandas_dtype())
            else:
                whole[name] = pa.concat_tables(part.rows([name]) for part in parts)[name].to_pandas()
        return pd.DataFrame(whole, copy=False)

    def table(self, commit: Commit, columns: list[str] | None = None) -> pa.Table:
        """Return the rows of a finished shard, or its tally."""
        part = self._parts[commit.shard][1]
        rows: pa.Table = part.rows(columns) if self.keep == "runs" else tally_to_table(part)
        return rows

    def tally(self, commit: Commit) -> pd.DataFrame:
        """Count the runs of a finished shard by how they ended."""
        part = self._parts[commit.shard][1]
        counts: pd.DataFrame = part.tally() if self.keep == "runs" else part
        return counts

    def read_cells(self) -> pa.Table:
        """Return the cells table."""
        return self.cells
