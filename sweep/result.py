"""The result of a study, in memory or on disk."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.commits import Commit
from sweep.digest import RunsDigest
from sweep.errors import StoreError
from sweep.plan import Plan, Shard
from sweep.schema import NULL_COLUMNS, runs_columns
from sweep.statistics.tally import merge, tally_from_table, tally_rows, tally_to_table
from sweep.store import Store
from sweep.study import Study

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from sweep.shard import ShardResult


class Memory:
    """Parts of a result that was not written anywhere; offers what a :class:`Store` does.

    Parameters
    ----------
    study, keep
        As of a store.
    """

    shared = False

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

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield the rows of each part in shard order."""
        return (self.table(self._parts[index][0], columns) for index in sorted(self._parts))

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

    def table_at(self, position: int) -> pa.Table:
        """Return the part that holds a visiting position."""
        return self.table(next(c for c, _ in self._parts.values() if c.start <= position < c.stop))

    def read_cells(self) -> pa.Table:
        """Return the cells table."""
        return self.cells


class Result:
    """What a study found.

    Attributes
    ----------
    study : Study
    directory : Path or None
        Where it lies, if anywhere.
    """

    def __init__(self, study: Study, facts: dict[str, Any], parts: Store | Memory) -> None:
        self.study = study
        self._facts = facts
        self._parts = parts
        self.directory: Path | None = parts.directory if isinstance(parts, Store) else None

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What run.json holds: identity, digest, machine, versions, steps and seconds.

        The digest is that of all rows; where cells only are kept it is that of their tally,
        another number (see :func:`sweep.digest.tally_digest`).

        The digest of rows in memory is made when this is first asked for, at some 35 ns a run.
        """
        if "digest" not in self._facts:
            self._facts["digest"] = self._digest() if self._parts.keep == "runs" else None
        return self._facts

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Statistics, one row per cell."""
        frame: pd.DataFrame = self._parts.read_cells().to_pandas()
        return frame.astype(dict.fromkeys(NULL_COLUMNS, "Int64"))  # null where not reached

    def tally(self) -> pd.DataFrame:
        """Count the runs by how they ended; :mod:`sweep.statistics` makes every statistic of it.

        Returns
        -------
        DataFrame
            ``n`` runs of this ``cell`` ended with this ``status`` after so many ``steps``, one
            row for each end that occurs, sorted.
        """
        if self._parts.keep == "cells":
            return merge([tally_from_table(table) for table in self._parts.tables()])
        return merge([tally_rows(table) for table in self._parts.tables(["cell", "status", "steps"])])

    def runs(self, columns: list[str] | None = None) -> pd.DataFrame:
        """Return the runs, one row each, in run order.

        Parameters
        ----------
        columns
            Only these, in this order.

        Raises
        ------
        StoreError
            If runs were not kept, or a column is unknown.
        """
        self._check_rows()
        known = [column.name for column in runs_columns(self.study)]
        wanted = known if columns is None else list(columns)
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise StoreError(f"no column {unknown[0]!r} in runs; there are {', '.join(known)}")
        in_order = bool(wanted) and Plan(self.study).in_run_order
        read = list(dict.fromkeys(wanted if in_order else [*wanted, "run"]))  # each once
        frame = self._parts.frame(read)
        if not in_order:
            frame = frame.sort_values("run", ignore_index=True)
        return frame if read == wanted else frame[wanted]

    def row(self, run: int) -> dict[str, Any]:
        """Return the row of one run.

        Raises
        ------
        StoreError
            If there is no such run, or runs were not kept.
        """
        import pyarrow.compute as pc

        self._check_rows()
        if not 0 <= run < self.study.n_runs:
            raise StoreError(f"run {run} given; this study has runs 0 to {self.study.n_runs - 1}")
        table = self._parts.table_at(Plan(self.study).position(run))
        return dict(table.filter(pc.equal(table["run"], run)).to_pylist()[0])

    def parts(self) -> list[Path]:
        """Return the Parquet files that hold the runs or their counts, in shard order, for tools that read such files.

        Files in parts/ that are not among them were left by killed processes and do not count.

        Raises
        ------
        StoreError
            If the result is in memory, or published without its parts.
        """
        if isinstance(self._parts, Memory):
            raise StoreError("this result is in memory; run the study with a results folder to have files")
        return self._parts.parts()

    def _digest(self) -> str:
        digest = RunsDigest(runs_columns(self.study))
        if Plan(self.study).in_run_order:
            for table in self._parts.tables():
                digest.update(table)
        return digest.finish(self._parts.tables, self.study.n_runs)

    def _check_rows(self) -> None:
        if self._parts.keep != "runs":
            raise StoreError("this result keeps cells only; run the study with keep='runs' to have its runs")

    def __repr__(self) -> str:
        """Show the study, where it lies and its digest."""
        place = f" in {str(self.directory)!r}" if self.directory else ""
        return f"<Result of {self.study.name!r}{place}: digest {str(self.facts.get('digest'))[:12]}>"


def open_result(directory: str | Path) -> Result:
    """Open a results folder.

    Raises
    ------
    StoreError
        If it is none, is damaged or its study was interrupted.
    """
    store = Store.open(Path(directory))
    facts = store.facts()
    if not facts["complete"]:
        raise StoreError(f"results in {str(directory)!r} are not complete; run the same study again to finish it")
    return Result(store.study, facts, store)
