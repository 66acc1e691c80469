"""Results on disk: parts, commits, checksums.

    DIR/study.toml      the study in canonical form
    DIR/run.json        identity, machine, versions, times, digest
    DIR/parts/          one Parquet file per shard, of a unique name, never overwritten
    DIR/commits/        one small JSON file per shard: which part counts, and its SHA-256
    DIR/cells.parquet   statistics of every cell

A commit is created whole or not at all, and only if there is none: whoever
finishes a shard first has written it. Readers trust commits and nothing else.
How a run gets the folder, alone or with others, is told in :mod:`sweep.claim`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sweep.commits import COMMIT_NAME, Commit, commit_name, cover, read_commit
from sweep.durable import check_name, json_bytes, link_new, replace_file, sync_folder, write_new
from sweep.errors import StoreError
from sweep.facts import read_facts, read_study
from sweep.lock import FolderLock
from sweep.parquet import parquet_bytes, read_parquet
from sweep.parts import Parts
from sweep.plan import Plan, Shard
from sweep.schema import cells_columns, runs_columns, tally_columns
from sweep.statistics.tally import tally_from_table, tally_to_table
from sweep.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from sweep.shard import ShardResult

# The names of commits are synced so often: one that is lost is only trained again.
_SYNC_SECONDS = 1.0


class Store(Parts):
    """The results folder of one study.

    Parameters
    ----------
    directory
        Where it is.
    study
        What it holds.
    keep
        ``"runs"``: parts hold a row per run; ``"cells"``: tallies.
    lock
        Held while parts are written, if given.

    Attributes
    ----------
    shared : bool
        Whether another process trains the same study in the folder, as far as is known.
    partial : list of Commit or None
        Where given, readers take these commits, rather than those of every run.
    """

    def __init__(self, directory: Path, study: Study, keep: str, lock: FolderLock | None = None) -> None:
        self.directory = directory
        self.study = study
        self.keep = keep
        self.identity = study.identity
        self._columns = runs_columns(study) if keep == "runs" else tally_columns()
        self.shared = False
        self.partial: list[Commit] | None = None
        self._lock = lock
        self._synced = time.monotonic()

    @classmethod
    def open(cls, directory: Path, lock: FolderLock | None = None) -> Store:
        """Open an existing results folder.

        Raises
        ------
        StoreError
            If it is none, or damaged.
        """
        check_name(directory)
        path = directory / "study.toml"
        if not os.path.lexists(path):
            raise StoreError(f"{str(directory)!r} is no results folder: it has no study.toml")
        facts = read_facts(directory)
        study = read_study(directory)
        if study.identity != facts["identity"]:
            raise StoreError(f"{str(path)!r} is not the study that run.json names")
        return cls(directory, study, facts["keep"], lock)

    def facts(self) -> dict[str, Any]:
        """Return what run.json holds, which must be facts of this study."""
        facts = read_facts(self.directory)
        if facts["identity"] != self.identity:
            raise StoreError(f"{str(self.directory / 'run.json')!r} belongs to another study by now")
        return facts

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Replace run.json."""
        replace_file(self.directory / "run.json", json_bytes(facts))

    def finish(self, cells: pa.Table, facts: dict[str, Any]) -> dict[str, Any]:
        """Write the cells, and these facts as those of the complete study; return all facts.

        Raises
        ------
        StoreError
            If the folder holds another study by now, as where files cannot be locked, or cannot be written.
        """
        self.sync_commits()
        self._check_own()
        facts = {**facts, "cells_sha256": self.write_cells(cells), "complete": True}
        self._check_own()
        self.write_facts(facts)
        return facts

    def write_part(self, result: ShardResult, **facts: Any) -> Commit:
        """Write the results of a shard and commit them, unless that was done before.

        Returns
        -------
        Commit
            The commit that counts, of this call or an earlier one.

        Raises
        ------
        StoreError
            If it cannot be written, or the earlier commit is not one of this shard.
        """
        table = result.rows() if self.keep == "runs" else tally_to_table(result.tally())
        content = parquet_bytes(table, self._columns, self.study, self.identity)
        name = f"{result.shard.index:07d}-{secrets.token_hex(4)}"
        parts = self.directory / "parts"
        part, draft = parts / f"{name}.parquet", parts / f"{name}.json"
        sha256 = hashlib.sha256(content).hexdigest()
        commit = Commit.of(result, self.identity, part=part.name, sha256=sha256, **facts)
        with self._lock.held() if self._lock else nullcontext():
            try:
                write_new(part, content)
                write_new(draft, commit.encode())
                sync_folder(parts)
                link_new(draft, self.directory / "commits" / commit_name(commit.shard))
            except FileExistsError:
                part.unlink(missing_ok=True)
                return self._earlier(result.shard)
            except OSError as error:
                part.unlink(missing_ok=True)
                raise StoreError(f"{str(part)!r} cannot be written: {error.strerror}") from None
            finally:
                draft.unlink(missing_ok=True)
        if time.monotonic() - self._synced >= _SYNC_SECONDS:
            self.sync_commits()
        return commit

    def sync_commits(self) -> None:
        """Wait until the disk has the names of all commits."""
        self._synced = time.monotonic()
        try:
            sync_folder(self.directory / "commits")
        except OSError as error:
            raise StoreError(f"{str(self.directory / 'commits')!r} cannot be written: {error.strerror}") from None

    def commits(self) -> dict[int, Commit]:
        """Return all commits by shard number, in that order.

        Raises
        ------
        StoreError
            If one is damaged or belongs to another study.
        """
        folder = self.directory / "commits"
        try:
            paths = [folder / name for name in os.listdir(folder) if COMMIT_NAME.fullmatch(name)]
        except OSError as error:
            raise StoreError(f"{str(folder)!r} cannot be read: {error.strerror}") from None
        commits = [read_commit(path, self.study, self.identity) for path in paths]
        return {commit.shard: commit for commit in sorted(commits, key=lambda commit: commit.shard)}

    def commit_of(self, shard: Shard) -> Commit | None:
        """Return the commit of a planned shard, or None if nobody has finished it.

        Raises
        ------
        StoreError
            If it is damaged, belongs to another study or was planned otherwise.
        """
        path = self.directory / "commits" / commit_name(shard.index)
        if not os.path.lexists(path):
            return None
        commit = read_commit(path, self.study, self.identity)
        commit.check(self.identity, shard)
        return commit

    def parts(self) -> list[Path]:
        """Return the files that hold the runs, in shard order."""
        return [self.directory / "parts" / commit.part for commit in self.counted()]

    def frame(self, columns: list[str]) -> pd.DataFrame:
        """Return these columns of all rows in visiting order.

        Raises
        ------
        StoreError
            If a part is missing or damaged.
        """
        frame: pd.DataFrame = pa.concat_tables(self.tables(columns)).to_pandas()
        return frame

    def table(self, commit: Commit, columns: list[str] | None = None) -> pa.Table:
        """Return a committed part, which must hold the runs that its commit says.

        Raises
        ------
        StoreError
            If it is missing or damaged.
        """
        path = self.directory / "parts" / commit.part
        known = {column.name: column for column in self._columns}
        table = read_parquet(path, [known[name] for name in (known if columns is None else columns)], commit.sha256)
        n_runs = len(table) if self.keep == "runs" else pc.sum(table["n"]).as_py()
        if n_runs != commit.stop - commit.start:
            raise StoreError(
                f"{str(path)!r} is damaged: it holds {n_runs} runs, and its commit those from {commit.start} to "
                f"{commit.stop}"
            )
        if "run" in table.schema.names:
            planned = self._plan.runs(Shard(commit.shard, commit.start, commit.stop, 0.0))
            if not (table["run"].to_numpy() == planned).all():
                raise StoreError(f"{str(path)!r} is damaged: its column 'run' has other numbers than were trained")
        return table

    def tally(self, commit: Commit) -> pd.DataFrame:
        """Return a committed part where it is a tally."""
        return tally_from_table(self.table(commit))

    def counted(self) -> list[Commit]:
        """Return the commits whose parts are the result, in shard order.

        Raises
        ------
        StoreError
            If they do not cover every run of a result that is not partial, or it was published without its rows.
        """
        if not self.has_parts:
            raise StoreError(f"the rows of {str(self.directory)!r} are not there: it was published with its cells only")
        given = self.partial is not None
        commits = self.partial or sorted(self.commits().values(), key=lambda commit: commit.start)
        if not cover(commits, None if given else self.study.n_runs):
            raise StoreError(f"{str(self.directory / 'commits')!r} is damaged: commits do not cover every run once")
        return commits

    def write_cells(self, table: pa.Table) -> str:
        """Write cells.parquet and return its SHA-256."""
        content = parquet_bytes(table, cells_columns(self.study), self.study, self.identity)
        replace_file(self.directory / "cells.parquet", content)
        return hashlib.sha256(content).hexdigest()

    def read_cells(self) -> pa.Table:
        """Read cells.parquet."""
        path = self.directory / "cells.parquet"
        return read_parquet(path, cells_columns(self.study), self.facts()["cells_sha256"])

    @property
    def has_parts(self) -> bool:
        """Whether parts are there, or the cells alone were published."""
        return any(os.path.lexists(self.directory / name) for name in ("parts", "commits"))

    @cached_property
    def _plan(self) -> Plan:
        return Plan(self.study)

    def _check_own(self) -> None:
        """Require that the folder still holds this study."""
        if read_study(self.directory).identity != self.identity:
            raise StoreError(f"results folder {str(self.directory)!r} was given to another study while this one ran")

    def _earlier(self, shard: Shard) -> Commit:
        """Return the commit of a shard that another has finished."""
        commit = self.commit_of(shard)
        if commit is None:
            raise StoreError(f"results in {str(self.directory)!r} were removed while they were written")
        return commit
