"""Repair a results folder: train damaged parts again, and only these."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from pathlib import Path, PurePath

import pyarrow as pa

from kernels.floating_point import default_floating_point
from sweep.errors import StoreError
from sweep.results.aggregate import Aggregate
from sweep.schedule.plan import Plan
from sweep.schedule.waves import Part
from sweep.store.bits import own_bits
from sweep.store.commits import Commit, commit_name, cover
from sweep.store.contents import FOLDERS
from sweep.store.files import Files, Lock
from sweep.store.local import files_at
from sweep.store.run_facts import totals
from sweep.store.store import Store
from sweep.study.model import Study
from sweep.system.host import machine_facts, thread_count
from sweep.training.adaptive_rounds import AdaptiveRounds
from sweep.training.component_trials import check_custom_components
from sweep.training.executors.threads import workers
from sweep.training.networks.part_trainer import PartTrainer
from sweep.training.run import record_curves
from sweep.verification.check import cells_faults, check, collect, sum_faults
from sweep.verification.curve_checks import curve_faults, curve_file_faults
from sweep.verification.findings import Findings
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
    facts = {**machine_facts(), **store.facts(), **totals(store.study, store.keep, commits)}
    facts |= {"digest": aggregate.digest(), "repaired": datetime.now(UTC).isoformat(timespec="seconds")}
    store.finish(aggregate.cells, facts, curves)


def mend(store: Store, sample: Sample, n_threads: int, shown: bool | None) -> Findings:
    """Check a folder, and train damaged or lost parts again, round by round, until no fault is left; return all."""
    found = check(store, sample, n_threads, shown)
    faults, n_retrained = found.faults, found.n_retrained
    for _ in store.study.seeds.rounds:
        if found.intact:
            break
        check_custom_components(store.study)
        _mend_round(store, found, n_threads, shown)
        found = check(store, sample, n_threads, shown, found.passed)
        faults, n_retrained = faults + found.faults, n_retrained + found.n_retrained
    if not found.intact:
        raise StoreError(f"{found.faults[0]}; training cannot repair this, so start over with --overwrite")
    found.faults, found.n_retrained = list(dict.fromkeys(faults)), n_retrained
    return found


def _mend_round(store: Store, found: Findings, n_threads: int, shown: bool | None) -> None:
    """Train the damaged or lost parts of the first round that has any again."""
    plan = store.plan
    damaged = [commit.as_part() for commit in found.bad_parts]
    damaged += _lost(store, plan, found)
    if damaged:
        store.check_bits(own_bits())
        store.trained_by(own_bits())
        bad = set(found.bad_parts)
        store.check_alike(commit for commit in found.commits if commit not in bad)
    first = min(map(plan.parts.round_of, damaged), default=0)
    if plan.parts.start_of(first) > found.needed:  # leave a round that has not started to the next run
        damaged = []
    store.files.remove(*set(found.bad_commits).difference(f"commits/{commit_name(part.index)}" for part in damaged))
    rounds = AdaptiveRounds(plan, store, lambda: found.passed)
    parts = [rounds.restrict(part) for part in damaged if plan.parts.round_of(part) == first]
    if parts:
        _train(store, plan, parts, {commit.part: commit for commit in found.bad_parts}, n_threads, shown)


def _train(
    store: Store, plan: Plan, parts: list[Part], replaced: dict[int, Commit], n_threads: int, shown: bool | None
) -> None:
    session = secrets.token_hex(8)
    with workers([store.files], sum(part.n_runs for part in parts), n_threads, shown) as at_work:
        part_trainer = PartTrainer(plan, at_work.interrupts.check)

        def work(part: Part) -> Part:
            begin = time.time()
            result = part_trainer.train(part)
            store.replace_part(result, replaced.get(part.index), session=session, begin=begin, end=time.time())
            return part

        at_work.progress.show("training damaged parts again")
        for part in at_work.map(work, iter(parts)):
            at_work.progress.skip(part.n_runs, 0.0)
    store.sync_commits()


def _lost(store: Store, plan: Plan, found: Findings) -> Iterator[Part]:
    """Yield finished parts without a readable commit: those of the plan, or the gaps between commits."""
    bad = {int(PurePath(name).stem) for name in found.bad_commits}
    for start, stop, first, last in _gaps(found.commits, plan.n_runs):
        named = [index for index in bad if first < index < last]
        starts = [plan.parts.start_of(number) for number in range(plan.parts.n_rounds)]
        cuts = [start, *(each for each in starts if start < each < stop), stop]
        for begin, end in pairwise(cuts):  # no part lies in two rounds
            planned = list(plan.parts.between(begin, end))
            whole = planned and (planned[0].start, planned[-1].stop) == (begin, end)
            if begin >= found.needed:  # parts without a commit may never have been trained
                yield from (part for part in planned if part.index in named)
            elif whole and first < planned[0].index and planned[-1].index < last:
                yield from planned
            elif len(cuts) == 2 and (len(named) == 1 or last - first == 2 or last == inf):
                yield Part(named[0] if named else first + 1, begin, end)
            else:
                raise StoreError(
                    f"commits in {store.files.place!r} are missing, and this version plans other parts; repair it with "
                    "the version that started it, or start over with --overwrite"
                )


def _gaps(commits: list[Commit], n_runs: int) -> Iterator[tuple[int, int, int, float]]:
    """Yield visiting positions without a commit, with the numbers of the parts before and after."""
    ends = [(0, -1), *((commit.stop, commit.part) for commit in commits)]
    starts = [*((commit.start, commit.part) for commit in commits), (n_runs, inf)]
    for (start, first), (stop, last) in zip(ends, starts, strict=True):
        if start < stop:
            yield start, stop, first, last
