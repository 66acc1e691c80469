"""Check a results folder: every run is present once, as it was written, and as training computes it."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import groupby
from math import isclose
from pathlib import Path, PurePath

import numpy as np
import pyarrow as pa

from kernels.floating_point import default_floating_point
from sweep.errors import StoreError
from sweep.results.aggregate import Aggregate
from sweep.schedule.plan import Plan
from sweep.schemas.cell_columns import cells_columns
from sweep.store.bits import own_bits
from sweep.store.commits import COMMIT_NAME, PART_NAME, Commit, commit_name, cover, foreign_commits
from sweep.store.contents import find_leftovers, fitting
from sweep.store.local import files_at
from sweep.store.reader import StoreReader
from sweep.store.run_facts import totals
from sweep.study.model import Study
from sweep.system.formatting import count_text
from sweep.system.host import thread_count
from sweep.training.adaptive_rounds import AdaptiveRounds
from sweep.training.component_trials import check_custom_components
from sweep.training.executors.threads import workers
from sweep.verification.curve_checks import curve_faults, curve_file_faults
from sweep.verification.findings import Findings
from sweep.verification.parts import PartCheck
from sweep.verification.sample import Sample
from sweep.verification.study_and_facts import head_faults


@default_floating_point
def verify(
    directory: str | Path,
    *,
    sample: int = 0,
    sample_seed: int | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Findings:
    """Check a results folder, complete or not, without changing it.

    Every commit and part is compared with its checksum and with the study: which runs it holds, and in which ranges
    their values lie. Digest, cells and totals are computed again from the rows. Only training again detects wrong rows
    to which all of these were adapted.

    Parameters
    ----------
    directory
        Results folder, or ``s3://BUCKET/PREFIX``.
    sample
        Number of runs that are drawn at random, trained again and compared bit by bit; -1 for all. If the result keeps
        only counts, whole parts are drawn until they have as many runs, but at least one part.
    sample_seed
        Seed of this draw, below 2^32. By default it is unpredictable; the findings report it.
    threads
        Number of threads, with the limit of :func:`sweep.run`; all processors by default.
    progress
        Show progress; by default if it takes long, as of :func:`sweep.run`.

    Returns
    -------
    Findings
        All faults and leftovers; ``intact`` if there are no faults.

    Raises
    ------
    StoreError
        If this is not a results folder, its study or facts cannot be read, or it was published without its rows; or if
        runs are to be trained again and this version or machine would give other bits.
    StudyError
        If ``threads`` or ``sample_seed`` is out of range.
    """
    n_threads = thread_count(threads)
    files = files_at(directory)
    drawn = Sample(sample, sample_seed)
    faults = head_faults(files)
    if faults:
        return Findings(faults, head_only=True)
    store = StoreReader.open(files)
    complete = store.facts()["complete"]
    found = check(store, drawn, n_threads, progress)
    if complete and found.intact:
        found.faults = sum_faults(store, found.commits, Aggregate(store.study, store, found.commits))
        found.faults += curve_faults(store, drawn, n_threads)
    elif complete:
        found.faults += cells_faults(store) + curve_file_faults(store)
    found.leftovers = leftovers(store, found.commits)
    return found


def check(
    store: StoreReader, sample: Sample, n_threads: int, shown: bool | None, passed: Collection[Commit] = frozenset()
) -> Findings:
    """Check the commits and parts of a folder, but for those in ``passed``, which an earlier check found correct."""
    if not store.has_parts:
        raise StoreError(f"{store.files.place!r} has no rows: it was published with its cells only")
    if sample.n_runs:
        check_custom_components(store.study)
        # Sources may differ: the check shows whether they give the same bits.
        store.check_bits(own_bits(), sources=False)
    plan = store.plan
    found = Findings(passed=set(passed), whole_parts=store.keep != "runs")
    found.sample_seed = sample.seed if sample.draws else None
    _check_commits(plan, store, found)
    sample.draw(found.commits, whole=store.keep != "runs")
    rounds = AdaptiveRounds(plan, store, lambda: found.passed)
    _check_parts(plan, store, PartCheck(plan, store, rounds, sample), found, n_threads, shown)
    return found


def sum_faults(store: StoreReader, commits: list[Commit], aggregate: Aggregate) -> list[str]:
    """Return the differences of facts, digest and cells of a complete result from those of its parts."""
    where = store.files.where("run.json")
    facts = store.facts()
    faults = []
    for name, value in totals(store.study, store.keep, commits).items():
        if not _same_fact(facts.get(name), value):
            faults.append(f"{where!r} is damaged: {name!r} must be {value!r} by the commits, got {facts.get(name)!r}")
    digest = aggregate.digest()
    if digest != facts["digest"]:
        faults.append(f"{where!r} is damaged: 'digest' must be {digest} by the parts, got {facts['digest']}")
    damaged = cells_faults(store)
    if not damaged and not _same_statistics(store.read_cells(), aggregate.cells(), store.study):
        faults.append(
            f"{store.files.where('cells.parquet')!r} is damaged: its statistics differ from those of the parts"
        )
    return faults + damaged


def cells_faults(store: StoreReader) -> list[str]:
    """Return the faults of the file of cells of a complete result, without reading its parts."""
    try:
        store.read_cells()
    except StoreError as error:
        return [str(error)]
    return []


def _same_fact(one: object, other: object) -> bool:
    """Return whether two facts agree; seconds are sums whose last bits depend on the order of commits."""
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)
    return one == other


def _same_statistics(stored: pa.Table, made: pa.Table, study: Study) -> bool:
    """Return whether stored cells agree with those computed now, floats to nine digits, as library functions vary."""
    for column in cells_columns(study):
        one, other = stored[column.name], made[column.name]
        if column.type != "float64" or column.name in study.parameters:
            same = one.equals(other)
        else:
            same = one.is_null().equals(other.is_null()) and np.allclose(
                one.to_numpy(), other.to_numpy(), rtol=1e-9, atol=0.0, equal_nan=True
            )
        if not same:
            return False
    return True


def _check_commits(plan: Plan, store: StoreReader, found: Findings) -> None:
    """Record readable commits, unreadable ones, and missing runs."""
    complete = store.facts()["complete"]
    _read_commits(store, found)
    foreign = list(foreign_commits(found.commits, store.study, store.bits, store.whose))
    if foreign:
        found.bad_parts += [commit for commit, _ in foreign]
        parts = count_text(len(foreign), "part")
        found.faults.append(f"results in {store.files.place!r} mix two trainings, in {parts}: {foreign[0][1]}")
    # A round starts once all earlier ones are complete.
    last = plan.parts.round_of(found.commits[-1]) if found.commits else 0
    found.needed = plan.n_runs if complete else plan.parts.start_of(last)
    if found.intact and not _each_once(found):
        _read_commits(store, found)  # during a run, commits may have appeared after the listing
    if found.intact and not _each_once(found):
        is_lost = not complete and cover(found.commits, None)
        what = "commits of earlier rounds are lost" if is_lost else "its commits do not hold every run exactly once"
        found.faults.append(f"{store.files.where('commits')!r} is damaged: {what}")


def _read_commits(store: StoreReader, found: Findings) -> None:
    known = {f"commits/{commit_name(commit.part)}" for commit in found.commits}.union(found.bad_commits)
    for name in sorted(set(fitting(store.files, "commits", COMMIT_NAME)) - known):
        try:
            found.commits.append(store.decode_commit(name, store.files.read(name)))
        except StoreError as error:
            found.faults.append(str(error))
            found.bad_commits.append(name)
    found.commits.sort(key=lambda commit: commit.start)


def _each_once(found: Findings) -> bool:
    """Return whether the commits hold no run twice, and all required runs."""
    needed = [commit for commit in found.commits if commit.start < found.needed]
    return cover(found.commits, None) and cover(needed, found.needed)


def _check_parts(
    plan: Plan, store: StoreReader, part_check: PartCheck, found: Findings, n_threads: int, shown: bool | None
) -> None:
    """Check all parts in threads, round by round, since a round's runs follow from the earlier rounds."""
    known = found.passed.union(found.bad_parts)
    commits = [commit for commit in found.commits if commit not in known]
    n_runs = sum(commit.n_runs for commit in commits)
    with workers([store.files], n_runs, n_threads, shown if n_runs else False) as at_work:
        at_work.progress.show("checking")
        for _, of_round in groupby(commits, plan.parts.round_of):
            passed = []
            for checked in at_work.map(part_check.check, of_round):
                at_work.progress.skip(checked.commit.n_runs, 0.0)
                found.n_retrained += checked.n_retrained
                if checked.fault:
                    if not store.is_current(checked.commit):
                        raise StoreError(
                            f"results in {store.files.place!r} changed during the check; check them again when no run "
                            "uses the folder"
                        )
                    found.faults.append(checked.fault)
                    found.bad_parts.append(checked.commit)
                elif checked.known:
                    passed.append(checked.commit)
                else:
                    found.unchecked.append(checked.commit)
            found.passed.update(passed)


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
