"""Run a study: options, the training of missing runs, and the facts of a complete result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from kernels.floating_point import default_floating_point
from sweep.errors import StoreError, StudyError
from sweep.results.result import Result, open_result, partial_result
from sweep.schedule.plan import Plan
from sweep.store.bits import Bits
from sweep.store.claim import Wish, claim
from sweep.store.location import files_at
from sweep.store.memory import MemoryParts
from sweep.store.own_bits import own_bits
from sweep.store.run_facts import ended, totals
from sweep.store.store import Store
from sweep.study.columns import row_bytes
from sweep.study.load import load_study
from sweep.study.model import Study
from sweep.system.host import check_addresses, machine_facts, memory_bytes, threads_asked_for
from sweep.system.progress import is_on_terminal, tell, tell_finished
from sweep.training.component_trials import check_custom_components
from sweep.training.coordinator import Coordinator
from sweep.training.curve_pass import record_curves
from sweep.training.executors.address import check_cluster
from sweep.training.executors.executor import MakeExecutor
from sweep.training.executors.threads import ThreadExecutor
from sweep.training.limits import Limits, parse_duration
from sweep.training.reuse import Reuse

MAX_RUNS = 10**9


@dataclass(frozen=True)
class Options:
    """The options of :func:`run`."""

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
    progress: bool | None = None,
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
        A study, the name of a built-in one, or the path of a study file.
    out
        Results folder, or ``s3://BUCKET/PREFIX``. If it holds part of the same study, the rest is trained, also while
        another process trains it. If it holds all, it is read. Without a folder, nothing is written.
    threads
        Number of worker threads; all processors by default, at most eight per processor or 64. No result depends on it.
    keep
        ``"runs"`` keeps a row for each run, ``"cells"`` only counts by cell; the digest is then that of the counts.
    progress
        Show progress on standard error; by default where that is a terminal.
    overwrite
        Remove earlier results in ``out`` first; not with ``part``. In an object store, a process at work is not seen.
    allow_runs
        Refuse a study with more runs.
    time_budget, max_runs
        Begin no more parts after this time in seconds (or ``"10m"``, ``"1.5h"``), or once this number of runs is under
        way. The result is then partial, spread over cells and seeds. With ``out`` the same call continues it.
    part
        ``(i, n)``: train the i-th of n parts of the study, from 1. In a shared folder the call that finishes the last
        part completes the result. Parts in separate folders are merged by :func:`sweep.merge`.
    reuse
        Results folders, complete or partial, whose rows are reused for equal runs: same parameters of the cell, seed,
        patterns and numerics_version. The result does not depend on them afterwards, and equals one that was trained.
    cluster
        Train on workers of dask.distributed, which the extra ``cluster`` installs: those of a scheduler at
        ``"tcp://HOST:PORT"`` or ``"tls://HOST:PORT"``, or N processes of this machine (``"local:N"``). All need this
        version of xor-sweep and must see ``out`` under the same path. About ten seconds of work per thread are queued,
        by which ``time_budget`` may be exceeded. A script that gives ``"local:N"`` needs
        ``if __name__ == "__main__":`` around the call, since the processes import it.

    Returns
    -------
    Result
        Partial (``result.complete`` is False) if runs are missing. ``result.facts["limited"]`` is then true if
        ``time_budget`` or ``max_runs`` was reached, and false if only other parts than ``part`` are missing.

    Raises
    ------
    StudyError
        If the study has more than ``allow_runs`` runs, or an argument is out of range.
    StoreError
        If ``out`` holds something else, is in use for something else, or cannot be written.
    SweepError
        If a cluster cannot be reached, is lost, or parts kill its workers; finished parts are kept.
    KeyboardInterrupt
        If interrupted; parts finished so far are kept in ``out``.
    """
    shown = is_on_terminal() if progress is None else progress
    options = Options(shown, overwrite, allow_runs, time_budget, max_runs, shard, reuse, cluster)
    return run_in_parts(study, out, threads, keep, options)


