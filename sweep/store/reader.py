"""Read results folders: only commits are trusted, and only parts that match their commits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sweep.columns import Column
from sweep.errors import DamageError, StoreError
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.schemas.cell_columns import cells_columns, counts_columns
from sweep.schemas.run_columns import curves_columns, runs_columns
from sweep.store.bits import Bits
from sweep.store.commits import COMMIT_NAME, Commit, MixtureError, commit_name, cover, decode_commit, foreign_commits
from sweep.store.contents import fitting
from sweep.store.files import Files
from sweep.store.local import files_at
from sweep.store.parquet import decode_table
from sweep.store.run_facts import read_facts, read_study, waves_of
from sweep.store.stored_runs import StoredResult
from sweep.study.curve_points import most_points
from sweep.study.model import Study


class StoreReader(StoredResult):
    """The results folder of one study, for reading. All commits must share ``bits``, which come from ``whose``."""

    whose = "run.json"

    def __init__(self, files: Files, study: Study, keep: str, waves: tuple[int, ...], bits: Bits) -> None:
        super().__init__()
        self.files = files
        self.study = study
        self.opened = [files]
        self.place = files.place
        self.directory = files.directory
        self.keep = keep
        self.waves = waves
        self.bits = bits
        self._facts: dict[str, Any] | None = None
        self.identity = study.identity
        self._columns = runs_columns(study) if keep == "runs" else counts_columns(study)
        self._present: list[Commit] | None = None  # if set, the result consists of these commits only

    @classmethod
    def open(cls, place: Files | str | Path) -> Self:
        """Open an existing results folder."""
        files = place if isinstance(place, Files) else files_at(place)
        if not files.has("study.toml"):
            raise StoreError(f"{files.place!r} is not a results folder: it has no study.toml")
        facts = read_facts(files)
        study = read_study(files)
        if study.identity != facts["identity"]:
            raise DamageError(files.where("study.toml"), "it holds another study than run.json names")
        waves = waves_of(facts, study, files.where("run.json"))
        reader = cls(files, study, facts["keep"], waves, Bits.of(facts))
        reader._facts = facts
        return reader

    def facts(self, *, now: bool = False) -> dict[str, Any]:
        """Return the facts of run.json as first read; with ``now``, read it again, since others may have written it."""
        if self._facts is None or now:
            facts = read_facts(self.files)
            if facts["identity"] != self.identity:
                raise StoreError(f"{self.files.where('run.json')!r} now belongs to another study")
            self._facts = facts
        return dict(self._facts)

    def check_bits(self, bits: Bits, *, sources: bool = True) -> None:
        difference = Bits.of(self.facts()).difference(bits, self.study, sources=sources)
        if difference:
            raise StoreError(
                f"results in {self.files.place!r} were started {difference.cause} "
                f"({difference.clause('there', 'here')}); continue with that version and machine, or start over with "
                "--overwrite"
            )

    def check_alike(self, commits: Iterable[Commit]) -> None:
        """Refuse commits of several versions or machines; MixtureError unless all agree and only this run differs."""
        commits = list(commits)
        for commit, difference in foreign_commits(commits, self.study, self.bits, self.whose):
            if not any(foreign_commits(commits, self.study, Bits.of(vars(commit)), "")):  # they agree with each other
                raise StoreError(
                    f"results in {self.files.place!r} were trained by another version or machine: {difference}; "
                    "continue with that version and machine, or start over with --overwrite"
                )
            raise MixtureError(
                f"results in {self.files.place!r} mix two trainings: {difference}; train the rows that do not fit "
                "run.json again with 'sweep verify --repair', or start over with --overwrite"
            )

    def commits(self) -> dict[int, Commit]:
        names = sorted(fitting(self.files, "commits", COMMIT_NAME))
        commits = [self.decode_commit(*each) for each in zip(names, self.files.read_all(names), strict=True)]
        commits.sort(key=lambda commit: commit.part)
        self.check_alike(commits)
        return {commit.part: commit for commit in commits}

    def restrict_to_present(self) -> None:
        self._present = sorted(self.commits().values(), key=lambda commit: commit.start)

    def commit_of(self, part: Part) -> Commit | None:
        """Return the commit of a planned part, or None if no process has finished it."""
        name = f"commits/{commit_name(part.index)}"
        if not self.files.has(name):
            return None
        commit = self.decode_commit(name, self.files.read(name))
        commit.check(self.identity, part)
        self.check_alike([commit])
        return commit

    def is_current(self, commit: Commit) -> bool:
        """Return whether this commit still exists as it was read."""
        name = f"commits/{commit_name(commit.part)}"
        try:
            return self.files.has(name) and self.decode_commit(name, self.files.read(name)) == commit
        except StoreError:
            return False

    def part_paths(self) -> list[str]:
        return [self.files.where(f"parts/{commit.file}") for commit in self.counted()]

    def table(self, commit: Commit, columns: list[str] | None = None) -> pa.Table:
        """Return a committed part, after a check that it holds the runs of its commit."""
        name = f"parts/{commit.file}"
        known = {column.name: column for column in self._columns}
        chosen = [known[each] for each in (known if columns is None else columns)]
        table = self._table(name, chosen, commit.sha256, commit.n_runs)
        missing = [field for field in table.schema.names if table[field].null_count]
        if missing:
            raise DamageError(self.files.where(name), f"its column {missing[0]!r} lacks values")
        n_runs = len(table) if self.keep == "runs" else pc.sum(table["n"]).as_py()
        if (n_runs or 0) != commit.n_runs:
            raise DamageError(self.files.where(name), f"it holds {n_runs} runs, but its commit has {commit.n_runs}")
        if "run" in table.schema.names:
            planned = self.plan.runs(commit.as_part())
            runs = table["run"].to_numpy()
            if self.study.seeds.until:
                planned = planned[np.isin(planned, runs)]
            if not np.array_equal(runs, planned):
                raise DamageError(self.files.where(name), "its column 'run' does not name the runs of its commit")
        return table

    def counted(self) -> list[Commit]:
        if not self.has_parts:
            raise StoreError(f"{self.files.place!r} has no rows: it was published with its cells only")
        commits = self._present
        if commits is None:
            commits = sorted(self.commits().values(), key=lambda commit: commit.start)
        if not cover(commits, self.study.n_runs if self._present is None else None):
            raise DamageError(self.files.where("commits"), "its commits do not hold every run exactly once")
        return commits

    def read_cells(self, names: Sequence[str] | None = None) -> pa.Table:
        columns = [column for column in cells_columns(self.study) if names is None or column.name in names]
        return self._table("cells.parquet", columns, self.facts()["cells_sha256"], self.study.n_cells)

    def read_curves(self) -> pa.Table:
        columns, facts = curves_columns(self.study), self.facts()
        return self._table("curves.parquet", columns, facts.get("curves_sha256", ""), most_points(self.study))

    @property
    def has_parts(self) -> bool:
        return any(map(self.files.has_folder, ("parts", "commits"))) or not self.facts()["complete"]

    @cached_property
    def plan(self) -> Plan:
        return Plan(self.study, waves=self.waves)

    def decode_commit(self, name: str, content: bytes) -> Commit:
        """Return the commit in a file."""
        commit = decode_commit(content, self.files.where(name), self.study)
        starts = (self.study.n_cells * n_seeds for n_seeds in accumulate(self.waves))
        if any(commit.start < start < commit.stop for start in starts):
            raise DamageError(self.files.where(name), "its runs belong to two waves in run.json")
        return commit

    def content(self, commit: Commit) -> bytes:
        """Return the content of a part's file."""
        return self._content(f"parts/{commit.file}", commit.sha256)

    def _table(self, name: str, columns: list[Column], sha256: str, most_rows: int) -> pa.Table:
        return decode_table(self._content(name, sha256), columns, self.files.where(name), most_rows)

    def _content(self, name: str, sha256: str) -> bytes:
        try:
            content = self.files.read(name)
        except StoreError:
            if self.files.has(name):
                raise
            raise DamageError(self.files.where(name), "it is missing") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DamageError(self.files.where(name), "its SHA-256 differs from the one recorded when it was written")
        return content
