"""Run a study: train missing runs, and write the facts of a complete result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

from kernels.floating_point import default_floating_point
from sweep.errors import StoreError, StudyError
from sweep.results.result import Result, open_result, partial_result
from sweep.schedule.plan import Plan
from sweep.schemas.run_columns import row_bytes
from sweep.store.claim import FolderRequest, claim
from sweep.store.location import files_at
from sweep.store.memory import MemoryParts
from sweep.store.own_bits import own_bits
from sweep.store.run_facts import ended, totals
from sweep.study.load import load_study
from sweep.study.model import Study
from sweep.system.host import check_addresses, machine_facts, memory_bytes, thread_count
from sweep.system.progress import is_on_terminal, print_finished, print_lines
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
        Results folder, or ``s3://BUCKET/PREFIX``. If it holds part of the same study, missing runs are trained, also
        while another process trains. If it holds the whole study, it is read. Without a folder, nothing is written.
    threads
        Number of threads; all processors by default, at most 64 or eight per processor. No result depends on it.
    keep
        ``"runs"`` keeps a row for each run, ``"cells"`` only counts by cell, which then have the digest.
    progress
        Show progress on standard error; by default if that is a terminal.
    overwrite
        Remove earlier results in ``out`` first; not with ``shard``. In an object store, active runs are not detected.
    allow_runs
        Refuse a study with more runs.
    time_budget, max_runs
        Start no more parts after this time in seconds (or ``"10m"``, ``"1.5h"``), or once this number of runs has
        started. The result is then partial, spread over cells and seeds. With ``out``, the same call continues it.
    shard
        ``(i, n)``: train the i-th of n shards of the study, from 1. In a shared folder, the call that finishes the last
        part completes the result. Use :func:`sweep.merge` to merge shards in separate folders.
    reuse
        Results folders, complete or partial, whose rows are reused for the same runs: equal parameters, seed, patterns
        and ``numerics_version``. The result does not need them afterwards, and equals one that was trained.
    cluster
        Train on workers of dask.distributed, which the extra ``cluster`` installs: the workers of a scheduler at
        ``"tcp://HOST:PORT"`` or ``"tls://HOST:PORT"``, or N processes of this machine (``"local:N"``). All need this
        version of xor-sweep and access to ``out`` under the same path. About ten seconds of work per thread are queued,
        so ``time_budget`` may be exceeded by that. A script with ``"local:N"`` needs
        ``if __name__ == "__main__":`` around the call, since the processes import it.

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
    """Run a study as :func:`run` does, with parts of ``part_runs`` runs. No result depends on it.

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
        n_runs, most = study.n_runs, options.allow_runs
        raise StudyError([f"study: must have at most {most:,} runs, got {n_runs:,}; set allow_runs={n_runs} to run it"])
    check_custom_components(study)
    _check_keep(study, keep)
    make_executor, n_threads = _executor(options.cluster, threads, out), thread_count(threads)
    seconds = None if options.time_budget is None else parse_duration(options.time_budget)
    limits = Limits(seconds, options.max_runs, options.shard)
    limits.check(study, options.overwrite)
    if options.overwrite and out is not None and any(files_at(out).same_as(files_at(place)) for place in reuse):
        raise StoreError(f"{str(out)!r} cannot be both reused and overwritten; choose another folder (--out)")
    earlier = Reuse(study, reuse) if reuse else None
    if earlier and options.progress:
        print_lines(*earlier.sentences())
    if study.record.of_networks:
        earlier = None  # its rows lack what the study records
    plan = Plan(study, part_runs)
    if out is None:
        _check_memory(study, keep, limits)
        training = Coordinator(plan, MemoryParts(plan, keep, own_bits()), limits, options.progress, earlier)
        return complete(training, make_executor, start, n_threads)
    files, bits = files_at(out), own_bits()
    request = FolderRequest(study, keep, options.overwrite, bits, plan.waves)
    with claim(files, request) as store:
        if store.facts()["complete"]:
            finished = open_result(store.files)
            if study.record.curves:
                store.read_curves()  # raises if they are missing or damaged
            if options.progress:
                print_finished(finished.facts, store.files.place)
            return finished
        store.check_bits(bits)
        if store.waves != plan.waves:  # a version with other waves has started the study
            plan = Plan(study, part_runs, store.waves)
        training = Coordinator(plan, store, limits, options.progress, earlier)
        return complete(training, make_executor, start, n_threads)


def _check_keep(study: Study, keep: str) -> None:
    """Refuse to keep only counts if the study needs rows."""
    if keep not in ("runs", "cells"):
        raise StudyError([f"keep: must be 'runs' or 'cells', got {keep!r}"])
    record = study.record
    needs = {
        "test patterns": study.data.n_tests,
        "record.measures": record.measures,
        "record.weights": record.columns_of_weights,
        "record.loss_thresholds": record.loss_thresholds,
        "record.curves": record.curves,
    }
    for what, is_needed in needs.items():
        if keep == "cells" and is_needed:
            raise StudyError([f"keep: must be 'runs' with {what}, got 'cells'"])


def _executor(cluster: str | None, threads: int | None, out: str | Path | None) -> MakeExecutor:
    """Return the executor: threads of this process, or a cluster."""
    if cluster is None:
        return partial(ThreadExecutor, thread_count(threads))
    check_cluster(cluster)
    if threads is not None:
        raise StudyError(
            [f"threads: must be omitted with cluster {cluster!r}, whose workers set their threads, got {threads}"]
        )
    if out is None:
        raise StudyError(
            [f"out: must be a results folder with cluster {cluster!r}, whose workers write into it, got None"]
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
                f"rows of {n_runs:,} runs: must fit into the memory of {there:,} bytes, got {n_bytes:,}; "
                "set out= to a results folder, or keep='cells'"
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
        When the call started, in seconds since 1970.
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
