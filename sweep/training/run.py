"""Run a study: what is asked for, the training of what is missing, and the facts of a finished result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from kernels.floating_point import default_floating_point
from sweep.errors import StoreError, StudyError
from sweep.results.result import Result, open_result, partial_result
from sweep.schedule.plan import Plan
from sweep.store.bits import Bits
from sweep.store.claim import Wish, claim
from sweep.store.location import files_at
from sweep.store.memory import MemoryParts
from sweep.store.own_bits import own_bits
from sweep.store.run_facts import totals
from sweep.store.store import Store
from sweep.study.columns import row_bytes
from sweep.study.load import load_study
from sweep.study.model import Study
from sweep.system.host import machine_facts, memory_bytes, threads_asked_for
from sweep.system.progress import tell, tell_finished
from sweep.training.coordinator import Coordinator
from sweep.training.executors.address import check_cluster
from sweep.training.executors.executor import MakeExecutor
from sweep.training.executors.threads import ThreadExecutor
from sweep.training.limits import Limits, parse_duration
from sweep.training.reuse import Reuse

MAX_RUNS = 10**9


@dataclass(frozen=True)
class Options:
    """How a study is run, as :func:`run` takes it."""

    progress: bool = False
    overwrite: bool = False
    allow_runs: int = MAX_RUNS
    time_budget: float | str | None = None
    max_runs: int | None = None
    shard: tuple[int, int] = (1, 1)
    reuse: str | Path | Sequence[str | Path] = ()
    cluster: str | None = None


def run(
    study: Study | str | Path,
    out: str | Path | None = None,
    threads: int | None = None,
    keep: Literal["runs", "cells"] = "runs",
    *,
    progress: bool = False,
    overwrite: bool = False,
    allow_runs: int = MAX_RUNS,
    time_budget: float | str | None = None,
    max_runs: int | None = None,
    shard: tuple[int, int] = (1, 1),
    reuse: str | Path | Sequence[str | Path] = (),
    cluster: str | None = None,
) -> Result:
    """Train every run of a study and aggregate.

    Parameters
    ----------
    study
        What to run: a study, the name of a built-in one, or the path of a study file.
    out
        Results folder, or ``s3://BUCKET/PREFIX``. One that holds part of the same
        study is completed, also while another process trains it, and one that holds
        all of it is read. Without, nothing is written.
    threads
        Worker threads; all processors by default, at most eight per processor or 64.
        No result depends on it.
    keep
        ``"cells"`` holds and writes no row for each run, only counts; the digest is
        then that of the counts.
    progress
        Show progress on standard error.
    overwrite
        Remove earlier results in ``out`` first; not with ``shard``. In an object store it cannot be seen whether
        another process is still writing them.
    allow_runs
        Refuse a study of more runs.
    time_budget, max_runs
        Begin no more shards after so many seconds (or ``"10m"``, ``"1.5h"``), or once so many runs are under way. The
        result is then partial, spread over cells and seeds; with ``out`` the same call goes on.
    shard
        ``(i, n)``: train the i-th of n parts of the study, from 1. Who finishes the last part in a folder makes
        the whole result; parts in folders of their own are put together by :func:`sweep.merge`.
    reuse
        Results folders, whole or partial, from which runs that are the same are taken: same words of the cell, seed,
        patterns and numerics. The result is whole by itself, and the same as if all had been trained.
    cluster
        Train on workers of dask.distributed, which the extra ``cluster`` installs: those of a scheduler at
        ``"tcp://HOST:PORT"`` or ``"tls://HOST:PORT"``, or ``"local:N"``, so many processes of this machine. All need
        this version of xor-sweep and see ``out`` under the same path. Some ten seconds of work per thread are on their
        way, by which ``time_budget`` may be overrun. A script that gives ``"local:N"`` needs
        ``if __name__ == "__main__":`` around the call, as processes are started that import it.

    Returns
    -------
    Result
        Partial (``result.complete`` is False) where runs are missing still. Then ``result.facts["limited"]`` tells
        whether that is because of ``time_budget`` or ``max_runs``, or other parts than ``shard`` are missing.

    Raises
    ------
    StudyError
        If the study has more than ``allow_runs`` runs, or an argument is out of range.
    StoreError
        If ``out`` holds something else, is in use for something else, or cannot be written.
    SweepError
        If a cluster cannot be reached, is lost, or shards kill its workers; what was trained is kept.
    KeyboardInterrupt
        If interrupted; shards finished so far are kept in ``out``.
    """
    options = Options(progress, overwrite, allow_runs, time_budget, max_runs, shard, reuse, cluster)
    return run_in_shards(study, out, threads, keep, options)


@default_floating_point
def run_in_shards(
    study: Study | str | Path,
    out: str | Path | None,
    threads: int | None,
    keep: str,
    options: Options,
    shard_runs: int | None = None,
) -> Result:
    """Run a study as :func:`run` does, in shards of so many runs if given: no result depends on it, as tests see."""
    start = time.time()
    if not isinstance(study, Study):
        study = load_study(study)
    reuse = [options.reuse] if isinstance(options.reuse, (str, Path)) else options.reuse
    if study.n_runs > options.allow_runs:
        raise StudyError(
            [f"{study.n_runs:,} runs asked for; more than {options.allow_runs:,} need allow_runs={study.n_runs}"]
        )
    if keep not in ("runs", "cells"):
        raise StudyError([f"keep {keep!r} given; must be 'runs' or 'cells'"])
    make_executor = _executor(options.cluster, threads, out)
    seconds = None if options.time_budget is None else parse_duration(options.time_budget)
    limits = Limits(seconds, options.max_runs, options.shard)
    limits.check(study, options.overwrite)
    if options.overwrite and out is not None and any(files_at(out).same_as(files_at(place)) for place in reuse):
        raise StoreError(f"{str(out)!r} is reused and overwritten at once; give another folder (--out)")
    earlier = Reuse(study, reuse) if reuse else None
    if earlier and options.progress:
        tell(*earlier.sentences())
    plan = Plan(study, shard_runs)
    if out is None:
        _check_memory(study, keep, limits)
        return complete(
            Coordinator(plan, MemoryParts(plan, keep), limits, options.progress, earlier), make_executor, start
        )
    files = files_at(out)
    bits = own_bits()
    wish = Wish(study, keep, options.overwrite, bits, plan.waves)
    with claim(files, wish) as store:
        if store.facts()["complete"]:
            finished = open_result(store.files)
            if options.progress:
                tell_finished(finished.facts, store.files.place)
            return finished
        store.check_bits(bits)
        plan = Plan(study, shard_runs, store.waves)  # as who began it has planned
        return complete(Coordinator(plan, store, limits, options.progress, earlier), make_executor, start)


def _executor(cluster: str | None, threads: int | None, out: str | Path | None) -> MakeExecutor:
    """Choose what trains: threads of this process, or a cluster."""
    if cluster is None:
        return partial(ThreadExecutor, threads_asked_for(threads))
    check_cluster(cluster)
    if threads is not None:
        raise StudyError(
            [f"threads {threads} given with cluster {cluster!r}; workers have threads of their own, so leave one out"]
        )
    if out is None:
        raise StudyError(
            [f"cluster {cluster!r} given without a results folder, which its workers write into; give one with out="]
        )
    from sweep.training.executors.cluster import ClusterExecutor
    from sweep.training.executors.connection import require_distributed

    require_distributed(cluster)
    return partial(ClusterExecutor, cluster)


def _check_memory(study: Study, keep: str, limits: Limits) -> None:
    """Refuse rows in memory that this machine has no memory for."""
    n_runs, there = min(study.n_runs, limits.runs or study.n_runs), memory_bytes()
    n_bytes = row_bytes(study)[0] * n_runs
    if keep == "runs" and n_bytes > there:
        raise StudyError(
            [
                f"{n_runs:,} runs asked for; their rows take {n_bytes:,} bytes, and this machine has {there:,}: "
                "give a results folder with out=, or keep='cells'"
            ]
        )


def complete(training: Coordinator, make_executor: MakeExecutor, start: float) -> Result:
    """Train what is missing, and write what belongs to a finished result unless another process has."""
    parts = training.parts
    study = parts.study if isinstance(parts, Store) else training.plan.study  # by the name that the folder gives it
    training.run(make_executor)
    if not training.complete:
        result = partial_result(study, parts)
        result.facts["limited"] = training.limited
        return result
    if isinstance(parts, Store) and not parts.lock.excludes:  # another may have begun anew
        parts.check_all_there()
    commits = list(training.commits.values())
    facts = {**totals(study, parts.keep, commits), **machine_facts(), "threads": training.n_threads}
    # It may have been trained elsewhere.
    bits = Bits.of(parts.facts(now=True)) if isinstance(parts, Store) else own_bits()
    facts |= bits.told() | {"waves": list(training.plan.waves)}
    if isinstance(parts, MemoryParts):  # what somebody may ask for is made then: the digest of rows, and cells
        if parts.keep == "cells":
            facts["digest"] = training.aggregate.digest()
        parts.make_cells = default_floating_point(training.aggregate.cells)
        return Result(study, {**facts, **_ended(start), "complete": True}, parts)
    facts["digest"] = training.aggregate.digest()
    cells = training.aggregate.cells()
    facts |= _ended(start)
    if parts.facts(now=True)["complete"]:
        return open_result(parts.files)
    return Result(study, parts.finish(cells, facts), parts)


def _ended(start: float) -> dict[str, Any]:
    """Return when the work that was begun at ``start`` has ended."""
    return {"wall_seconds": time.time() - start, "finished": datetime.now(UTC).isoformat(timespec="seconds")}
