"""The files that describe a results folder: study.toml, and run.json, which names the format of all files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from time import time
from typing import Any

from sweep.errors import DamageError, StoreError, StudyError
from sweep.store.commits import Commit, check_names, decode_record
from sweep.store.files import Files
from sweep.study.load import parse_study
from sweep.study.model import Study

# The format of results folders. Raise it by 1 with every change that earlier versions cannot read.
FORMAT = 1

# When run.json has a key.
_ALWAYS, _COMPLETE, _SOMETIMES = "always", "once complete", "if known"

# Keys of run.json that readers use: when it has them, and their meaning.
FACTS = {
    "format": (_ALWAYS, "number of the format of the folder"),
    "identity": (_ALWAYS, "SHA-256 of the canonical study"),
    "keep": (_ALWAYS, "what parts hold: runs or cells"),
    "waves": (_ALWAYS, "seeds of each cell in each wave of parts"),
    "complete": (_ALWAYS, "whether all runs are trained"),
    "numerics_version": (_ALWAYS, "raised by each change of the bits of results"),
    "log_digest": (_ALWAYS, "digest of the logarithm of the C library, on which normal starts depend"),
    "pcg64_digest": (_ALWAYS, "digest of its log1p and exp, on which normal starts of pcg64 depend"),
    "sources_digest": (_ALWAYS, "digest of the sources of the kernels"),
    "name": (_COMPLETE, "name of the study"),
    "n_cells": (_COMPLETE, "cells"),
    "n_runs": (_COMPLETE, "runs"),
    "net_steps": (_COMPLETE, "updates of all runs"),
    "reused_steps": (_COMPLETE, "those of runs taken from earlier results"),
    "kernel_seconds": (_COMPLETE, "seconds in which at least one thread trained"),
    "lane_occupancy": (_COMPLETE, "updates of runs per update of a lane"),
    "cpu": (_COMPLETE, "processor of the process that finished"),
    "digest": (_COMPLETE, "SHA-256 of all rows in run order"),
    "cells_sha256": (_COMPLETE, "SHA-256 of cells.parquet"),
    "curves_sha256": (_SOMETIMES, "SHA-256 of curves.parquet, if curves are recorded"),
    "finished": (_SOMETIMES, "when the study was completed, in UTC"),
}


class FormatError(StoreError):
    """A results folder has a later format than this version can read."""


def read_study(files: Files) -> Study:
    """Return the study in a results folder."""
    return _study(files.read("study.toml"), files.where("study.toml"))


def read_identity(files: Files) -> str:
    """Return the identity of the study in a results folder, which a run checks several times."""
    return _identity(files.read("study.toml"), files.where("study.toml"))


@lru_cache(1)
def _identity(content: bytes, where: str) -> str:
    return _study(content, where).identity


def _study(content: bytes, where: str) -> Study:
    try:
        return parse_study(content.decode(), where)
    except UnicodeDecodeError:
        raise DamageError(where, "it is not a text file in UTF-8") from None
    except StudyError as error:
        raise DamageError(where, str(error).replace("\n", "; ")) from None


def read_facts(files: Files) -> dict[str, Any]:
    """Return the facts in the run.json of a results folder."""
    where = files.where("run.json")
    facts = decode_record(files.read("run.json"), where)
    check_format(facts, files)
    present = (_ALWAYS, _COMPLETE) if facts.get("complete") else (_ALWAYS,)
    check_names(facts, where, [name for name, (when, _) in FACTS.items() if when in present])
    return facts


def waves_of(facts: dict[str, Any], study: Study, where: str) -> tuple[int, ...]:
    """Return the seeds of a cell in each wave, after a check that they are those of this study."""
    waves = tuple(facts["waves"])
    if min(waves, default=0) < 1 or sum(waves) != study.seeds.count:
        raise DamageError(where, f"'waves' must be positive and add up to {study.seeds.count} seeds, got {list(waves)}")
    return waves


def check_format(facts: dict[str, Any], files: Files) -> None:
    """Refuse facts of a later format, which may have other names."""
    if facts.get("format", FORMAT) > FORMAT:
        raise FormatError(
            f"{files.place!r} has format {facts['format']}, but this version reads format {FORMAT}; "
            "install a newer xor-sweep"
        )


def refuse_later_format(files: Files) -> None:
    """Refuse a folder of a later format, but not one whose run.json is missing or damaged."""
    try:
        read_facts(files)
    except FormatError:
        raise
    except StoreError:
        pass


def totals(study: Study, keep: str, commits: list[Commit]) -> dict[str, Any]:
    """Return the facts of run.json that follow from commits: runs, steps, and seconds over all sessions."""
    net_steps = sum(commit.net_steps for commit in commits)
    lane_steps = sum(commit.lane_steps for commit in commits)
    return {
        "name": study.name,
        "identity": study.identity,
        "keep": keep,
        "n_cells": study.n_cells,
        "n_runs": sum(commit.n_runs for commit in commits),
        "net_steps": net_steps,
        "reused_steps": sum(commit.reused_steps for commit in commits),
        "lane_occupancy": net_steps / lane_steps if lane_steps else None,
        # Seconds in which at least one thread trained; none trains while all wait for a kernel to compile.
        "kernel_seconds": sum(
            _seconds_within([(commit.begin, commit.end) for commit in session]) for session in _sessions(commits)
        ),
    }


def ended(commits: list[Commit], start: float) -> dict[str, Any]:
    """Return the facts about the end of a study, whose last call began at ``start``."""
    spans = [  # of earlier calls from their first part to their last, since an interrupted call records no more
        (min(commit.begin for commit in session), max(commit.end for commit in session))
        for session in _sessions(commits)
    ]
    seconds = _seconds_within([*spans, (start, time())])
    return {"wall_seconds": seconds, "finished": datetime.now(UTC).isoformat(timespec="seconds")}


def _sessions(commits: list[Commit]) -> Iterable[list[Commit]]:
    sessions: dict[str, list[Commit]] = {}
    for commit in commits:
        sessions.setdefault(commit.session, []).append(commit)
    return sessions.values()


def _seconds_within(spans: list[tuple[float, float]]) -> float:
    """Return the seconds that lie in at least one span."""
    seconds = 0.0
    until = 0.0
    for begin, end in sorted(spans):
        seconds += max(end - max(begin, until), 0.0)
        until = max(until, end)
    return seconds
