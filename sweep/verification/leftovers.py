"""Files without a commit in a results folder, and which of them are safe to remove."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePath

from sweep.errors import StoreError
from sweep.store.commits import PART_NAME, Commit, commit_name
from sweep.store.contents import find_leftovers
from sweep.store.reader import StoreReader

# Least age in seconds where there are no locks: younger files may belong to a run, which commits a part within seconds
# of writing it, or after some minutes of failing requests.
_LEAST_AGE = 24 * 3600.0


def leftovers(store: StoreReader, commits: Sequence[Commit]) -> list[str]:
    """Return drafts and parts without a commit. Other commits may be made meanwhile: they are looked up now."""
    found = find_leftovers(store.files, {commit.file for commit in commits})
    return [name for name in found if not _counts(store, name)]


def collect(store: StoreReader, commits: Sequence[Commit], excludes: bool) -> list[str]:
    """Remove leftovers and return their names; where no lock excludes other processes, those at least a day old."""
    found = leftovers(store, commits)
    latest = time.time() - _LEAST_AGE
    if not excludes:
        written = {name: store.files.modified(name) for name in found}
        found = [name for name, when in written.items() if when is not None and when <= latest]
    removed = []
    for name in found:
        with suppress(StoreError):
            store.files.remove(name)
            removed.append(name)
    return removed


def _counts(store: StoreReader, name: str) -> bool:
    """Return whether a commit names this file, or may name it because it cannot be read."""
    file = PurePath(name).name
    if not PART_NAME.fullmatch(file):
        return False
    commit = f"commits/{commit_name(int(file.partition('-')[0]))}"
    if not store.files.has(commit):
        return False
    try:
        return store.decode_commit(commit, store.files.read(commit)).file == file
    except StoreError:
        return True
