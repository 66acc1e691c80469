"""The files that describe a results folder: study.toml and run.json."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from time import time
from typing import Any

from sweep.errors import DamageError, StudyError
from sweep.store.commits import Commit
from sweep.store.files import Files
from sweep.store.records import check_kinds, decode_record
from sweep.study.load import parse_study
from sweep.study.model import Study

# Required keys of run.json, and those of a complete study.
_FACTS: dict[str, tuple[type, ...]] = {"identity": (str,), "keep": (str,), "complete": (bool,)}
_COMPLETE_FACTS: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "n_cells": (int,),
    "n_runs": (int,),
    "net_steps": (int,),
    "reused_steps": (int,),
    "kernel_seconds": (float,),
    "lane_occupancy": (float, type(None)),
    "cpu": (str,),
    "digest": (str, type(None)),
    "cells_sha256": (str,),
}
# Optional keys: older versions did not write all of them.
_SOME_FACTS: dict[str, tuple[type, ...]] = {
    "numerics": (int, type(None)),
    "log_digest": (str, type(None)),
    "sources_digest": (str, type(None)),
    "pcg64_digest": (str, type(None)),
    "curves_sha256": (str,),
    "finished": (str,),
    "waves": (list,),
}


def read_study(files: Files) -> Study:
    """Return the study in a results folder.

    Raises
    ------
    StoreError
        If study.toml cannot be read or is damaged.
    """
    content, where = files.read("study.toml"), files.where("study.toml")
    try:
        return parse_study(content.decode(), where)
    except UnicodeDecodeError:
        raise DamageError(where, "it is not a text file in UTF-8") from None
    except StudyError as error:
        raise DamageError(where, str(error).replace("\n", "; ")) from None


def read_facts(files: Files) -> dict[str, Any]:
    """Return the facts in the run.json of a results folder.

    Raises
    ------
    StoreError
        If it cannot be read or is damaged.
    """
    where = files.where("run.json")
    facts = {"reused_steps": 0} | decode_record(files.read("run.json"), where)  # older versions did not record it
    check_kinds(where, facts, _FACTS | {name: kinds for name, kinds in _SOME_FACTS.items() if name in facts})
    if facts["keep"] not in ("runs", "cells"):
        raise DamageError(where, f"its 'keep' is {facts['keep']!r:.50}")
    if facts["complete"]:
        check_kinds(where, facts, _COMPLETE_FACTS)
    if "finished" in facts:
        try:
            datetime.fromisoformat(facts["finished"])
        except ValueError:
            raise DamageError(where, f"its 'finished' is {facts['finished']!r:.50} and must be a date") from None
    return facts


def waves_of(facts: dict[str, Any], study: Study, where: str) -> tuple[int, ...]:
    """Return the number of seeds of a cell in each wave of a begun study; older versions trained one wave.

    Parameters
    ----------
    facts
        Facts of run.json.
    study
        The study in the folder.
    where
        Path of run.json, for errors.

    Returns
    -------
    tuple of int
        Number of seeds of a cell in each wave.

    Raises
    ------
    DamageError
        If they do not add up to the seeds of the study.
    """
    waves = facts.get("waves", study.seeds.rounds)
    if any(type(n) is not int or n < 1 for n in waves) or sum(waves) != study.seeds.count:
        raise DamageError(where, f"its 'waves' are {waves!r:.50}; they must add up to {study.seeds.count} seeds")
    return tuple(waves)


def totals(study: Study, keep: str, commits: list[Commit]) -> dict[str, Any]:
    """Return the facts that follow from commits.

    Parameters
    ----------
    study
        The study.
    keep
        ``"runs"`` or ``"cells"``.
    commits
        Commits of the result.

    Returns
    -------
    dict
        Facts for run.json: runs, steps, and seconds over all sessions.
    """
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
        # In which at least one thread trained; none trains while all wait for a kernel to compile.
        "kernel_seconds": sum(
            _seconds_within([(commit.begin, commit.end) for commit in session]) for session in _sessions(commits)
        ),
    }


def ended(commits: list[Commit], start: float) -> dict[str, Any]:
    """Return the facts about the end of a study, of whose calls the last one began at ``start``.

    Of the others the seconds from their first part to their last count, since one that is cut short records no more.
    """
    spans = [
        (min(commit.begin for commit in session), max(commit.end for commit in session))
        for session in _sessions(commits)
    ]
    seconds = _seconds_within([*spans, (start, time())])
    return {"wall_seconds": seconds, "finished": datetime.now(UTC).isoformat(timespec="seconds")}


def _sessions(commits: list[Commit]) -> Iterable[list[Commit]]:
    """Return the commits of each call."""
    sessions: dict[str, list[Commit]] = {}
    for commit in commits:
        sessions.setdefault(commit.session, []).append(commit)
    return sessions.values()


def _seconds_within(spans: list[tuple[float, float]]) -> float:
    """Return the seconds that lie in some span, counted once."""
    seconds, until = 0.0, 0.0
    for begin, end in sorted(spans):
        seconds += max(end - max(begin, until), 0.0)
        until = max(until, end)
    return seconds
