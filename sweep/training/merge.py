"""Merge parts of one study that were trained in separate folders."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kernels.floating_point import default_floating_point
from sweep.errors import StoreError
from sweep.results.result import Result
from sweep.store.bits import Bits
from sweep.store.claim import FolderRequest, claim
from sweep.store.commits import check_planned
from sweep.store.local import files_at
from sweep.store.reader import StoreReader
from sweep.system.host import thread_count
from sweep.training.coordinator import Coordinator
from sweep.training.executors.threads import ThreadExecutor
from sweep.training.limits import Limits
from sweep.training.run import complete


@default_floating_point
def merge(
    sources: Sequence[str | Path], out: str | Path, *, overwrite: bool = False, progress: bool | None = None
) -> Result:
    """Copy the finished parts of results of one study into one folder, and complete the result if all are present.

    Parameters
    ----------
    sources
        Results folders, complete or partial. If several hold a part, the first one is used.
    out
        Results folder; it may hold part of the same study.
    overwrite
        Remove earlier results in ``out`` first.
    progress
        Show progress; by default if it takes long, as of :func:`sweep.run`.

    Returns
    -------
    Result
        Partial if some parts are in no folder; running the study in ``out`` trains the rest.

    Raises
    ------
    StoreError
        If the results differ in study, ``numerics_version`` or logarithm, one is damaged, or ``out`` cannot be written.
    """
    start, threads = time.time(), thread_count(None)
    if isinstance(sources, (str, Path)):
        raise StoreError(f"sources: must be a list of results folders, got {str(sources)!r}")
    if not sources:
        raise StoreError("sources: must name at least one results folder, got none")
    stores = [StoreReader.open(source) for source in sources]
    first = stores[0]
    for store in stores[1:]:
        _check_same(first, store)
    if overwrite and any(files_at(out).same_as(store.files) for store in stores):
        raise StoreError(f"{str(out)!r} cannot be both merged and overwritten; choose another folder (--out)")
    plan = first.plan
    found = [store.commits() for store in stores]
    with claim(files_at(out), FolderRequest(first.study, first.keep, overwrite, first.bits, first.waves)) as target:
        _check_same(first, target)
        if target.facts()["complete"]:
            raise StoreError(
                f"results folder {target.files.place!r} is already complete; choose another folder (--out)"
            )
        present = set(target.commits())
        for store, commits in zip(stores, found, strict=True):
            for commit in commits.values():
                check_planned(commit, plan)
                if commit.part not in present:
                    target.copy_part(store, commit)
                    present.add(commit.part)
        return complete(Coordinator(plan, target, Limits(runs=0), progress), partial(ThreadExecutor, 1), start, threads)


def _check_same(first: StoreReader, other: StoreReader) -> None:
    """Refuse a result that does not fit the first one."""
    refused = f"{other.files.place!r} cannot be merged with {first.files.place!r}"
    if other.identity != first.identity:
        raise StoreError(f"{refused}: it holds another study; merge shards of one study")
    if other.keep != first.keep:
        raise StoreError(f"{refused}: it keeps {other.keep}, not {first.keep}")
    if other.waves != first.waves:
        raise StoreError(f"{refused}: it was started by a version that divides the seeds into other waves")
    difference = Bits.of(other.facts()).difference(Bits.of(first.facts()), first.study)
    if difference:
        facts = difference.clause("there", f"in {first.files.place!r}")
        raise StoreError(f"{refused}: it was trained {difference.cause} ({facts})")
