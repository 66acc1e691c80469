"""Mend a results folder: train again what is damaged, and nothing else."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import inf
from pathlib import Path, PurePath

from kernels import NUMERICS
from sweep.aggregate import Aggregate
from sweep.errors import StoreError
from sweep.machine import available_threads, log_digest, machine_facts
from sweep.plan import Plan
from sweep.rounds import Rounds
from sweep.shards import Shard
from sweep.store.commits import Commit, cover
from sweep.store.facts import totals
from sweep.store.files import Files
from sweep.store.place import files_at
from sweep.store.store import Store
from sweep.study import Study
from sweep.verification.check import check
from sweep.verification.findings import Findings
from sweep.verification.head import restore_head
from sweep.worker import Worker


def repair(
    directory: str | Path,
    *,
    study: Study | None = None,
    sample: int = 0,
    threads: int | None = None,
    progress: bool = False,
) -> Findings:
    """Check a results folder, train again what is damaged, and remove what killed processes have left.

    Parameters
    ----------
    directory
    study
        The study in the folder, if its study.toml is damaged.
    sample, threads, progress
        As of :func:`sweep.verification.check.verify`.

    Returns
    -------
    Findings
        Of the folder as it was.

    Raises
    ------
    StoreError
        If a run holds the folder, it cannot be written, or what is damaged cannot be trained again here.
    """
    files, n_threads = files_at(directory), threads or available_threads()
    with _alone(files):
        faults = restore_head(files, study)
        store = Store.open(files)
        found = check(store, sample, n_threads, progress)
        recorded = store.facts().get("digest")
        _mend(store, found)
        if not (found.intact and store.facts()["complete"]) and _whole(store):
            if recorded not in (None, _aggregate(store).digest()):  # rows were changed with their checksums
                changed = check(store, -1, n_threads, progress)
                _mend(store, changed)
                found.faults += changed.faults
            _finish(store)
        files.remove(*found.leftovers)
        found.faults = faults + found.faults
    return found


@contextmanager
def _alone(files: Files) -> Iterator[None]:
    """Hold a folder that nobody trains in."""
    if not files.has("study.toml") and not files.has("run.json"):
        raise StoreError(f"{files.place!r} is no results folder: it has no study.toml")
    lock = files.lock()
    try:
        if not lock.take_alone():
            raise StoreError(f"results folder {files.place!r} is in use by {lock.holder()}; wait for its end")
        yield
    finally:
        lock.release()


def _mend(store: Store, found: Findings) -> None:
    """Train again what was found to be damaged or lost."""
    shards = [Shard(commit.shard, commit.start, commit.stop, 0.0) for commit in found.bad_parts]
    shards += _lost(store, found)
    if shards:
        store.check_bits(NUMERICS, log_digest())
    store.files.remove(*found.bad_commits)
    plan = Plan(store.study)
    worker, rounds, session = Worker(plan), Rounds(plan, store), secrets.token_hex(8)
    replaced = {commit.shard: commit for commit in found.bad_parts}
    for shard in sorted(shards, key=lambda shard: shard.start):  # rounds go on from those before
        begin = time.time()
        result = worker.train(rounds.restrict(shard))
        store.replace_part(result, replaced.get(shard.index), session=session, begin=begin, end=time.time())
    store.sync_commits()


def _whole(store: Store) -> bool:
    """Tell whether all runs are there."""
    commits = sorted(store.commits().values(), key=lambda commit: commit.start)
    return cover(commits, store.study.n_runs)


def _aggregate(store: Store) -> Aggregate:
    """Return the aggregate of all parts."""
    aggregate = Aggregate(Plan(store.study), store)
    for commit in store.counted():
        aggregate.take_in(commit)
    return aggregate


def _finish(store: Store) -> None:
    """Write the cells and the facts that follow from the parts of a whole result."""
    aggregate = _aggregate(store)
    facts = {**machine_facts(), **store.facts(), **totals(store.study, store.keep, store.counted())}
    facts |= {"digest": aggregate.digest(), "repaired": datetime.now(UTC).isoformat(timespec="seconds")}
    store.finish(aggregate.cells(), facts)


def _lost(store: Store, found: Findings) -> Iterator[Shard]:
    """Yield the shards whose commits cannot be read, and of a finished result those whose commits are gone.

    They are those of the plan, or, where another version has planned otherwise, what lies between two commits.

    Raises
    ------
    StoreError
        If the commits do not tell.
    """
    plan, complete = Plan(store.study), store.facts()["complete"]
    bad = {int(PurePath(name).stem) for name in found.bad_commits}
    for start, stop, first, last in _gaps(found.commits, plan.n_runs):
        planned = list(plan.shards.between(start, stop))
        whole = planned and (planned[0].start, planned[-1].stop) == (start, stop)
        named = [index for index in bad if first < index < last]
        if not complete:
            yield from (shard for shard in planned if shard.index in named)
        elif whole and first < planned[0].index and planned[-1].index < last:
            yield from planned
        elif len(named) == 1 or last - first == 2:
            yield Shard(named[0] if named else first + 1, start, stop, 0.0)
        else:
            raise StoreError(
                f"commits in {store.files.place!r} are gone, and this version plans other shards; repair with the "
                "version that began it, or start anew with --overwrite"
            )


def _gaps(commits: list[Commit], n_runs: int) -> Iterator[tuple[int, int, int, float]]:
    """Yield the visiting positions that no commit holds, with the numbers of the shards before and after."""
    ends = [(0, -1), *((commit.stop, commit.shard) for commit in commits)]
    starts = [*((commit.start, commit.shard) for commit in commits), (n_runs, inf)]
    for (start, first), (stop, last) in zip(ends, starts, strict=True):
        if start < stop:
            yield start, stop, first, last
