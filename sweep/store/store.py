"""Write results: parts, commits, checksums.

    DIR/study.toml      the study in canonical form
    DIR/run.json        identity, machine, versions, times, digest
    DIR/parts/          one Parquet file per part, of a unique name, never overwritten
    DIR/commits/        one small JSON file per part: the name of its valid file, and its SHA-256
    DIR/cells.parquet   statistics of every cell
    DIR/curves.parquet  learning curves, where the study records them

A commit is created whole or not at all, and only if there is none: the first process to finish a part commits it.
Readers trust only commits. :mod:`sweep.store.claim` describes how a run gets the folder, exclusively or shared.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pyarrow as pa

from sweep.columns import Column
from sweep.errors import StoreError
from sweep.schemas.cell_columns import cells_columns
from sweep.schemas.run_columns import curves_columns
from sweep.store.bits import Bits
from sweep.store.commits import Commit, TrainedPart, commit_name, cover, encode_record
from sweep.store.files import Files, Lock, waits_ended_by
from sweep.store.parquet import encode_table
from sweep.store.reader import StoreReader
from sweep.store.run_facts import FORMAT, read_facts, read_identity
from sweep.store.stored_runs import WritableResult
from sweep.study.model import Study
from sweep.system.version import __version__

# Seconds between syncs of the names of commits. A part whose commit is lost is trained again.
_SYNC_SECONDS = 1.0


class Store(StoreReader, WritableResult):
    """The results folder of one study, for writing; its lock is held while parts are written."""

    def __init__(self, files: Files, study: Study, keep: str, waves: tuple[int, ...], bits: Bits) -> None:
        super().__init__(files, study, keep, waves, bits)
        self._last: Commit | None = None  # the last commit of this store
        self.lock = Lock()
        self._synced = time.monotonic()

    @property
    def first_bits(self) -> Bits:
        return Bits.of(self.facts(now=True))

    def finish(
        self, make_cells: Callable[[], pa.Table], facts: dict[str, Any], curves: pa.Table | None = None
    ) -> dict[str, Any]:
        """Write cells and learning curves, if any, and complete run.json with ``facts``; return all facts."""
        self.sync_commits()
        self._check_own()
        study_sha256 = hashlib.sha256(self.files.read("study.toml")).hexdigest()
        facts = {
            **facts,
            "study_sha256": study_sha256,
            "cells_sha256": self.write_cells(make_cells()),
            "complete": True,
        }
        if curves is not None:
            facts["curves_sha256"] = self._write_table("curves.parquet", curves, curves_columns(self.study))
        self._check_own()
        self._check_commits()  # another machine may not see our locks, and may have started over
        self._facts = {"format": FORMAT, **facts}
        self.files.replace("run.json", encode_record(self._facts))
        return self._facts

    def check_all_there(self) -> None:
        """Check that the commits of all runs still exist, unless the lock keeps other processes from removing them."""
        if not self.lock.excludes:
            self._check_commits()

    def _check_commits(self) -> None:
        if not cover(sorted(self.commits().values(), key=lambda commit: commit.start), self.study.n_runs):
            raise self.removed_error()

    def was_removed(self) -> bool:
        """Return whether others have removed the study or what this store wrote, as far as a quick check shows."""
        last = self._last
        names = ["run.json", "study.toml", *([f"commits/{commit_name(last.part)}"] if last else [])]
        try:
            with waits_ended_by(_give_up, [self.files]):
                if not all(map(self.files.has, names)):
                    return True
                facts, present = read_facts(self.files), read_identity(self.files)
                if (facts["identity"], facts["keep"], present) != (self.identity, self.keep, self.identity):
                    return True
                return last is not None and not self.is_current(last)
        except StoreError:
            return False

    def removed_error(self) -> StoreError:
        """Return the error for removed results; it names what the folder holds now."""
        what = "the study over"
        with suppress(StoreError):
            what = "another study" if read_identity(self.files) != self.identity else what
        return StoreError(
            f"another run with --overwrite removed the results in {self.files.place!r} and started {what} there; wait "
            "until it ends, then run the study without --overwrite, or choose another place (--out)"
        )

    def write_part(self, result: TrainedPart, **facts: Any) -> Commit:
        commit = self._commit_part(*self._encode(result, facts))
        self._fresh[commit.part] = result.tally()
        return commit

    def replace_part(self, result: TrainedPart, old: Commit | None, **facts: Any) -> None:
        """Write the results of a part in place of committed ones, if any; readers see the old or the new part."""
        commit, content = self._encode(result, facts)
        self.files.write(f"parts/{commit.file}", content)
        self.files.settle("parts")
        self.files.replace(f"commits/{commit_name(commit.part)}", commit.encode())
        if old is not None:
            self._remove_part(old)

    def copy_part(self, source: StoreReader, commit: Commit) -> Commit:
        """Copy a committed part of another result of this study under a new name, unless its part has a commit."""
        return self._commit_part(replace(commit, file=_new_part(commit.part)), source.content(commit))

    def trained_by(self, bits: Bits) -> None:
        """Set the facts of training for parts written from now on; all commits must share them."""
        self.bits = bits
        self.whose = "this run"

    @property
    def _about(self) -> dict[str, str]:
        """Return the metadata of files of parts: format, study, and facts of training on which bits depend."""
        about = {"format": str(FORMAT), "study": self.study.name, "identity": self.identity, "xor-sweep": __version__}
        about["waves"] = json.dumps(self.waves)
        return about | {name: str(fact) for name, fact in self.bits.as_dict().items()}

    def _encode(self, result: TrainedPart, facts: dict[str, Any]) -> tuple[Commit, bytes]:
        """Return the commit of a part and the content of its file."""
        table = result.rows() if self.keep == "runs" else result.counts()
        content = encode_table(table, self._columns, self._about)
        sha256 = hashlib.sha256(content).hexdigest()
        facts |= {"file": _new_part(result.part.index), "sha256": sha256, **self.bits.as_dict()}
        return Commit.of(result, self.identity, **facts), content

    def _commit_part(self, commit: Commit, content: bytes) -> Commit:
        """Write the file of a part and its commit, unless the part has one; return the valid commit."""
        with self.lock.held():
            self.files.write(f"parts/{commit.file}", content)
            try:
                self.files.settle("parts")
                ours = self.files.create(f"commits/{commit_name(commit.part)}", commit.encode())
            except StoreError:
                with suppress(StoreError):
                    # The commit may exist despite an error, and in an object store it may still appear.
                    if self.files.on_file_system and not self.files.has(f"commits/{commit_name(commit.part)}"):
                        self._remove_part(commit)
                raise
            if not ours:
                self._remove_part(commit)
                earlier = self.commit_of(commit.as_part())
                if earlier is None:
                    raise self.removed_error()
                return earlier
            self._last = commit
        if time.monotonic() - self._synced >= _SYNC_SECONDS:
            self.sync_commits()
        return commit

    def sync_commits(self) -> None:
        """Wait until the names of all commits are on the disk."""
        self._synced = time.monotonic()
        self.files.settle("commits")

    def write_cells(self, table: pa.Table) -> str:
        """Write cells.parquet and return its SHA-256."""
        return self._write_table("cells.parquet", table, cells_columns(self.study))

    def _write_table(self, name: str, table: pa.Table, columns: list[Column]) -> str:
        content = encode_table(table, columns, self._about)
        self.files.replace(name, content)
        return hashlib.sha256(content).hexdigest()

    def _remove_part(self, commit: Commit) -> None:
        """Remove the file of a part that has no commit."""
        with suppress(StoreError):
            self.files.remove(f"parts/{commit.file}")

    def _check_own(self) -> None:
        """Check that the folder still holds this study."""
        if read_identity(self.files) != self.identity:
            raise StoreError(f"another run put another study into results folder {self.files.place!r} meanwhile")


def _new_part(part: int) -> str:
    return f"{part:07d}-{secrets.token_hex(4)}.parquet"


def _give_up() -> None:
    raise StoreError("no wait is worthwhile here")
