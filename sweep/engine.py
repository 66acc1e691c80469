"""Run a study: shards through the kernels on threads, into a store or memory."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from sweep.digest import digest_runs
from sweep.errors import StoreError, StudyError
from sweep.machine import available_threads, log_digest, machine_facts
from sweep.plan import Plan, Shard
from sweep.progress import SweepProgress
from sweep.result import Memory, Result, open_result
from sweep.schema import arrow_schema, cells_columns, runs_columns
from sweep.shard import Worker
from sweep.statistics import merge, summarize, tally_frame, tally_table
from sweep.store import Commit, Store
from sweep.study import Study

MAX_RUNS = 10**9


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
        raise StudyError(
            [f"{study.n_runs:,} runs asked for; more than {allow_runs:,} need --allow-runs {study.n_runs}"]
        )
    if keep not in ("runs", "cells"):
        raise StudyError([f"keep {keep!r} given; must be 'runs' or 'cells'"])
    n_threads = available_threads() if threads is None else threads
    if n_threads < 1:
        raise StudyError([f"threads {threads} given; must be at least 1"])
    plan = Plan(study, shard_runs)
    parts: Store | Memory = Memory(keep)
    if out is not None:
        parts = Store.create(Path(out), study, keep, overwrite)
        if parts.facts()["complete"]:
            return open_result(out)
        _claim(parts)
    commits = _train_all(plan, parts, n_threads, progress)
    facts = {**_totals(study, keep, commits), **machine_facts(), "threads": n_threads, "log_digest": log_digest()}
    return _finish(plan, parts, facts, start)


def _claim(store: Store) -> None:
    """Note what initial weights depend on, or refuse to mix with another machine's."""
    facts, here = store.facts(), log_digest()
    study = store.study
    normal = "normal" in (study.initial_weights.distribution, *study.parameters.get("distribution", ()))
    if normal and facts.get("log_digest", here) != here:
        raise StoreError(
            f"results in {str(store.directory)!r} were begun on a machine whose logarithm has other last bits, so "
            "normal initial weights would differ; finish them there, or start anew with --overwrite"
        )
    store.write_facts({**facts, "log_digest": here})


@dataclass(frozen=True)
class _Done:
    """A finished shard in memory: what a commit is on disk."""

    shard: int
    start: int
    stop: int
    net_steps: int
    lane_steps: int
    session: str
    begin: float
    end: float


def _train_all(plan: Plan, parts: Store | Memory, threads: int, shown: bool) -> list[Commit | _Done]:
    """Train the shards that are missing and return what is known of all."""
    session = secrets.token_hex(8)
    done: dict[int, Commit | _Done] = {**parts.commits()} if isinstance(parts, Store) else {}
    for commit in done.values():
        shard = plan.shard(commit.shard)
        if (commit.start, commit.stop) != (shard.start, shard.stop):
            raise StoreError(f"shard {commit.shard} holds other runs than the plan says; start anew with --overwrite")
    total = sum(plan.shard(index).cost for index in range(plan.n_shards))

    worker = Worker(plan, parts.keep)

    def work(shard: Shard) -> Commit | _Done:
        begin = time.time()
        result = worker.train(shard)
        facts: dict[str, Any] = {
            "net_steps": result.net_steps,
            "lane_steps": result.lane_steps,
            "session": session,
            "begin": begin,
            "end": time.time(),
        }
        if isinstance(parts, Store):
            return parts.write_part(shard, result.table, **facts)
        parts.add(shard, result.table)
        return _Done(shard.index, shard.start, shard.stop, **facts)

    with SweepProgress(plan.n_runs, total, shown) as progress:
        for commit in done.values():
            progress.skip(commit.stop - commit.start, plan.shard(commit.shard).cost)
        missing = (plan.shard(index) for index in range(plan.n_shards) if index not in done)
        for shard, commit in _in_threads(work, missing, threads):
            done[shard.index] = commit
            progress.advance(shard.n_runs, shard.cost, commit.net_steps)
    return [done[index] for index in sorted(done)]


def _in_threads(
    work: Callable[[Shard], Commit | _Done], shards: Iterator[Shard], threads: int
) -> Iterator[tuple[Shard, Commit | _Done]]:
    """Yield shards as they are finished; few are under way at any time.

    An error or an interrupt waits for the shards under way, which are then kept.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="sweep") as pool:
        pending: dict[Future[Commit | _Done], Shard] = {}
        try:
            for shard in shards:
                pending[pool.submit(work, shard)] = shard
                if len(pending) >= threads + 1:
                    yield from _finished(pending)
            while pending:
                yield from _finished(pending)
        finally:
            for future in pending:
                future.cancel()


def _finished(pending: dict[Future[Commit | _Done], Shard]) -> Iterator[tuple[Shard, Commit | _Done]]:
    ready, _ = wait(pending, return_when=FIRST_COMPLETED)
    for future in ready:
        shard = pending.pop(future)
        yield shard, future.result()


def _totals(study: Study, keep: str, commits: list[Commit | _Done]) -> dict[str, Any]:
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


def _finish(plan: Plan, parts: Store | Memory, facts: dict[str, Any], start: float) -> Result:
    """Aggregate, and write what belongs to a finished result."""
    study = plan.study
    if parts.keep == "runs":
        counts = merge(tally_table(table) for table in parts.tables(["cell", "status", "steps"]))
        facts["digest"] = digest_runs(parts.tables, runs_columns(study), study.n_runs)
    else:
        counts = merge(tally_frame(table) for table in parts.tables())
        facts["digest"] = None
    columns = cells_columns(study)
    cells = pa.Table.from_pandas(summarize(counts, plan), schema=arrow_schema(columns), preserve_index=False)
    cells = cells.replace_schema_metadata(None)  # pandas' own, which would bring types that files do not have
    if isinstance(parts, Store):
        facts["cells_sha256"] = parts.write_cells(cells)
    else:
        parts.cells = cells
    facts["wall_seconds"] = time.time() - start
    facts["complete"] = True
    if isinstance(parts, Store):
        parts.write_facts(facts)
    return Result(study, facts, parts)
