"""Which files of a results folder are ours, and how they are removed."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from sweep.errors import StoreError
from sweep.store.commits import COMMIT_NAME, PART_NAME, cover, decode_commit, encode_record
from sweep.store.files import Files
from sweep.store.run_facts import read_facts
from sweep.study.model import Study

# Names of drafts in any folder.
_DRAFT_NAME = re.compile(r"\..+\.[0-9a-f]{8}")
# Everything that a results folder of ours may hold, with its meaning. Nothing else is ever removed.
FOLDERS = {"commits": (COMMIT_NAME, _DRAFT_NAME), "parts": (PART_NAME, _DRAFT_NAME)}
FILES = {
    "study.toml": "The study in canonical form: all defaults, values and patterns, large ones packed. Custom "
    "components by name, settings and SHA-256 of their source, without code.",
    "run.json": "The facts below, and machine, versions, threads and seconds.",
    "cells.parquet": "One row per cell: counts, rates with intervals, quantiles of steps.",
    "curves.parquet": "One row per point of recorded learning curves.",
}
# Files derived from results, which would be wrong for other results: the report, and those figures that have their own
# name as a title in the file.
_REPORT = "report.html"
_FIGURE_NAME = re.compile(r"(\w+)\.png")
_OWN_NAME = "|".join(map(re.escape, (*FILES, _REPORT)))
_TOP_DRAFT_NAME = re.compile(rf"\.({_OWN_NAME}|{_FIGURE_NAME.pattern})\.[0-9a-f]{{8}}")
# The title of a PNG file is among its first bytes.
_TITLE_BYTES = 1000


def holds_results(files: Files) -> bool:
    """Return whether this program created a folder, whatever is left in it.

    On a file system, both subfolders are created first and never removed; in an object store, run.json is.
    """
    if all(files.has_folder(name) for name in FOLDERS):
        return True
    present = [files.has(name) for name in ("study.toml", "run.json")]
    if all(present) or (present[0] and files.has_folder("commits")):
        return True
    return present[1] and not files.on_file_system and _recorded(files) is not None


def remove_results(files: Files, begun: dict[str, Any]) -> None:
    """Remove the results in a folder and nothing else, also after an interrupted removal.

    Readers need a complete run.json, so it is removed first. The marks that show that the folder is ours stay:
    ``begun``, facts of an unfinished study, mark an object store as ours if its run.json is damaged.
    """
    for folder in FOLDERS:
        files.make_folder(folder)
    if files.on_file_system:
        files.remove("run.json")
    else:
        facts = _recorded(files) or begun
        files.replace("run.json", encode_record({**facts, "complete": False}))
    files.settle()
    for folder in (*FOLDERS, "commits"):  # again: without locks a commit may appear before its part is removed
        files.remove(*fitting(files, folder, *FOLDERS[folder]))
        files.settle(folder)
    files.remove(*fitting(files, "", _TOP_DRAFT_NAME), *_figures(files), _REPORT, "cells.parquet", "curves.parquet")
    files.remove("study.toml")
    files.settle()


def figure_title(name: str) -> str:
    """Return the title in a figure that the program writes as ``name``, by which it knows the file again."""
    return f"{name} of xor-sweep"


def _figures(files: Files) -> list[str]:
    """Return the figures that the program has written. Other files have no such title."""
    found = []
    for name in fitting(files, "", _FIGURE_NAME):
        title = figure_title(name.removesuffix(".png")).encode()
        with suppress(StoreError):  # a folder of this name, for example
            if title in files.read(name)[:_TITLE_BYTES]:
                found.append(name)
    return found


def _recorded(files: Files) -> dict[str, Any] | None:
    """Return the contents of run.json, if it is one of ours."""
    try:
        return read_facts(files)
    except StoreError:
        return None


def find_leftovers(files: Files, counted: Collection[str]) -> list[str]:
    """Return drafts and parts without a commit, left by killed processes or in use by running ones."""
    left = [name for folder in FOLDERS for name in fitting(files, folder, _DRAFT_NAME)]
    left += fitting(files, "", _TOP_DRAFT_NAME)
    return left + [name for name in fitting(files, "parts", PART_NAME) if name.removeprefix("parts/") not in counted]


def collect_leftovers(files: Files, study: Study) -> None:
    """Remove the leftovers of killed processes while no other process uses the folder.

    If a finished result has lost commits, parts without a commit stay, since they may be the committed ones.
    """
    commits, parts = fitting(files, "commits", COMMIT_NAME), fitting(files, "parts", PART_NAME)
    counted = {name.removeprefix("parts/") for name in parts}
    if len(parts) > len(commits):  # otherwise there is no need to read the commits, which may be many
        try:
            read = [decode_commit(files.read(name), files.where(name), study) for name in commits]
        except StoreError:
            return  # a reader of this commit reports it
        if read_facts(files)["complete"] and not cover(sorted(read, key=lambda commit: commit.start), study.n_runs):
            return
        counted = {commit.file for commit in read}
    for name in find_leftovers(files, counted):
        with suppress(StoreError):
            files.remove(name)


def fitting(files: Files, folder: str, *patterns: re.Pattern[str]) -> list[str]:
    """Return the paths of files in a folder whose names fit a pattern."""
    names = [name for name in files.names(folder) if any(pattern.fullmatch(name) for pattern in patterns)]
    return [f"{folder}/{name}" for name in names] if folder else names
