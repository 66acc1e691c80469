"""Run a study: train missing runs, and write the facts of a complete result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Literal

import pyarrow as pa

from kernels.floating_point import default_floating_point
from sweep.results.result import Result, open_result, partial_result
from sweep.schedule.plan import Plan
from sweep.store.bits import own_bits
from sweep.store.claim import FolderRequest, claim
from sweep.store.local import files_at
from sweep.store.memory import MemoryParts
from sweep.store.run_facts import ended, totals
from sweep.store.stored_runs import StoredResult
from sweep.study.load import load_study
from sweep.study.model import Study
from sweep.system.host import check_addresses, machine_facts, thread_count
from sweep.system.progress import print_finished, print_lines
from sweep.training.component_trials import check_custom_components
from sweep.training.coordinator import Coordinator
from sweep.training.executors.executor import MakeExecutor
from sweep.training.executors.threads import ThreadExecutor, workers
from sweep.training.limits import Limits
from sweep.training.networks.curve_recorder import CurveRecorder
from sweep.training.reuse import Reuse
from sweep.training.run_options import MAX_RUNS, RunOptions


def run(
    study: Study | str | Path,
    out: str | Path | None = None,
    threads: int | None = None,
    keep: Literal["runs", "cells"] = "runs",
    *,
    progress: bool | None = None,
    overwrite: bool = False,
    allow_runs: int = MAX_RUNS,
    time_budget: float | str | None = None,
    max_runs: int | None = None,
    reuse: str | Path | Sequence[str | Path] = (),
    shard: tuple[int, int] = (1, 1),
    cluster: str | None = None,
) -> Result:
    """Train all runs of a study, and return their result.

    Parameters
    ----------
    study
        A study, the name of a built-in one, or the path of a study file.
    out
        Results folder, or ``s3://BUCKET/PREFIX``. If it holds part of the same study, missing runs are trained, also
        while another process trains. If it holds the whole study, it is read. Without a folder, nothing is written.
    threads
        Number of threads; all processors by default, at most 64 or eight per processor. No result depends on it.
    keep
        ``"runs"`` keeps a row for each run, ``"cells"`` only counts by cell, which then have the digest.
    progress
        Show progress, on standard error or in the notebook. By default it appears after a second on a terminal or in a
        notebook, and after ten seconds elsewhere. The command shows it at once.
    overwrite
        Remove earlier results in ``out`` first; not with ``shard``. In an object store, active runs are not detected.
    allow_runs
        Refuse a study with more runs.
    time_budget
        Start no more parts after this time in seconds (or ``"10m"``, ``"1.5h"``). The result is then partial, spread
        over cells and seeds. With ``out``, the same call continues it.
    max_runs
        Start no more parts once this number of runs has started, as with ``time_budget``.
    reuse
        Results folders, complete or partial, whose rows are reused for the same runs: equal parameters, seed, patterns
        and ``numerics_version``. The result does not need them afterward, and equals one that was trained.
    shard
        ``(i, n)``: train the i-th of n shards of the study, from 1. In a shared folder, the call that finishes the last
        part completes the result. Use :func:`sweep.merge` to merge shards in separate folders.
    cluster
        Train on workers of dask.distributed, which the extra ``cluster`` installs: the workers of a scheduler at
        ``"tcp://HOST:PORT"`` or ``"tls://HOST:PORT"``, or N processes of this machine (``"local:N"``). All need this
        version of xor-sweep and access to ``out`` under the same path. About ten seconds of work per thread are queued,
        so ``time_budget`` may be exceeded by that. A script with ``"local:N"`` needs ``if __name__ == "__main__":``
        around the call, since the processes import it.

    Returns
    -------
    Result
        Partial (``result.complete`` is False) if runs are missing. ``result.facts["limited"]`` is then True if
        ``time_budget`` or ``max_runs`` was reached, and False if only other shards are missing.

    Raises
    ------
    StudyError
        If the study has more than ``allow_runs`` runs, or an argument is out of range.
    StoreError
        If ``out`` holds anything else, is in use for another study, or cannot be written.
    SweepError
        If a cluster cannot be reached or is lost, or parts kill its workers. Finished parts are kept.
    KeyboardInterrupt
        If interrupted. Finished parts are kept in ``out``.
    """
    options = RunOptions(
        out, threads, keep, progress, overwrite, allow_runs, time_budget, max_runs, reuse, shard, cluster
    )
    return run_in_parts(study, options)


@default_floating_point
def run_in_parts(study: Study | str | Path, options: RunOptions, part_runs: int | None = None) -> Result:
    """Run a study as :func:`run` does, with parts of ``part_runs`` runs for tests, by default as planned.

    No result depends on it.
    """
    start = time.time()
    check_addresses()
    if not isinstance(study, Study):
        study = load_study(study)
    options.check(study)
    check_custom_components(study)
    make_executor, bits = _executor(options), own_bits()
    earlier = Reuse(study, options.places) if options.places else None
    if earlier and options.announces:
        print_lines(*earlier.sentences())
    if study.record.of_networks:
        earlier = None  # its rows lack what the study records
    plan = Plan(study, part_runs)
    if options.out is None:
        options.check_memory(plan)
        training = Coordinator(plan, MemoryParts(plan, options.keep, bits), options.limits, options.progress, earlier)
        return complete(training, make_executor, start, thread_count(options.threads))
    request = FolderRequest(study, options.keep, options.overwrite, bits, plan.waves)
    with claim(files_at(options.out), request) as store:
        if store.facts()["complete"]:
            finished = open_result(store.files)
            if study.record.curves:
                store.read_curves()  # raises if they are missing or damaged
            if options.announces:
                print_finished(finished.facts, store.files.place)
            return finished
        store.check_bits(bits)
        if store.waves != plan.waves:  # a version with other waves has started the study
            plan = plan.in_waves(store.waves)
        training = Coordinator(plan, store, options.limits, options.progress, earlier)
        return complete(training, make_executor, start, thread_count(options.threads))


def _executor(options: RunOptions) -> MakeExecutor:
    """Return the executor: threads of this process, or a cluster."""
    if options.cluster is None:
        return partial(ThreadExecutor, thread_count(options.threads))
    from sweep.training.executors.cluster import ClusterExecutor
    from sweep.training.executors.connection import require_distributed

    require_distributed(options.cluster)
    return partial(ClusterExecutor, options.cluster)


def complete(training: Coordinator, make_executor: MakeExecutor, start: float, n_threads: int) -> Result:
    """Train missing runs; write facts, cells and curves of a complete result unless another process has.

    The result is partial if runs are missing. ``start`` is when the call started, in seconds since 1970; ``n_threads``
    threads of this process record learning curves. KeyboardInterrupt if interrupted, StoreError if parts, facts or
    cells cannot be written or read.
    """
    parts = training.parts
    training.run(make_executor)
    if not training.complete:
        result = partial_result(parts)
        result.facts["limited"] = training.limited
        return result
    parts.check_all_there()
    study, commits = parts.plan.study, list(training.commits.values())
    facts = {**totals(study, parts.keep, commits), **machine_facts(), "threads": training.n_threads}
    facts |= parts.first_bits.as_dict() | {"waves": list(training.plan.waves)}
    make_cells = cache(training.aggregate.cells)
    if parts.keep == "cells" or parts.place is not None:
        facts["digest"] = training.aggregate.digest()
    if parts.place is not None:  # the digest of rows, and cells, are computed on request in memory
        make_cells()
    curves = record_curves(training.plan, parts, n_threads, training.shown)
    facts |= ended(commits, start)
    others = parts.facts(now=True)
    if others.get("complete"):
        return Result(study, others, parts)
    return Result(study, parts.finish(make_cells, facts, curves), parts)


def record_curves(plan: Plan, parts: StoredResult, n_threads: int, shown: bool | None) -> pa.Table | None:
    """Train the first runs of each cell once more, and return their learning curves; None if the study records none.

    StoreError if this version or machine would give other bits, or a run does not end like its row.
    """
    if plan.study.record.curves is None:
        return None
    parts.check_bits(own_bits())
    n_runs = plan.n_cells * plan.study.record.curves.seeds
    with workers(parts.opened, n_runs, n_threads, shown) as at_work:
        recorder, curves = CurveRecorder(plan, at_work.interrupts.check), []
        at_work.progress.show("recording learning curves")
        for each in at_work.map(recorder.record, recorder.blocks(parts)):
            curves.append(each)
            at_work.progress.skip(len(set(each["run"].tolist())), 0.0)
    return recorder.table(curves)


def save_trained(trained: MemoryParts, out: str | Path) -> Result:
    """Write trained parts into a results folder, as if they had been trained there; return its result.

    Parts that the folder has stay. StoreError if it holds anything else or cannot be written.
    """
    study, start = trained.plan.study, time.time()
    request = FolderRequest(study, trained.keep, False, own_bits(), trained.plan.waves)
    with claim(files_at(out), request) as store:
        if store.facts()["complete"]:
            return open_result(store.files)
        there = store.commits()
        for commit, outcome in trained.outcomes():
            if commit.part not in there:
                store.write_part(outcome, session=commit.session, begin=commit.begin, end=commit.end)
        training = Coordinator(Plan(study), store, Limits(), False)
        return complete(training, partial(ThreadExecutor, 1), start, 1)