@default_floating_point
def run_in_parts(
    study: Study | str | Path,
    out: str | Path | None,
    threads: int | None,
    keep: str,
    options: Options,
    part_runs: int | None = None,
) -> Result:
    """Run a study as :func:`run` does, with a given size of parts; no result depends on it.

    Parameters
    ----------
    study, out, threads, keep, options
        As of :func:`run`, which raises the same errors.
    part_runs
        Number of runs in a part, for tests; by default the plan chooses it.

    Returns
    -------
    Result
        As of :func:`run`.
    """
    start = time.time()
    check_addresses()
    if not isinstance(study, Study):
        study = load_study(study)
    reuse = [options.reuse] if isinstance(options.reuse, (str, Path)) else options.reuse
    if study.n_runs > options.allow_runs:
        raise StudyError(
            [f"{study.n_runs:,} runs asked for; more than {options.allow_runs:,} need allow_runs={study.n_runs}"]
        )
    check_custom_components(study)
    _check_keep(study, keep)
    make_executor, n_threads = _executor(options.cluster, threads, out), threads_asked_for(threads)
    seconds = None if options.time_budget is None else parse_duration(options.time_budget)
    limits = Limits(seconds, options.max_runs, options.shard)
    limits.check(study, options.overwrite)
    if options.overwrite and out is not None and any(files_at(out).same_as(files_at(place)) for place in reuse):
        raise StoreError(f"{str(out)!r} cannot be both reused and overwritten; give another folder (--out)")
    earlier = Reuse(study, reuse) if reuse else None
    if earlier and options.progress:
        tell(*earlier.sentences())
    if study.record.of_networks:
        earlier = None  # whose rows lack what is recorded
    plan = Plan(study, part_runs)
    if out is None:
        _check_memory(study, keep, limits)
        training = Coordinator(plan, MemoryParts(plan, keep, own_bits()), limits, options.progress, earlier)
        return complete(training, make_executor, start, n_threads)
    files, bits = files_at(out), own_bits()
    wish = Wish(study, keep, options.overwrite, bits, plan.waves)
    with claim(files, wish) as store:
        if store.facts()["complete"]:
            finished = open_result(store.files)
            if study.record.curves:
                store.read_curves()  # refused if they are missing or damaged
            if options.progress:
                tell_finished(finished.facts, store.files.place)
            return finished
        store.check_bits(bits)
        if store.waves != plan.waves:  # begun by a version that plans others
            plan = Plan(study, part_runs, store.waves)
        training = Coordinator(plan, store, limits, options.progress, earlier)
        return complete(training, make_executor, start, n_threads)


def _check_keep(study: Study, keep: str) -> None:
    """Refuse to keep only counts of runs where the study needs their rows."""
    if keep not in ("runs", "cells"):
        raise StudyError([f"keep {keep!r} given; must be 'runs' or 'cells'"])
    record = study.record
    needs = {
        "test patterns, whose measures are in": study.data.n_tests,
        "record.measures, which are in": record.measures,
        "record.weights, which are in": record.columns_of_weights,
        "record.loss_thresholds, whose steps are in": record.loss_thresholds,
        "record.curves, which are compared with": record.curves,
    }
    for what, is_needed in needs.items():
        if keep == "cells" and is_needed:
            raise StudyError([f"keep 'cells' given with {what} rows of runs; give keep 'runs'"])


def _executor(cluster: str | None, threads: int | None, out: str | Path | None) -> MakeExecutor:
    """Return the executor: threads of this process, or a cluster."""
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
    """Refuse rows in memory that exceed the memory of this machine."""
    n_runs, there = min(study.n_runs, limits.runs or study.n_runs), memory_bytes()
    n_bytes = row_bytes(study)[0] * n_runs
    if keep == "runs" and n_bytes > there:
        raise StudyError(
            [
                f"{n_runs:,} runs asked for; their rows take {n_bytes:,} bytes, and this machine has {there:,}: "
                "give a results folder with out=, or keep='cells'"
            ]
        )


def complete(training: Coordinator, make_executor: MakeExecutor, start: float, n_threads: int) -> Result:
    """Train missing runs; write facts, cells and curves of a complete result unless another process has.

    Parameters
    ----------
    training
        The parts of the study.
    make_executor
        Makes the executor.
    start
        When the call began, in seconds since 1970.
    n_threads
        Threads of this process that record learning curves.

    Returns
    -------
    Result
        The result, partial if runs are missing.

    Raises
    ------
    KeyboardInterrupt
        If interrupted.
    StoreError
        If parts, facts or cells cannot be written or read.
    """
    parts = training.parts
    study = parts.study if isinstance(parts, Store) else training.plan.study  # with the name that it has in the folder
    training.run(make_executor)
    if not training.complete:
        result = partial_result(study, parts)
        result.facts["limited"] = training.limited
        return result
    if isinstance(parts, Store) and not parts.lock.excludes:  # another run may have restarted
        parts.check_all_there()
    commits = list(training.commits.values())
    facts = {**totals(study, parts.keep, commits), **machine_facts(), "threads": training.n_threads}
    # Other machines may have trained it.
    bits = Bits.of(parts.facts(now=True)) if isinstance(parts, Store) else own_bits()
    facts |= bits.told() | {"waves": list(training.plan.waves)}
    if isinstance(parts, MemoryParts):  # the digest of rows, and cells, are computed on request
        if parts.keep == "cells":
            facts["digest"] = training.aggregate.digest()
        parts.make_cells = training.aggregate.cells
        parts.curves = record_curves(training.plan, parts, n_threads, training.shown)
        facts |= ended(commits, start)
        return Result(study, {**facts, "complete": True}, parts)
    facts["digest"] = training.aggregate.digest()
    cells = training.aggregate.cells()
    curves = record_curves(training.plan, parts, n_threads, training.shown)
    facts |= ended(commits, start)
    if parts.facts(now=True)["complete"]:
        return open_result(parts.files)
    return Result(study, parts.finish(cells, facts, curves), parts)
