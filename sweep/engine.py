"""Run a study: what is asked for, the training of what is missing, and the facts of a finished result."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from kernels import NUMERICS
from sweep.errors import StoreError, StudyError
from sweep.machine import available_threads, log_digest, machine_facts, most_threads
from sweep.plan import Plan
from sweep.progress import tell_finished
from sweep.result import Result, open_result
from sweep.store.claim import Wish, claim
from sweep.store.facts import totals
from sweep.store.memory import Memory
from sweep.store.place import files_at
from sweep.store.store import Store
from sweep.study import Study
from sweep.training import Training

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
        Remove earlier results in ``out`` first. In an object store it cannot be seen
        whether another process is still writing them.
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
        raise StudyError([f"{study.n_runs:,} runs asked for; more than {allow_runs:,} need allow_runs={study.n_runs}"])
    if keep not in ("runs", "cells"):
        raise StudyError([f"keep {keep!r} given; must be 'runs' or 'cells'"])
    n_threads = available_threads() if threads is None else threads
    if not 1 <= n_threads <= most_threads():
        raise StudyError([f"threads {threads} given; must be at least 1 and here at most {most_threads()}"])
    plan = Plan(study, shard_runs)
    if out is None:
        return _complete(plan, Memory(study, keep), n_threads, progress, start)
    wish = Wish(study, keep, overwrite, {"numerics": NUMERICS, "log_digest": log_digest()})
    with claim(files_at(out), wish) as store:
        if store.facts()["complete"]:
            finished = open_result(store.files)
            if progress:
                tell_finished(finished.facts, store.files.place)
            return finished
        _check_bits(store)
        return _complete(plan, store, n_threads, progress, start)


def _check_bits(store: Store) -> None:
    """Refuse to mix bits with those of another version or machine."""
    facts, here, study = store.facts(), log_digest(), store.study
    if facts.get("numerics") != NUMERICS:
        raise StoreError(
            f"results in {store.files.place!r} were begun by a version of xor-sweep whose numbers have other last "
            "bits; finish them with that version, or start anew with --overwrite"
        )
    if "normal" in study.values_of("distribution") and facts.get("log_digest") != here:
        raise StoreError(
            f"results in {store.files.place!r} were begun on a machine whose logarithm has other last bits, so "
            "normal initial weights would differ; finish them there, or start anew with --overwrite"
        )


def _complete(plan: Plan, parts: Store | Memory, n_threads: int, shown: bool, start: float) -> Result:
    """Train what is missing, and write what belongs to a finished result unless another process has."""
    training, study = Training(plan, parts, n_threads, shown), plan.study
    training.run()
    cells, commits = training.aggregate.cells(), list(training.commits.values())
    facts = {**totals(study, parts.keep, commits), **machine_facts(), "threads": n_threads}
    facts |= {"numerics": NUMERICS, "log_digest": log_digest()}
    digest = training.aggregate.digest()
    if digest is not None:
        facts["digest"] = digest
    facts["wall_seconds"] = time.time() - start
    facts["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
    if isinstance(parts, Memory):
        parts.cells = cells
        return Result(study, {**facts, "complete": True}, parts)
    if parts.facts()["complete"]:
        return open_result(parts.files)
    return Result(study, parts.finish(cells, facts), parts)
