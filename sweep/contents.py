"""What of a results folder is ours, and how it is removed."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from sweep.commits import COMMIT_NAME, PART_DRAFT_NAME, PART_NAME, read_commit
from sweep.durable import sync_folder
from sweep.errors import StoreError
from sweep.study import Study

# Everything that a results folder of ours may hold. Nothing else is ever removed.
FOLDERS = {"commits": (COMMIT_NAME,), "parts": (PART_NAME, PART_DRAFT_NAME)}
_DRAFT_NAME = re.compile(r"\.(run\.json|cells\.parquet|study\.toml)\.[0-9a-f]{8}")
# What is made of results and would be false of others: figures by their statistic or kind, and the report.
_STATISTIC = r"(convergence_rate|steps_q(25|50|75)|(expected|restart|restarted|restricted_mean)_steps|n_[a-z]+)"
_KIND = r"(heatmap|slice|contour|parallel|importance|incidence|steps|loss)"
_FIGURE_NAME = re.compile(rf"({_STATISTIC}|{_KIND}(_{_STATISTIC})?)\.png|report\.html")
FILES = ("run.json", "cells.parquet", "study.toml")


def holds_results(directory: Path) -> bool:
    """Tell whether a folder is of our making, whatever is left in it: both folders are made first and removed never."""
    if all((directory / name).is_dir() for name in FOLDERS):
        return True
    present = [os.path.lexists(directory / name) for name in ("study.toml", "run.json")]
    return all(present) or (present[0] and (directory / "commits").is_dir())


def remove_results(directory: Path) -> None:
    """Remove the results in a folder and nothing else, also where that was begun and never ended.

    Readers need run.json, so it goes first; what says that all this is ours goes last.
    """
    for folder in FOLDERS:
        (directory / folder).mkdir(exist_ok=True)
    (directory / "run.json").unlink(missing_ok=True)
    sync_folder(directory)
    for folder, patterns in FOLDERS.items():
        for path in fitting(directory / folder, *patterns):
            path.unlink(missing_ok=True)
        sync_folder(directory / folder)
    for path in fitting(directory, _DRAFT_NAME, _FIGURE_NAME):
        path.unlink(missing_ok=True)
    for name in ("cells.parquet", "study.toml"):
        (directory / name).unlink(missing_ok=True)
    sync_folder(directory)


def collect_leftovers(directory: Path, study: Study) -> None:
    """Remove drafts, and parts that no commit names: killed processes left them, as nobody else is here."""
    drafts = [*fitting(directory, _DRAFT_NAME), *fitting(directory / "parts", PART_DRAFT_NAME)]
    parts, commits = fitting(directory / "parts", PART_NAME), fitting(directory / "commits", COMMIT_NAME)
    if len(parts) > len(commits):
        try:
            counted = {read_commit(path, study, study.identity).part for path in commits}
        except StoreError:
            return  # whoever needs that commit will say so
        drafts += [path for path in parts if path.name not in counted]
    for path in drafts:
        with suppress(OSError):
            path.unlink()


def fitting(folder: Path, *patterns: re.Pattern[str]) -> list[Path]:
    """Return what has a name of ours in a folder; nothing if there is no folder."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [folder / name for name in names if any(pattern.fullmatch(name) for pattern in patterns)]
