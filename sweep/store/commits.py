"""Commits: small files in a results folder, each of which names the valid file of a part; all are checked when read."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from operator import ge
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol

from kernels.floating_point import default_floating_point
from sweep.errors import DamageError, StoreError
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store.bits import Bits
from sweep.study.model import Study

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def encode_record(facts: Mapping[str, Any]) -> bytes:
    """Encode facts together with their own hash."""
    return (json.dumps({**facts, "check": _check(facts)}, indent=2) + "\n").encode()


@default_floating_point  # Python's parser of floats depends on it
def decode_record(content: bytes, where: str) -> dict[str, Any]:
    """Return the facts of a record, after checking its hash."""
    try:
        facts = json.loads(content)
        check = facts.pop("check")
        expected = _check(facts)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise DamageError(where, "it is not the JSON file that was written") from None
    if check != expected:
        raise DamageError(where, "its content does not match its 'check'")
    return dict(facts)


def check_names(
    facts: Collection[str], where: str, required: Iterable[str], known: Collection[str] | None = None
) -> None:
    """Refuse a record that lacks a required name, or has a name that is not ``known``; with None it may have any."""
    faults = [f"it has no {name!r}" for name in required if name not in facts]
    if known is not None:
        faults += [f"it has an unknown key {name!r}" for name in facts if name not in known]
    if faults:
        raise DamageError(where, f"{faults[0]}; another version wrote it, or it is another file")


def _check(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


# Names that only our own files have: commits and parts.
COMMIT_NAME = re.compile(r"[0-9]{7,}\.json")
PART_NAME = re.compile(r"[0-9]{7,}-[0-9a-f]{8}\.parquet")


class TrainedPart(Protocol):
    """The outcome of the runs of a part, as training hands it to a store."""

    @property
    def part(self) -> Part:
        """The part."""

    @property
    def n_runs(self) -> int:
        """Number of its runs."""

    @property
    def net_steps(self) -> int:
        """Steps of the runs."""

    @property
    def lane_steps(self) -> int:
        """Steps executed by SIMD lanes."""

    @property
    def reused_steps(self) -> int:
        """Steps of runs that were taken from earlier results."""

    def rows(self, names: list[str] | None = None) -> pa.Table:
        """Return a row for each run, with all columns or those named."""

    def counts(self) -> pa.Table:
        """Return the counts of the runs, as they are stored where rows are not kept."""

    def tally(self) -> pd.DataFrame:
        """Count the runs by cell, status and steps."""


@dataclass(frozen=True)
class Commit:
    """The record of a finished part, with the facts of :class:`~sweep.store.bits.Bits`."""

    study: str  # identity of the study
    # Number of the part and its visiting positions
    part: int
    start: int
    stop: int
    # Name of the file with its rows, and the hash of that file
    file: str
    sha256: str
    # Steps of its runs, and steps executed by SIMD lanes
    net_steps: int
    lane_steps: int
    # The call that trained it, and when, in seconds since 1970
    session: str
    begin: float
    end: float
    reused_steps: int  # steps of runs taken from earlier results
    numerics_version: int
    log_digest: str
    sources_digest: str
    pcg64_digest: str
    trained: int | None = None  # number of its runs, if fewer than its positions because some cells need no more seeds

    @property
    def n_runs(self) -> int:
        """Number of runs in the part."""
        return self.stop - self.start if self.trained is None else self.trained

    @property
    def trained_steps(self) -> int:
        """Steps of the runs that were trained for it, without reused runs."""
        return self.net_steps - self.reused_steps

    @classmethod
    def of(cls, result: TrainedPart, study: str, **facts: Any) -> Commit:
        """Return the commit of a trained part."""
        part = result.part
        facts |= {"net_steps": result.net_steps, "lane_steps": result.lane_steps, "reused_steps": result.reused_steps}
        facts["end"] = max(facts["begin"], facts["end"])  # the clock may have been set back meanwhile
        if result.n_runs != part.n_runs:
            facts["trained"] = result.n_runs
        return cls(study, part.index, part.start, part.stop, **facts)

    def as_part(self) -> Part:
        """Return the committed part, with all of its cells."""
        return Part(self.part, self.start, self.stop)

    def encode(self) -> bytes:
        """Return the content of its file."""
        return encode_record({name: fact for name, fact in asdict(self).items() if fact is not None})

    def check(self, identity: str, part: Part | None) -> None:
        """Refuse a commit of another study, or of other runs than the planned part; None if no part has its number."""
        if self.study != identity:
            raise StoreError(f"the commit of part {self.part} is of another study; start over with --overwrite")
        if part is None or (self.part, self.start, self.stop) != (part.index, part.start, part.stop):
            raise StoreError(
                f"part {self.part} holds other runs than this version of xor-sweep plans; "
                "finish with the version that started it, or start over with --overwrite"
            )


_NAMES = [field.name for field in fields(Commit)]


def check_planned(commit: Commit, plan: Plan) -> None:
    """Refuse a commit of another study, or of other runs than this plan has in its part."""
    commit.check(plan.study.identity, plan.part(commit.part) if commit.part < plan.n_parts else None)


def commit_name(part: int) -> str:
    """Return the name of the file that commits a part."""
    return f"{part:07d}.json"


def cover(commits: Sequence[Commit], n_runs: int | None) -> bool:
    """Tell whether ordered commits hold each run once, ``n_runs`` in all; with None some runs may be missing."""
    ends = [0, *(commit.stop for commit in commits)]
    starts = [*(commit.start for commit in commits), ends[-1] if n_runs is None else n_runs]
    return starts == ends if n_runs is not None else all(map(ge, starts, ends))


def decode_commit(content: bytes, where: str, study: Study) -> Commit:
    """Decode a commit file, whose name must be that of the part, and check it; ``where`` is its path, for errors."""
    facts = decode_record(content, where)
    check_names(facts, where, [name for name in _NAMES if name != "trained"], _NAMES)
    for name in ("study", "log_digest", "sources_digest", "pcg64_digest"):  # equal in many commits: hold each once
        facts[name] = sys.intern(facts[name])
    commit = Commit(**facts)
    if commit.study != study.identity:
        raise StoreError(f"{where!r} is of another study; start over with --overwrite")
    if PurePath(where).name != commit_name(commit.part):
        raise DamageError(where, f"it is the commit of part {commit.part}")
    if not commit.start < commit.stop <= study.n_runs:
        raise DamageError(where, f"it names runs {commit.start} to {commit.stop}, but the study has {study.n_runs}")
    if not PART_NAME.fullmatch(commit.file) or not commit.file.startswith(f"{commit.part:07d}-"):
        raise DamageError(where, f"'file' must name a file of its part, got {commit.file!r:.80}")
    return commit


class MixtureError(StoreError):
    """A results folder holds rows of two different trainings."""


def foreign_commits(commits: Iterable[Commit], study: Study, bits: Bits, whose: str) -> Iterator[tuple[Commit, str]]:
    """Yield each commit whose rows were trained with other facts than ``bits`` in ``whose``, and a clause on them."""
    for commit in commits:
        difference = bits.difference(Bits.of(vars(commit)), study)
        if difference:
            yield commit, difference.clause(f"in {whose}", f"in the commit of part {commit.part}")
