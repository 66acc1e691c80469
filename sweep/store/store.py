"""Results that are written: parts, commits, checksums.

    DIR/study.toml      the study in canonical form
    DIR/run.json        identity, machine, versions, times, digest
    DIR/parts/          one Parquet file per shard, of a unique name, never overwritten
    DIR/commits/        one small JSON file per shard: which part counts, and its SHA-256
    DIR/cells.parquet   statistics of every cell

A commit is created whole or not at all, and only if there is none: whoever
finishes a shard first has written it. Readers trust commits and nothing else.
How a run gets the folder, alone or with others, is told in :mod:`sweep.store.claim`.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sweep.errors import StoreError
from sweep.plan import Plan, Shard
from sweep.schema import Column, cells_columns, runs_columns, tally_columns
from sweep.statistics.tally import tally_from_table, tally_to_table
from sweep.store.commits import COMMIT_NAME, Commit, commit_name, cover, decode_commit
from sweep.store.facts import read_facts, read_study
from sweep.store.files import Files, Lock
from sweep.store.local import LocalFiles
from sweep.store.parquet import decode_table, encode_table
from sweep.store.parts import Parts
from sweep.store.place import files_at
from sweep.store.records import encode_record
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
    files
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

    def __init__(self, files: Files, study: Study, keep: str, lock: Lock | None = None) -> None:
        self.files = files
        self.study = study
        self.keep = keep
        self.identity = study.identity
        self._columns = runs_columns(study) if keep == "runs" else tally_columns()
        self.shared = False
        self.partial: list[Commit] | None = None
        self._lock = lock or Lock()
        self._synced = time.monotonic()

    @classmethod
    def open(cls, place: Files | str | Path, lock: Lock | None = None) -> Store:
        """Open an existing results folder.

        Raises
        ------
        StoreError
            If it is none, or damaged.
        """
        files = place if isinstance(place, Files) else files_at(place)
        if not files.has("study.toml"):
            raise StoreError(f"{files.place!r} is no results folder: it has no study.toml")
        facts = read_facts(files)
        study = read_study(files)
        if study.identity != facts["identity"]:
            raise StoreError(f"{files.where('study.toml')!r} is not the study that run.json names")
        return cls(files, study, facts["keep"], lock)

    @property
    def directory(self) -> Path | None:
        """The folder, if it is on a file system."""
        return self.files.directory if isinstance(self.files, LocalFiles) else None

    def facts(self) -> dict[str, Any]:
        """Return what run.json holds, which must be facts of this study."""
        facts = read_facts(self.files)
        if facts["identity"] != self.identity:
            raise StoreError(f"{self.files.where('run.json')!r} belongs to another study by now")
        return facts

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Replace run.json."""
        self.files.replace("run.json", encode_record(facts))

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
        content = encode_table(table, self._columns, self.study, self.identity)
        part = f"{result.shard.index:07d}-{secrets.token_hex(4)}.parquet"
        sha256 = hashlib.sha256(content).hexdigest()
        commit = Commit.of(result, self.identity, part=part, sha256=sha256, **facts)
        with self._lock.held():
            self.files.write(f"parts/{part}", content)
            try:
                self.files.settle("parts")
                ours = self.files.create(f"commits/{commit_name(commit.shard)}", commit.encode())
            except StoreError:
                with suppress(StoreError):
                    if not self.files.has(f"commits/{commit_name(commit.shard)}"):  # it may be there after an error too
                        self._remove_part(commit)
                raise
            if not ours:
                self._remove_part(commit)
                return self._earlier(result.shard)
        if time.monotonic() - self._synced >= _SYNC_SECONDS:
            self.sync_commits()
        return commit

    def sync_commits(self) -> None:
        """Wait until the disk has the names of all commits."""
        self._synced = time.monotonic()
        self.files.settle("commits")

    def commits(self) -> dict[int, Commit]:
        """Return all commits by shard number, in that order.

        Raises
        ------
        StoreError
            If one is damaged or belongs to another study.
        """
        names = sorted(name for name in self.files.names("commits") if COMMIT_NAME.fullmatch(name))
        commits = [self._commit(name) for name in names]
        return {commit.shard: commit for commit in sorted(commits, key=lambda commit: commit.shard)}

    def commit_of(self, shard: Shard) -> Commit | None:
        """Return the commit of a planned shard, or None if nobody has finished it.

        Raises
        ------
        StoreError
            If it is damaged, belongs to another study or was planned otherwise.
        """
        name = commit_name(shard.index)
        if not self.files.has(f"commits/{name}"):
            return None
        commit = self._commit(name)
        commit.check(self.identity, shard)
        return commit

    def part_paths(self) -> list[str]:
        """Return where the files lie that hold the runs, in shard order."""
        return [self.files.where(f"parts/{commit.part}") for commit in self.counted()]

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
        name = f"parts/{commit.part}"
        known = {column.name: column for column in self._columns}
        table = self._table(name, [known[each] for each in (known if columns is None else columns)], commit.sha256)
        n_runs = len(table) if self.keep == "runs" else pc.sum(table["n"]).as_py()
        if n_runs != commit.stop - commit.start:
            raise StoreError(
                f"{self.files.where(name)!r} is damaged: it holds {n_runs} runs, and its commit those from "
                f"{commit.start} to {commit.stop - 1}"
            )
        if "run" in table.schema.names:
            planned = self._plan.runs(Shard(commit.shard, commit.start, commit.stop, 0.0))
            if not (table["run"].to_numpy() == planned).all():
                raise StoreError(
                    f"{self.files.where(name)!r} is damaged: its column 'run' has other numbers than were trained"
                )
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
            raise StoreError(f"the rows of {self.files.place!r} are not there: it was published with its cells only")
        given = self.partial is not None
        commits = self.partial or sorted(self.commits().values(), key=lambda commit: commit.start)
        if not cover(commits, None if given else self.study.n_runs):
            raise StoreError(f"{self.files.where('commits')!r} is damaged: commits do not cover every run once")
        return commits

    def write_cells(self, table: pa.Table) -> str:
        """Write cells.parquet and return its SHA-256."""
        content = encode_table(table, cells_columns(self.study), self.study, self.identity)
        self.files.replace("cells.parquet", content)
        return hashlib.sha256(content).hexdigest()

    def read_cells(self) -> pa.Table:
        """Read cells.parquet."""
        return self._table("cells.parquet", cells_columns(self.study), self.facts()["cells_sha256"])

    @property
    def has_parts(self) -> bool:
        """Whether parts are there, or the cells alone were published."""
        return any(self.files.has_folder(name) for name in ("parts", "commits"))

    @cached_property
    def _plan(self) -> Plan:
        return Plan(self.study)

    def _commit(self, name: str) -> Commit:
        """Read a commit."""
        path = f"commits/{name}"
        return decode_commit(self.files.read(path), self.files.where(path), self.study, self.identity)

    def _table(self, name: str, columns: list[Column], sha256: str) -> pa.Table:
        """Read columns of a file after checking its hash."""
        content = self.files.read(name)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreError(
                f"{self.files.where(name)!r} is damaged: its SHA-256 is not the one recorded when it was written"
            )
        return decode_table(content, columns, self.files.where(name))

    def _remove_part(self, commit: Commit) -> None:
        """Remove a part that no commit names."""
        with suppress(StoreError):
            self.files.remove(f"parts/{commit.part}")

    def _check_own(self) -> None:
        """Require that the folder still holds this study."""
        if read_study(self.files).identity != self.identity:
            raise StoreError(f"results folder {self.files.place!r} was given to another study while this one ran")

    def _earlier(self, shard: Shard) -> Commit:
        """Return the commit of a shard that another has finished."""
        commit = self.commit_of(shard)
        if commit is None:
            raise StoreError(f"results in {self.files.place!r} were removed while they were written")
        return commit
