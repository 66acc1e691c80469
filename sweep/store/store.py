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
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sweep.errors import StoreError
from sweep.schema import cells_columns
from sweep.shards import Shard
from sweep.statistics.tally import tally_to_table
from sweep.store.commits import Commit, commit_name
from sweep.store.facts import read_study
from sweep.store.files import Files, Lock
from sweep.store.parquet import encode_table
from sweep.store.reader import StoreReader
from sweep.store.records import encode_record
from sweep.study import Study

if TYPE_CHECKING:
    from sweep.worker import ShardResult

# The names of commits are synced so often: one that is lost is only trained again.
_SYNC_SECONDS = 1.0


class Store(StoreReader):
    """The results folder of one study, to be written.

    Attributes
    ----------
    shared : bool
        Whether another process trains the same study in the folder, as far as is known.
    lock : Lock
        Held while parts are written.
    """

    shared = False

    def __init__(self, files: Files, study: Study, keep: str) -> None:
        super().__init__(files, study, keep)
        self.lock = Lock()
        self._synced = time.monotonic()

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Replace run.json."""
        self.files.replace("run.json", encode_record(facts))

    def check_bits(self, numerics: int, log_digest: str) -> None:
        """Refuse to mix bits with those of another version or machine.

        Parameters
        ----------
        numerics, log_digest
            Of this version, and of this machine's logarithm.

        Raises
        ------
        StoreError
        """
        facts = self.facts()
        if facts.get("numerics") != numerics:
            raise StoreError(
                f"results in {self.files.place!r} were begun by a version of xor-sweep whose numbers have other last "
                "bits; finish them with that version, or start anew with --overwrite"
            )
        if "normal" in self.study.values_of("distribution") and facts.get("log_digest") != log_digest:
            raise StoreError(
                f"results in {self.files.place!r} were begun on a machine whose logarithm has other last bits, so "
                "normal initial weights would differ; finish them there, or start anew with --overwrite"
            )

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
        tally = result.tally()
        table = result.rows() if self.keep == "runs" else tally_to_table(tally)
        content = encode_table(table, self._columns, self.study, self.identity)
        part = f"{result.shard.index:07d}-{secrets.token_hex(4)}.parquet"
        sha256 = hashlib.sha256(content).hexdigest()
        commit = self._commit_part(Commit.of(result, self.identity, part=part, sha256=sha256, **facts), content)
        self._fresh[commit.shard] = tally
        return commit

    def copy_part(self, source: StoreReader, commit: Commit) -> Commit:
        """Copy a committed part of another result of this study, unless there is one of that shard.

        Raises
        ------
        StoreError
            If it is missing or damaged, or cannot be written.
        """
        return self._commit_part(commit, source.content(commit))

    def _commit_part(self, commit: Commit, content: bytes) -> Commit:
        """Write a part and its commit, unless there is one of its shard; return the commit that counts."""
        with self.lock.held():
            self.files.write(f"parts/{commit.part}", content)
            try:
                self.files.settle("parts")
                ours = self.files.create(f"commits/{commit_name(commit.shard)}", commit.encode())
            except StoreError:
                if not self.files.has(f"commits/{commit_name(commit.shard)}"):  # which may be there also after an error
                    self._remove_part(commit)
                raise
            if not ours:
                self._remove_part(commit)
                return self._earlier(Shard(commit.shard, commit.start, commit.stop, 0.0))
        if time.monotonic() - self._synced >= _SYNC_SECONDS:
            self.sync_commits()
        return commit

    def sync_commits(self) -> None:
        """Wait until the disk has the names of all commits."""
        self._synced = time.monotonic()
        self.files.settle("commits")

    def write_cells(self, table: pa.Table) -> str:
        """Write cells.parquet and return its SHA-256."""
        content = encode_table(table, cells_columns(self.study), self.study, self.identity)
        self.files.replace("cells.parquet", content)
        return hashlib.sha256(content).hexdigest()

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
