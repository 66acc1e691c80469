"""The files that describe a results folder: study.toml, and run.json, which names the format of all files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from time import time
from typing import Any, NamedTuple

from sweep.errors import DamageError, StoreError, StudyError
from sweep.store.commits import Commit, check_kinds, decode_record
from sweep.store.files import Files
from sweep.study.load import parse_study
from sweep.study.model import Study

# The format of results folders. Raise it by 1 with every change that earlier versions cannot read.
FORMAT = 1

# When run.json must have a key: always, once the study is complete, or never.
ALWAYS, COMPLETE, SOMETIMES = range(3)


class Fact(NamedTuple):
    """A key of run.json that readers check."""

    kinds: tuple[type, ...]
    required: int  # one of these numbers
    meaning: str


FACTS = {
    "format": Fact((int,), ALWAYS, "number of the format of the folder"),
    "identity": Fact((str,), ALWAYS, "SHA-256 of the canonical study"),
    "keep": Fact((str,), ALWAYS, "what parts hold: runs or cells"),
    "waves": Fact((list,), ALWAYS, "seeds of each cell in each wave of parts"),
    "complete": Fact((bool,), ALWAYS, "whether all runs are trained"),
    "numerics_version": Fact((int,), ALWAYS, "raised by each change of the bits of results"),
    "log_digest": Fact((str,), ALWAYS, "digest of the logarithm of the C library, on which normal starts depend"),
    "pcg64_digest": Fact((str,), ALWAYS, "digest of its log1p and exp, on which normal starts of pcg64 depend"),
    "sources_digest": Fact((str,), ALWAYS, "digest of the sources of the kernels"),
    "name": Fact((str,), COMPLETE, "name of the study"),
    "n_cells": Fact((int,), COMPLETE, "cells"),
    "n_runs": Fact((int,), COMPLETE, "runs"),
    "net_steps": Fact((int,), COMPLETE, "updates of all runs"),
    "reused_steps": Fact((int,), COMPLETE, "those of runs taken from earlier results"),
    "kernel_seconds": Fact((float,), COMPLETE, "seconds in which at least one thread trained"),
    "lane_occupancy": Fact((float, type(None)), COMPLETE, "updates of runs per update of a lane"),
    "cpu": Fact((str,), COMPLETE, "processor of the process that finished"),
    "digest": Fact((str, type(None)), COMPLETE, "SHA-256 of all rows in run order"),
    "cells_sha256": Fact((str,), COMPLETE, "SHA-256 of cells.parquet"),
    "curves_sha256": Fact((str,), SOMETIMES, "SHA-256 of curves.parquet, if curves are recorded"),
    "finished": Fact((str,), SOMETIMES, "when the study was completed, in UTC"),
}


class FormatError(StoreError):
    """A results folder has a later format than this version can read."""


def read_study(files: Files) -> Study:
    """Return the study in a results folder."""
    content, where = files.read("study.toml"), files.where("study.toml")
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
    required = COMPLETE if facts.get("complete") else ALWAYS
    check_kinds(where, facts, {name: f.kinds for name, f in FACTS.items() if f.required <= required or name in facts})
    if facts["keep"] not in ("runs", "cells"):
        raise DamageError(where, f"'keep' must be 'runs' or 'cells', got {facts['keep']!r:.50}")
    if "finished" in facts:
        try:
            datetime.fromisoformat(facts["finished"])
        except ValueError:
            raise DamageError(where, f"'finished' must be a date, got {facts['finished']!r:.50}") from None
    return facts


def check_format(facts: dict[str, Any], files: Files) -> None:
    """Refuse facts of a later format."""
    where = files.where("run.json")
    check_kinds(where, facts, {"format": (int,)})
    if facts["format"] > FORMAT:
        raise FormatError(
            f"{files.place!r} has format {facts['format']}, but this version reads format {FORMAT}; "
            "install a newer xor-sweep"
        )
    if facts["format"] < 1:
        raise DamageError(where, f"'format' must be at least 1, got {facts['format']}")


def refuse_later_format(files: Files) -> None:
    """Refuse a folder of a later format, but not one whose run.json is missing or damaged."""
    try:
        read_facts(files)
    except FormatError:
        raise
    except StoreError:
        pass


def waves_of(facts: dict[str, Any], study: Study, where: str) -> tuple[int, ...]:
    """Return the number of seeds of a cell in each wave, from the facts of the run.json at ``where``."""
    waves = facts["waves"]
    if any(type(n) is not int or n < 1 for n in waves) or sum(waves) != study.seeds.count:
        raise DamageError(where, f"'waves' must add up to {study.seeds.count} seeds, got {waves!r:.50}")
    return tuple(waves)


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
