"""Run a study: shards through the kernels on threads, into a store or memory."""

from __future__ import annotations

import pkgutil
import secrets
import time
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import kernels
from kernels import NUMERICS
from sweep.aggregate import Aggregate
from sweep.claim import Wish, claim
from sweep.commits import Commit
from sweep.errors import StoreError, StudyError
from sweep.interrupts import Interrupts
from sweep.machine import available_threads, log_digest, machine_facts
from sweep.plan import Plan, Shard
from sweep.progress import SweepProgress
from sweep.result import Memory, Result, open_result
from sweep.shard import Worker
from sweep.store import Store
from sweep.study import Study
from sweep.threads import work_in_threads

MAX_RUNS = 10**9

# Parts read after each shard: more than one, to catch up, and few, to go on training.
_READ_AT_ONCE = 2

# Threads for each processor at most, and where there are few processors: each keeps memory of its own.
_MOST_THREADS_EACH = 8
_MOST_THREADS_ANYWHERE = 64


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
        Results folder. One that holds part of the same study is completed, also
        while another process trains it, and one that holds all of it is read.
        Without, nothing is written.
    threads
        Worker threads; all processors by default, at most eight per processor or 64.
        No result depends on it.
    keep
        ``"cells"`` holds and writes no row for each run, only counts; the digest is
        then that of the counts.
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
        If the study has more than ``allow_runs`` runs, or an argument is out of range.
    StoreError
        If ``out`` holds something else, is in use for something else, or cannot be written.
    KeyboardInterrupt
        If interrupted; shards finished so far are kept in ``out``.
    """
    start = time.time()
    if study.n_runs > allow_runs:
        raise StudyError(
            [f"{study.n_runs:,} runs asked for; more than {allow_runs:,} need --allow-runs {study.n_runs}"]
        )
    if keep not in ("runs", "cells"):
        raise StudyError([f"keep {keep!r} given; must be 'runs' or 'cells'"])
    n_threads = available_threads() if threads is None else threads
    most = max(_MOST_THREADS_ANYWHERE, _MOST_THREADS_EACH * available_threads())
    if not 1 <= n_threads <= most:
        raise StudyError([f"threads {threads} given; must be at least 1 and here at most {most}"])
    plan = Plan(study, shard_runs)
    if out is None:
        return _complete(plan, Memory(study, keep), n_threads, progress, start)
    wish = Wish(study, keep, overwrite, {"numerics": NUMERICS, "log_digest": log_digest()})
    with claim(Path(out), wish) as store:
        if store.facts()["complete"]:
            return open_result(out)
        _check_bits(store)
        return _complete(plan, store, n_threads, progress, start)


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


def _complete(plan: Plan, parts: Store | Memory, n_threads: int, shown: bool, start: float) -> Result:
    """Train what is missing, and write what belongs to a finished result unless another process has."""
    commits, aggregate = _train_all(plan, parts, n_threads, shown)
    cells, study = aggregate.cells(), plan.study
    facts = {**_totals(study, parts.keep, commits), **machine_facts(), "threads": n_threads}
    facts |= {"numerics": NUMERICS, "log_digest": log_digest()}
    digest = aggregate.digest()
    if digest is not None:
        facts["digest"] = digest
    facts["wall_seconds"] = time.time() - start
    if isinstance(parts, Memory):
        parts.cells = cells
        return Result(study, {**facts, "complete": True}, parts)
    if parts.facts()["complete"]:
        return open_result(parts.directory)
    return Result(study, parts.finish(cells, facts), parts)


def _train_all(plan: Plan, parts: Store | Memory, n_threads: int, shown: bool) -> tuple[list[Commit], Aggregate]:
    """Train the shards that are missing; return what is known of all, and their statistics."""
    done, identity = parts.commits(), plan.study.identity
    for commit in done.values():
        commit.check(identity, plan.shard(commit.shard))
    total = sum(plan.shard(index).cost for index in range(plan.n_shards))
    missing = [index for index in range(plan.n_shards) if index not in done]
    if parts.shared:  # each in an order of its own, so that they seldom train the same shard
        secrets.SystemRandom().shuffle(missing)
    worker, session = Worker(plan), secrets.token_hex(8)
    aggregate, n_read = Aggregate(plan, parts), 0
    counting, reading = Lock(), Lock()

    def train(shard: Shard) -> Commit:
        begin = time.time()
        result = worker.train(shard)
        return parts.write_part(result, session=session, begin=begin, end=time.time())

    def read_on(most: int) -> None:
        """Read at most so many of the parts whose turn it is."""
        nonlocal n_read
        while n_read in done and most > 0:
            aggregate.add(done[n_read])
            n_read, most = n_read + 1, most - 1

    def finish(shard: Shard) -> None:
        of_another = parts.commit_of(shard)
        commit = of_another or train(shard)
        with counting:
            done[shard.index] = commit
            if of_another:
                progress.skip(shard.n_runs, shard.cost)
            else:
                progress.advance(shard.n_runs, shard.cost, commit.net_steps)
        if reading.acquire(blocking=False):  # else another thread is at it
            try:
                read_on(_READ_AT_ONCE)
            finally:
                reading.release()

    with Interrupts() as interrupts:
        _import_everything()
        interrupts.check()
        with SweepProgress(plan.n_runs, total, shown) as progress:
            for commit in done.values():
                progress.skip(commit.stop - commit.start, plan.shard(commit.shard).cost)
            work_in_threads(finish, map(plan.shard, missing), n_threads, interrupts)
            while n_read < plan.n_shards:
                interrupts.check()
                read_on(_READ_AT_ONCE)
    return [done[index] for index in sorted(done)], aggregate


@cache
def _import_everything() -> None:
    """Import in this thread what the others need, so that none of them waits for an import that was interrupted."""
    from numba.core.registry import cpu_target

    for module in pkgutil.walk_packages(kernels.__path__, "kernels."):
        import_module(module.name)
    for name in ("numba.core.boxing", "pyarrow.dataset"):  # by its compiler, by its reader of Parquet
        import_module(name)
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


def _totals(study: Study, keep: str, commits: list[Commit]) -> dict[str, Any]:
    """Add up steps and seconds over all shards and sessions."""
    net_steps = sum(commit.net_steps for commit in commits)
    lane_steps = sum(commit.lane_steps for commit in commits)
    sessions: dict[str, tuple[float, float]] = {}
    for commit in commits:
        begin, end = sessions.get(commit.session, (commit.begin, commit.end))
        sessions[commit.session] = (min(begin, commit.begin), max(end, commit.end))
    return {
        "name": study.name,
        "identity": study.identity,
        "keep": keep,
        "n_cells": study.n_cells,
        "n_runs": study.n_runs,
        "net_steps": net_steps,
        "lane_occupancy": net_steps / lane_steps if lane_steps else None,
        "kernel_seconds": sum(end - begin for begin, end in sessions.values()),
    }
