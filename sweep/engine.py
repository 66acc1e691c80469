"""Run a study: shards through the kernels on threads, into a store or memory."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock
from typing import Any, Literal

from kernels import NUMERICS
from kernels.compiling import CompileWatch
from sweep.aggregate import Aggregate
from sweep.errors import StoreError, StudyError
from sweep.files import local_folder
from sweep.machine import available_threads, log_digest, machine_facts
from sweep.plan import Plan, Shard
from sweep.progress import SweepProgress, tell_finished
from sweep.result import Memory, Result, open_result
from sweep.shard import Worker
from sweep.store import Commit, Store
from sweep.study import Study

MAX_RUNS = 10**9

# Parts read after each shard: more than one, to catch up, and few, to go on training.
_READ_AT_ONCE = 2

# The waiting thread wakes up so often: an interrupt may reach another one and not wake it.
_WAKE_SECONDS = 0.1


def run(
    study: Study,
    out: str | Path | None = None,
    threads: int | None = None,
    keep: Literal["runs", "cells"] = "runs",
    *,
    progress: bool = False,
    overwrite: bool = False,
    allow_runs: int = MAX_RUNS,
    shard_runs: int | None = None,
) -> Result:
    """Train every run of a study and aggregate.

    Parameters
    ----------
    study
        What to run.
    out
        Results folder. One that holds part of the same study is completed, one
        that holds all of it is read. Without, nothing is written.
    threads
        Worker threads; all processors by default. No result depends on it.
    keep
        ``"cells"`` holds and writes no row for each run, only counts.
    progress
        Show progress on standard error.
    overwrite
        Remove earlier results in ``out`` first.
    allow_runs
        Refuse a study of more runs.
    shard_runs
        For tests: runs in a shard. No result depends on it.

    Returns
    -------
    Result

    Raises
    ------
    StudyError
        If the study has more than ``allow_runs`` runs.
    StoreError
        If ``out`` holds something else or cannot be written.
    KeyboardInterrupt
        If interrupted; shards finished so far are kept in ``out``.
    """
    start = time.time()
    if study.n_runs > allow_runs:
        raise StudyError([f"{study.n_runs:,} runs asked for; more than {allow_runs:,} need allow_runs={study.n_runs}"])
    if keep not in ("runs", "cells"):
        raise StudyError([f"keep {keep!r} given; must be 'runs' or 'cells'"])
    n_threads = available_threads() if threads is None else threads
    if n_threads < 1:
        raise StudyError([f"threads {threads} given; must be at least 1"])
    plan = Plan(study, shard_runs)
    parts: Store | Memory = Memory(keep)
    if out is not None:
        parts = Store.create(local_folder(out), study, keep, overwrite, numerics=NUMERICS, log_digest=log_digest())
        if parts.facts()["complete"]:
            finished = open_result(out)
            if progress:
                tell_finished(finished.facts, out)
            return finished
        _check_bits(parts)
    commits, aggregate = _train_all(plan, parts, n_threads, progress)
    facts = {**_totals(study, keep, commits), **machine_facts(), "threads": n_threads}
    facts |= {"numerics": NUMERICS, "log_digest": log_digest()}
    return _finish(study, parts, aggregate, facts, start)


def _check_bits(store: Store) -> None:
    """Refuse to mix bits with those of another version or machine."""
    facts, here, study = store.facts(), log_digest(), store.study
    if facts.get("numerics") != NUMERICS:
        raise StoreError(
            f"results in {str(store.directory)!r} were begun by a version of xor-sweep whose numbers have other last "
            "bits; finish them with that version, or start anew with --overwrite"
        )
    normal = "normal" in (study.initial_weights.distribution, *study.parameters.get("distribution", ()))
    if normal and facts.get("log_digest") != here:
        raise StoreError(
            f"results in {str(store.directory)!r} were begun on a machine whose logarithm has other last bits, so "
            "normal initial weights would differ; finish them there, or start anew with --overwrite"
        )


def _train_all(plan: Plan, parts: Store | Memory, threads: int, shown: bool) -> tuple[list[Commit], Aggregate]:
    """Train the shards that are missing; return what is known of all, and their statistics."""
    done = parts.commits()
    for commit in done.values():
        shard = plan.shard(commit.shard)
        if (commit.start, commit.stop) != (shard.start, shard.stop):
            raise StoreError(
                f"shard {commit.shard} holds other runs than this version plans; "
                "finish with the version that began it, or start anew with --overwrite"
            )
    total = sum(plan.shard(index).cost for index in range(plan.n_shards))
    missing = [plan.shard(index) for index in range(plan.n_shards) if index not in done]
    worker, session = Worker(plan), secrets.token_hex(8)
    aggregate, n_read = Aggregate(plan, parts), 0
    counting, reading = Lock(), Lock()

    def read_on(most: int) -> None:
        """Read at most so many of the parts whose turn it is."""
        nonlocal n_read
        while n_read in done and most > 0:
            aggregate.add(done[n_read])
            n_read, most = n_read + 1, most - 1

    def finish(shard: Shard) -> None:
        started = compiling.clock()
        result = worker.train(shard)
        end = time.time()
        begin = end - (compiling.clock() - started)
        commit = parts.write_part(result, session=session, begin=begin, end=end)
        with counting:
            done[shard.index] = commit
            progress.advance(shard.n_runs, shard.cost, commit.net_steps, compiling.clock() - started)
        if reading.acquire(blocking=False):  # else another thread is at it
            try:
                read_on(_READ_AT_ONCE)
            finally:
                reading.release()

    with SweepProgress(plan.n_runs, total, min(threads, len(missing)), shown) as progress:
        for commit in done.values():
            progress.skip(commit.stop - commit.start, plan.shard(commit.shard).cost)
        progress.tick()
        with CompileWatch(progress.compiling, worker.uncompiled(missing) if shown else ()) as compiling:
            _in_threads(finish, iter(missing), threads, progress.tick)
        progress.reading()
        read_on(plan.n_shards)
    return [done[index] for index in sorted(done)], aggregate


def _in_threads(
    finish: Callable[[Shard], None], shards: Iterator[Shard], threads: int, tick: Callable[[], None]
) -> None:
    """Finish shards, each thread one after the other, and tick meanwhile.

    An error or an interrupt waits for the shards under way, which are then kept.
    """
    taking, stop = Lock(), Event()

    def work() -> None:
        while not stop.is_set():
            with taking:
                shard = next(shards, None)
            if shard is None:
                return
            try:
                finish(shard)
            except BaseException:
                stop.set()
                raise

    with ThreadPoolExecutor(threads, thread_name_prefix="sweep") as pool:
        try:
            workers = [pool.submit(work) for _ in range(threads)]
            while wait(workers, timeout=_WAKE_SECONDS).not_done:
                tick()
        finally:
            stop.set()
    for worker in workers:
        worker.result()  # raises its error


def _totals(study: Study, keep: str, commits: list[Commit]) -> dict[str, Any]:
    """Add up steps and seconds over all shards and sessions."""
    net_steps = sum(commit.net_steps for commit in commits)
    lane_steps = sum(commit.lane_steps for commit in commits)
    sessions: dict[str, list[Commit]] = {}
    for commit in commits:
        sessions.setdefault(commit.session, []).append(commit)
    return {
        "name": study.name,
        "identity": study.identity,
        "keep": keep,
        "n_cells": study.n_cells,
        "n_runs": study.n_runs,
        "net_steps": net_steps,
        "lane_occupancy": net_steps / lane_steps if lane_steps else None,
        "kernel_seconds": sum(_seconds_trained(session) for session in sessions.values()),
    }


def _seconds_trained(commits: list[Commit]) -> float:
    """Return for how many seconds at least one thread trained: none does while all wait for a kernel to be compiled."""
    seconds, until = 0.0, 0.0
    for commit in sorted(commits, key=lambda commit: commit.begin):
        seconds += max(commit.end - max(commit.begin, until), 0.0)
        until = max(until, commit.end)
    return seconds


def _finish(study: Study, parts: Store | Memory, aggregate: Aggregate, facts: dict[str, Any], start: float) -> Result:
    """Write what belongs to a finished result."""
    cells = aggregate.cells()
    if isinstance(parts, Store):
        facts["digest"] = aggregate.digest()
        facts["cells_sha256"] = parts.write_cells(cells)
    else:
        parts.cells = cells
    facts["wall_seconds"] = time.time() - start
    facts["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
    facts["complete"] = True
    if isinstance(parts, Store):
        parts.write_facts(facts)
    return Result(study, facts, parts)
