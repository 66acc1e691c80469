"""Repair a results folder: train damaged parts again, and only these."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from kernels.floating_point import default_floating_point
from sweep.errors import StoreError
from sweep.results.aggregate import Aggregate
from sweep.store.commits import Commit, cover
from sweep.store.contents import FOLDERS
from sweep.store.files import Files, Lock
from sweep.store.location import files_at
from sweep.store.run_facts import totals
from sweep.store.store import Store
from sweep.study.model import Study
from sweep.system.host import machine_facts, thread_count
from sweep.training.curve_pass import record_curves
from sweep.verification.check import cells_faults, sum_faults
from sweep.verification.curve_checks import curve_faults, curve_file_faults
from sweep.verification.findings import Findings
from sweep.verification.leftovers import collect
from sweep.verification.mend import mend
from sweep.verification.sample import Sample
from sweep.verification.study_and_facts import restore_head


@default_floating_point
def repair(
    directory: str | Path,
    *,
    study: Study | None = None,
    sample: int = 0,
    sample_seed: int | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Findings:
    """Check a results folder, train damaged parts again, and remove files without a commit.

    Without locks, as in object stores, a run that uses the folder is not visible. In that case only files at least a
    day old are removed.

    Parameters
    ----------
    directory
        Results folder, or ``s3://BUCKET/PREFIX``.
    study
        The study in the folder, needed if its study.toml is damaged.
    sample, sample_seed, threads, progress
        As of :func:`sweep.verification.check.verify`; damaged parts are trained in the same number of threads.

    Returns
    -------
    Findings
        The repaired faults and the removed leftovers; other entries describe the folder after the repair.

    Raises
    ------
    StoreError
        If a run uses the folder, it cannot be written, or damage cannot be repaired by this version or machine.
    StudyError
        If ``threads`` or ``sample_seed`` is out of range.
    """
    n_threads = thread_count(threads)
    files = files_at(directory)
    drawn = Sample(sample, sample_seed)
    with _alone(files) as lock:
        faults = restore_head(files, study)
        for folder in FOLDERS:
            files.make_folder(folder)
        store = Store.open(files)
        found = mend(store, drawn, n_threads, progress)
        if cover(found.commits, store.study.n_runs):
            found = _mend_sums(store, found, drawn, n_threads, progress)
        found.faults = faults + found.faults
        found.leftovers = collect(store, found.commits, lock.excludes)
    return found


@contextmanager
def _alone(files: Files) -> Iterator[Lock]:
    """Hold a folder exclusively, as far as locks allow."""
    if not files.has("study.toml") and not files.has("run.json"):
        raise StoreError(f"{files.place!r} is not a results folder: it has no study.toml")
    lock = files.lock()
    try:
        if not lock.take_alone():
            raise StoreError(f"results folder {files.place!r} is in use by {lock.holder()}; wait until it ends")
        yield lock
    finally:
        lock.release()


def _mend_sums(store: Store, found: Findings, sample: Sample, n_threads: int, shown: bool | None) -> Findings:
    """Write facts, cells and curves of a complete result again if there were faults or they do not fit its parts."""
    facts = store.facts()
    aggregate = Aggregate(store.study, store, found.commits)
    if facts["complete"] and found.intact:
        found.faults = sum_faults(store, found.commits, aggregate) + curve_faults(store, sample, n_threads)
        if found.intact:
            return found
    elif facts["complete"]:
        found.faults += cells_faults(store) + curve_file_faults(store)
    if facts.get("digest") not in (None, aggregate.digest()):  # rows and checksums may have been changed
        again = mend(store, Sample(-1), n_threads, shown)
        again.faults, again.n_retrained = found.faults + again.faults, found.n_retrained + again.n_retrained
        if again.commits != found.commits:
            aggregate = Aggregate(store.study, store, again.commits)
        found = again
    curves = record_curves(store.plan, store, n_threads, shown)
    _finish(store, found.commits, aggregate, curves)
    return found


def _finish(store: Store, commits: list[Commit], aggregate: Aggregate, curves: pa.Table | None) -> None:
    """Write the cells and facts that follow from the parts of a complete result, and its learning curves."""
    facts = {**machine_facts(), **store.facts(), **totals(store.study, store.keep, commits)}
    facts |= {"digest": aggregate.digest(), "repaired": datetime.now(UTC).isoformat(timespec="seconds")}
    store.finish(aggregate.cells, facts, curves)
