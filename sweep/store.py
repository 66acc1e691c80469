"""Results on disk: parts, commits, checksums.

    DIR/study.toml      the study in canonical form
    DIR/run.json        identity, machine, versions, times, digest
    DIR/parts/          one Parquet file a shard, of a unique name, never overwritten
    DIR/commits/        one small JSON file a shard: which part counts, and its SHA-256
    DIR/cells.parquet   statistics of every cell

A commit is created whole or not at all, and only if there is none: whoever
finishes a shard first has written it. Readers trust commits and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from sweep.errors import StoreError, StudyError
from sweep.load import load_study
from sweep.schema import Column, arrow_schema, cells_columns, runs_columns, tally_columns
from sweep.statistics import tally_from_table, tally_to_table
from sweep.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from sweep.shard import ShardResult

_OURS = {"study.toml", "run.json", "cells.parquet", "parts", "commits"}


@dataclass(frozen=True)
class Commit:
    """What is known of a finished shard.

    Attributes
    ----------
    study
        Identity of the study.
    shard, start, stop
        Number of the shard and its visiting positions.
    part, sha256
        Name of its part and the hash of that file.
    net_steps, lane_steps
        Steps that its runs took, and that lanes spent.
    session, begin, end
        Which call trained it, and when in seconds since 1970.
    """

    study: str
    shard: int
    start: int
    stop: int
    part: str
    sha256: str
    net_steps: int
    lane_steps: int
    session: str
    begin: float
    end: float

    @classmethod
    def of(cls, result: ShardResult, study: str, **facts: Any) -> Commit:
        """Return the commit of a shard that was trained."""
        shard = result.shard
        facts |= {"net_steps": result.net_steps, "lane_steps": result.lane_steps}
        return cls(study, shard.index, shard.start, shard.stop, **facts)


class Store:
    """The results folder of one study.

    Parameters
    ----------
    directory
        Where it is.
    study
        What it holds.
    keep
        ``"runs"``: parts hold a row for each run; ``"cells"``: tallies.
    """

    def __init__(self, directory: Path, study: Study, keep: str) -> None:
        self.directory = directory
        self.study = study
        self.keep = keep
        self.columns = runs_columns(study) if keep == "runs" else tally_columns()

    @classmethod
    def create(cls, directory: Path, study: Study, keep: str, overwrite: bool, **facts: Any) -> Store:
        """Make a results folder with these facts, or go on with one that holds part of the same study.

        Raises
        ------
        StoreError
            If the folder holds something else, or cannot be made.
        """
        store = cls(directory, study, keep)
        try:
            _check_parents(directory)
            if not (overwrite and _remove_results(directory)) and directory.is_dir() and any(directory.iterdir()):
                _check_same(directory, study, keep)
            for folder in ("parts", "commits"):
                (directory / folder).mkdir(parents=True, exist_ok=True)
            if not (directory / "study.toml").exists():  # another that makes it at once writes the same
                store.write_facts({"identity": study.identity, "keep": keep, "complete": False, **facts})
                _write_atomically(directory / "study.toml", study.to_toml().encode())
        except OSError as error:
            raise StoreError(f"results folder {str(directory)!r} cannot be used: {error.strerror}") from None
        return store

    @classmethod
    def open(cls, directory: Path) -> Store:
        """Open an existing results folder.

        Raises
        ------
        StoreError
            If it is none, or damaged.
        """
        if not (directory / "study.toml").is_file():
            raise StoreError(f"{str(directory)!r} is no results folder: it has no study.toml")
        facts = _read_json(directory / "run.json")
        try:
            study = load_study(directory / "study.toml")
        except StudyError as error:
            raise StoreError(f"{str(directory / 'study.toml')!r} is damaged: {error}") from None
        if study.identity != facts.get("identity"):
            raise StoreError(f"{str(directory / 'study.toml')!r} is not the study that run.json names")
        return cls(directory, study, str(facts["keep"]))

    def facts(self) -> dict[str, Any]:
        """Return what run.json holds."""
        return _read_json(self.directory / "run.json")

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Replace run.json."""
        _write_atomically(self.directory / "run.json", _json_bytes(facts))

    def write_part(self, result: ShardResult, **facts: Any) -> Commit:
        """Write the results of a shard and commit them, unless that was done before.

        Returns
        -------
        Commit
            The commit that counts, of this call or an earlier one.
        """
        table = result.rows() if self.keep == "runs" else tally_to_table(result.tally())
        name = f"{result.shard.index:07d}-{secrets.token_hex(4)}"
        part = self.directory / "parts" / f"{name}.parquet"
        draft = self.directory / "parts" / f"{name}.json"
        final = self.directory / "commits" / f"{result.shard.index:07d}.json"
        content = _parquet_bytes(table, self.columns)
        sha256 = hashlib.sha256(content).hexdigest()
        commit = Commit.of(result, self.study.identity, part=part.name, sha256=sha256, **facts)
        try:
            _write_durably(part, content)
            _write_durably(draft, _json_bytes(asdict(commit)))
            os.link(draft, final)
        except FileExistsError:
            part.unlink()
            return Commit(**_read_json(final))
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreError(f"{str(part)!r} cannot be written: {error.strerror}") from None
        finally:
            draft.unlink(missing_ok=True)
        return commit

    def commits(self) -> dict[int, Commit]:
        """Return all commits by shard number, in that order.

        Raises
        ------
        StoreError
            If one is damaged.
        """
        paths = sorted((self.directory / "commits").glob("*.json"))
        commits = [Commit(**_read_json(path)) for path in paths]
        for path, commit in zip(paths, commits, strict=True):
            if commit.study != self.study.identity:
                raise StoreError(f"{str(path)!r} belongs to another study; start anew with --overwrite")
        return {commit.shard: commit for commit in commits}

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield the committed parts in shard order.

        Raises
        ------
        StoreError
            If a part is missing or damaged.
        """
        for commit in self._whole():
            yield self.table(commit, columns)

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
        """Return a committed part.

        Raises
        ------
        StoreError
            If it is missing or damaged.
        """
        return _read_table(self.directory / "parts" / commit.part, columns, commit.sha256)

    def tally(self, commit: Commit) -> pd.DataFrame:
        """Return a committed part where it is a tally."""
        return tally_from_table(self.table(commit))

    def _whole(self) -> list[Commit]:
        """Return all commits, which must cover every run."""
        commits = sorted(self.commits().values(), key=lambda commit: commit.start)
        ends = [0, *(commit.stop for commit in commits)]
        if [commit.start for commit in commits] != ends[:-1] or ends[-1] != self.study.n_runs:
            raise StoreError(f"{str(self.directory / 'commits')!r} is damaged: commits do not cover every run")
        return commits

    def table_at(self, position: int) -> pa.Table:
        """Return the part that holds a visiting position."""
        commit = next(commit for commit in self._whole() if commit.start <= position < commit.stop)
        return self.table(commit)

    def write_cells(self, table: pa.Table) -> str:
        """Write cells.parquet and return its SHA-256."""
        content = _parquet_bytes(table, cells_columns(self.study))
        _write_atomically(self.directory / "cells.parquet", content)
        return hashlib.sha256(content).hexdigest()

    def read_cells(self) -> pa.Table:
        """Read cells.parquet."""
        return _read_table(self.directory / "cells.parquet", None, self.facts()["cells_sha256"])


def _parquet_bytes(table: pa.Table, columns: list[Column]) -> bytes:
    """Encode a table: zstd, byte streams split for floats, differences for integers."""
    table = table.cast(arrow_schema(columns))
    encodings = {"float64": "BYTE_STREAM_SPLIT", "int64": "DELTA_BINARY_PACKED", "int32": "DELTA_BINARY_PACKED"}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=[c.name for c in columns if c.type not in encodings],
        column_encoding={c.name: encodings[c.type] for c in columns if c.type in encodings},
        write_page_checksum=True,
        row_group_size=max(1, len(table)),
    )
    return bytes(sink.getvalue())


def _read_table(path: Path, columns: list[str] | None, sha256: str) -> pa.Table:
    """Read a Parquet file of ours after checking its hash."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StoreError(f"{str(path)!r} is damaged: its SHA-256 is not the one recorded when it was written")
    return pq.read_table(pa.BufferReader(content), columns=columns, page_checksum_verification=True)


