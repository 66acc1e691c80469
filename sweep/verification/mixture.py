"""Commits of another training than run.json tells of, which repair trains again."""

from __future__ import annotations

from sweep.store.mixture import strangers
from sweep.store.reader import StoreReader
from sweep.system.formatting import count_text
from sweep.verification.findings import Findings


def note_strangers(store: StoreReader, found: Findings) -> None:
    """Note commits whose rows were trained by another version or machine, whose bits may differ."""
    foreign = list(strangers(found.commits, store.study, store.bits, store.whose))
    if foreign:
        found.bad_parts += [commit for commit, _ in foreign]
        shards = count_text(len(foreign), "shard")
        found.faults.append(
            f"results in {store.files.place!r} are mixed of two trainings, in {shards}: {foreign[0].difference}"
        )
