"""Check a results folder: every run is there once, as it was written, and as its training gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels import NUMERICS
from sweep.aggregate import Aggregate
from sweep.errors import StoreError
from sweep.executors.threads import import_all_kernels, work_in_threads
from sweep.interrupts import Interrupts
from sweep.machine import available_threads, log_digest
from sweep.plan import Plan
from sweep.progress import SweepProgress
from sweep.store.commits import COMMIT_NAME, Commit, cover
from sweep.store.contents import find_leftovers, fitting
from sweep.store.facts import totals
from sweep.store.place import files_at
from sweep.store.reader import StoreReader
from sweep.verification.findings import Findings
from sweep.verification.head import head_faults
from sweep.verification.parts import PartCheck


def verify(directory: str | Path, *, sample: int = 0, threads: int | None = None, progress: bool = False) -> Findings:
    """Check a results folder, finished or not; nothing is changed.

    Every commit and part is read and compared with its checksum and with what the study says of its runs; digest
    and cells are computed again from the rows.

    Parameters
    ----------
    directory
    sample
        So many runs, spread evenly, are trained again and compared bit by bit; -1 for all.
    threads
        All processors by default.
    progress
        Show progress on standard error.

    Raises
    ------
    StoreError
        If it is no results folder, its study or facts cannot be read, or it was published without its rows; or if
        runs are to be trained again that this version or machine would give other bits.
    """
    files = files_at(directory)
    faults = head_faults(files)
    if faults:
        return Findings(faults)
    return check(StoreReader.open(files), sample, threads or available_threads(), progress)


def check(store: StoreReader, sample: int, n_threads: int, shown: bool) -> Findings:
    """Check the results in a folder whose study and facts are known; see :func:`verify`."""
    if not store.has_parts:
        raise StoreError(f"the rows of {store.files.place!r} are not there: it was published with its cells only")
    facts, found = store.facts(), Findings()
    if sample:
        store.check_bits(NUMERICS, log_digest())
    _check_commits(store, facts["complete"], found)
    _check_parts(store, found, sample, n_threads, shown)
    if facts["complete"] and found.intact:
        _check_sums(store, facts, found)
    found.leftovers = find_leftovers(store.files, {commit.part for commit in found.commits})
    return found


def _check_commits(store: StoreReader, complete: bool, found: Findings) -> None:
    """Note the commits that can be read, those that cannot, and runs that none of them holds."""
    for name in sorted(fitting(store.files, "commits", COMMIT_NAME)):
        try:
            found.commits.append(store.decode_commit(name, store.files.read(name)))
        except StoreError as error:
            found.faults.append(str(error))
            found.bad_commits.append(name)
    found.commits.sort(key=lambda commit: commit.start)
    n_runs = store.study.n_runs if complete else None
    if found.intact and not cover(found.commits, n_runs):
        found.faults.append(f"{store.files.where('commits')!r} is damaged: commits do not hold every run once")


def _check_parts(store: StoreReader, found: Findings, sample: int, n_threads: int, shown: bool) -> None:
    """Check the parts of all commits, in threads."""
    part_check = PartCheck(store, sample)
    n_runs = sum(commit.n_runs for commit in found.commits)

    def work(commit: Commit) -> tuple[Commit, str, int]:
        return commit, *part_check.check(commit)

    import_all_kernels()
    with Interrupts() as interrupts, SweepProgress(max(n_runs, 1), 0.0, n_threads, shown) as progress:
        progress.say("checking")
        for commit, fault, n_retrained in work_in_threads(
            work, iter(found.commits), n_threads, interrupts, progress.tick
        ):
            progress.skip(commit.n_runs, 0.0)
            found.n_runs += commit.n_runs
            found.n_retrained += n_retrained
            if fault:
                found.faults.append(fault)
                found.bad_parts.append(commit)


def _check_sums(store: StoreReader, facts: dict[str, Any], found: Findings) -> None:
    """Compare facts, digest and cells of a finished result with what its parts give."""
    where = store.files.where("run.json")
    for name, value in totals(store.study, store.keep, found.commits).items():
        if name != "kernel_seconds" and facts.get(name) != value:
            found.faults.append(f"{where!r} is damaged: its {name!r} is {facts.get(name)!r}; commits give {value!r}")
    aggregate = Aggregate(Plan(store.study), store)
    for commit in found.commits:
        aggregate.take_in(commit)
    digest = aggregate.digest()
    if digest != facts["digest"]:
        found.faults.append(f"{where!r} has digest {facts['digest']}; the parts give {digest}")
    try:
        same = store.read_cells().equals(aggregate.cells())
    except StoreError as error:
        found.faults.append(str(error))
        return
    if not same:
        found.faults.append(
            f"{store.files.where('cells.parquet')!r} is damaged: it has other statistics than the parts give"
        )
