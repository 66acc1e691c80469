"""What of a results folder is ours, and how it is removed."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from sweep.errors import StoreError
from sweep.store.commits import COMMIT_NAME, PART_NAME, cover, decode_commit
from sweep.store.files import Files
from sweep.store.records import encode_record
from sweep.store.run_facts import read_facts
from sweep.study.model import Study

# Drafts of files, in whichever folder, also as earlier versions named those of commits.
_DRAFT_NAME = re.compile(r"\..+\.[0-9a-f]{8}|[0-9]{7,}-[0-9a-f]{8}\.json")
# Everything that a results folder of ours may hold. Nothing else is ever removed.
FOLDERS = {"commits": (COMMIT_NAME, _DRAFT_NAME), "parts": (PART_NAME, _DRAFT_NAME)}
# What is made of results and would be false of others: figures by their statistic or kind, and the report.
_STATISTIC = (
    r"(convergence_rate|steps_q(25|50|75)|(expected|restart|restarted|restricted_mean)_steps"
    r"|n_(converged|diverged|stalled|exhausted)|(final_loss|max_error)_q(25|50|75)|n_correct_mean)"
)
_KIND = r"(heatmap|slice|contour|parallel|importance|incidence|ecdf|profile|steps|loss)"
_FIGURE_NAME = re.compile(rf"({_STATISTIC}|{_KIND}(_{_STATISTIC})?)\.png|report\.html")
FILES = ("run.json", "cells.parquet", "study.toml")
_TOP_DRAFT_NAME = re.compile(rf"\.(run\.json|cells\.parquet|study\.toml|{_FIGURE_NAME.pattern})\.[0-9a-f]{{8}}")


def holds_results(files: Files) -> bool:
    """Tell whether a folder is of our making, whatever is left in it.

    On a file system both folders are made first and removed never; in an object store run.json is.
    """
    if all(files.has_folder(name) for name in FOLDERS):
        return True
    present = [files.has(name) for name in ("study.toml", "run.json")]
    if all(present) or (present[0] and files.has_folder("commits")):
        return True
    return present[1] and not files.on_file_system and _recorded(files) is not None


def remove_results(files: Files) -> None:
    """Remove the results in a folder and nothing else, also where that was begun and never ended.

    Readers need a run.json that is complete, so that goes first; what says that all this is ours stays.
    """
    for folder in FOLDERS:
        files.make_folder(folder)
    if files.on_file_system:
        files.remove("run.json")
    else:
        facts = _recorded(files) or {"identity": "", "keep": "runs"}
        files.replace("run.json", encode_record({**facts, "complete": False}))
    files.settle()
    for folder in (*FOLDERS, "commits"):  # again, as where nothing locks one may have come before its part was removed
        files.remove(*fitting(files, folder, *FOLDERS[folder]))
        files.settle(folder)
    files.remove(*fitting(files, "", _TOP_DRAFT_NAME, _FIGURE_NAME), "cells.parquet")
    files.remove("study.toml")
    files.settle()


def _recorded(files: Files) -> dict[str, Any] | None:
    """Return what run.json holds, if it is one of ours."""
    try:
        return read_facts(files)
    except StoreError:
        return None


def find_leftovers(files: Files, counted: Collection[str]) -> list[str]:
    """Return drafts, and parts that are not among those that count: killed processes, or living ones, left them."""
    left = [name for folder in FOLDERS for name in fitting(files, folder, _DRAFT_NAME)]
    left += fitting(files, "", _TOP_DRAFT_NAME)
    return left + [name for name in fitting(files, "parts", PART_NAME) if name.removeprefix("parts/") not in counted]


def collect_leftovers(files: Files, study: Study) -> None:
    """Remove what killed processes left, where nobody else is in the folder.

    A part without a commit stays in a finished result that has lost commits: it may be what was committed.
    """
    commits, parts = fitting(files, "commits", COMMIT_NAME), fitting(files, "parts", PART_NAME)
    counted = {name.removeprefix("parts/") for name in parts}
    if len(parts) > len(commits):  # else commits, which may be many, need not be read
        try:
            read = [decode_commit(files.read(name), files.where(name), study, study.identity) for name in commits]
        except StoreError:
            return  # whoever needs that commit will say so
        if read_facts(files)["complete"] and not cover(sorted(read, key=lambda commit: commit.start), study.n_runs):
            return
        counted = {commit.part for commit in read}
    for name in find_leftovers(files, counted):
        with suppress(StoreError):
            files.remove(name)


def fitting(files: Files, folder: str, *patterns: re.Pattern[str]) -> list[str]:
    """Return what has a name of ours in a folder, with the folder before it."""
    names = [name for name in files.names(folder) if any(pattern.fullmatch(name) for pattern in patterns)]
    return [f"{folder}/{name}" for name in names] if folder else names