def _json_bytes(facts: dict[str, Any]) -> bytes:
    """Encode facts together with their own hash."""
    return (json.dumps({**facts, "check": _check(facts)}, indent=2) + "\n").encode()


def _check(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _read_json(path: Path) -> dict[str, Any]:
    """Read facts and verify their hash."""
    try:
        facts = json.loads(path.read_bytes())
        check = facts.pop("check")
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, AttributeError, TypeError):
        raise StoreError(f"{str(path)!r} is damaged: it is not the JSON that was written") from None
    if check != _check(facts):
        raise StoreError(f"{str(path)!r} is damaged or was changed: its contents do not match its check")
    return dict(facts)


def _write_durably(path: Path, content: bytes) -> None:
    """Write a new file and wait until the disk has it."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _write_atomically(path: Path, content: bytes) -> None:
    """Replace a file so that readers see the old or the new one, whole."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write_durably(draft, content)
        os.replace(draft, path)
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def _check_parents(directory: Path) -> None:
    """Refuse a path that is, or lies below, a regular file."""
    for path in (directory, *directory.parents):
        if path.exists() and not path.is_dir():
            raise StoreError(f"output folder {str(directory)!r} given; {str(path)!r} is a file, not a folder")


def _check_same(directory: Path, study: Study, keep: str) -> None:
    """Refuse a folder that holds anything but this study."""
    if not (directory / "study.toml").is_file():
        strange = [path.name for path in directory.iterdir() if path.name not in _OURS and path.name[0] != "."]
        if strange:
            raise StoreError(
                f"output folder {str(directory)!r} holds other files ({strange[0]!r}); give a new one (--out)"
            )
        if (directory / "run.json").is_file() and _read_json(directory / "run.json").get("identity") != study.identity:
            raise StoreError(f"output folder {str(directory)!r} holds another study; give another one with --out")
        return
    present = Store.open(directory)
    if present.study.identity != study.identity:
        raise StoreError(
            f"output folder {str(directory)!r} holds another study ({present.study.identity[:12]}, not "
            f"{study.identity[:12]}); give another one with --out, or --overwrite to remove it"
        )
    if present.keep != keep:
        raise StoreError(f"output folder {str(directory)!r} keeps {present.keep}, not {keep}; give another one")


def _remove_results(directory: Path) -> bool:
    """Remove the results in a folder, and nothing else; tell whether there were any.

    Commits go first, so that what is left after a crash is never taken for whole.
    """
    if not (directory / "study.toml").is_file() or not any(
        (directory / name).exists() for name in ("run.json", "commits")
    ):
        return False
    for name in ("commits", "parts"):
        if (directory / name).exists():
            shutil.rmtree(directory / name)
    for name in ("cells.parquet", "convergence_rate.png", "run.json", "study.toml"):
        (directory / name).unlink(missing_ok=True)
    return True
