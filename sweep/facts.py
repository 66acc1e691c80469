"""What a results folder says of itself: study.toml and run.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sweep.commits import Commit
from sweep.durable import check_kinds, read_file, read_json
from sweep.errors import StoreError, StudyError
from sweep.load import load_study
from sweep.study import Study

# What run.json holds at least, and once the study is complete.
_FACTS: dict[str, tuple[type, ...]] = {"identity": (str,), "keep": (str,), "complete": (bool,)}
_COMPLETE_FACTS: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "n_cells": (int,),
    "n_runs": (int,),
    "net_steps": (int,),
    "kernel_seconds": (float,),
    "lane_occupancy": (float, type(None)),
    "cpu": (str,),
    "digest": (str, type(None)),
    "cells_sha256": (str,),
}


def read_study(directory: Path) -> Study:
    """Return the study that a results folder holds.

    Raises
    ------
    StoreError
        If study.toml cannot be read or is damaged.
    """
    path = directory / "study.toml"
    read_file(path)  # nothing but a file is read below
    try:
        return load_study(path)
    except StudyError as error:
        raise StoreError(f"{str(path)!r} is damaged: {error}") from None


def read_facts(directory: Path) -> dict[str, Any]:
    """Return what the run.json of a results folder holds.

    Raises
    ------
    StoreError
        If it cannot be read or is damaged.
    """
    path = directory / "run.json"
    facts = read_json(path)
    check_kinds(path, facts, _FACTS)
    if facts["keep"] not in ("runs", "cells"):
        raise StoreError(f"{str(path)!r} is damaged: its 'keep' is {facts['keep']!r:.50}")
    if facts["complete"]:
        check_kinds(path, facts, _COMPLETE_FACTS)
    return facts


def totals(study: Study, keep: str, commits: list[Commit]) -> dict[str, Any]:
    """Return the facts that follow from commits: the runs, and their steps and seconds over all sessions."""
    net_steps = sum(commit.net_steps for commit in commits)
    lane_steps = sum(commit.lane_steps for commit in commits)
    sessions: dict[str, list[Commit]] = {}
    for commit in commits:
        sessions.setdefault(commit.session, []).append(commit)
    return {
        "name": study.name,
        "identity": study.identity,
        "keep": keep,
        "n_cells": study.n_cells,
        "n_runs": sum(commit.stop - commit.start for commit in commits),
        "net_steps": net_steps,
        "lane_occupancy": net_steps / lane_steps if lane_steps else None,
        "kernel_seconds": sum(_seconds_trained(session) for session in sessions.values()),
    }


def _seconds_trained(commits: list[Commit]) -> float:
    """Return for how many seconds at least one thread trained: none does while all wait for a kernel to be compiled."""
    seconds, until = 0.0, 0.0
    for commit in sorted(commits, key=lambda commit: commit.begin):
        seconds += max(commit.end - max(commit.begin, until), 0.0)
        until = max(until, commit.end)
    return seconds
