"""Commits of another training than run.json names; a repair trains their parts again."""

from __future__ import annotations

from sweep.store.mixture import foreign_commits
from sweep.store.reader import StoreReader
from sweep.system.formatting import count_text
from sweep.verification.findings import Findings


def note_foreign_commits(store: StoreReader, found: Findings) -> None:
    """Record commits whose rows another version or machine trained, so that bits may differ."""
    foreign = list(foreign_commits(found.commits, store.study, store.bits, store.whose))
    if foreign:
        found.bad_parts += [commit for commit, _ in foreign]
        parts = count_text(len(foreign), "part")
        found.faults.append(f"results in {store.files.place!r} mix two trainings, in {parts}: {foreign[0].difference}")
