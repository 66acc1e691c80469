"""Put together parts of one study that were trained in folders of their own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from kernels.floating_point import default_floating_point
from sweep.bits import BITS, compared
from sweep.engine import complete
from sweep.errors import StoreError
from sweep.executors.threads import ThreadExecutor
from sweep.limits import Limits
from sweep.plan import Plan
from sweep.result import Result
from sweep.store.claim import Wish, claim
from sweep.store.mixture import strangers
from sweep.store.place import files_at
from sweep.store.reader import StoreReader
from sweep.training import Training

# Facts on which results must agree for their rows to be those of one run of the study.
_SAME = {
    "identity": "is of another study",
    "keep": "keeps other parts (runs or cells)",
    "numerics": "was trained by a version of xor-sweep whose numbers have other last bits",
    "log_digest": "was trained on a machine whose logarithm has other last bits, so normal initial weights differ",
    "sources_digest": "was trained by other sources of kernels, whose numbers might have other last bits",
    "pcg64_digest": "was trained on a machine whose log1p or exp has other last bits, so normal initial weights differ",
}

# What older versions do not tell.
_NEWER = ("sources_digest", "pcg64_digest")


@default_floating_point
def merge(sources: Sequence[str | Path], out: str | Path, *, overwrite: bool = False, progress: bool = False) -> Result:
    """Copy the finished shards of results of one study into one folder, and make the result if all are there.

    Parameters
    ----------
    sources
        Results folders, whole or partial. Of a shard that several have the first counts.
    out
        Results folder; it may hold part of the same study.
    overwrite
        Remove earlier results in ``out`` first.
    progress
        Show progress on standard error.

    Returns
    -------
    Result
        Partial where shards are in none of them; running the study in ``out`` trains the rest.

    Raises
    ------
    StoreError
        If they are not of one study, numerics and logarithm, one is damaged, or ``out`` cannot be written.
    """
    start = time.time()
    if not sources:
        raise StoreError("no results folders given to merge")
    stores = [StoreReader.open(source) for source in sources]
    first = stores[0]
    for store in stores[1:]:
        _check_same(first, store)
    if overwrite and any(files_at(out).same_as(store.files) for store in stores):
        raise StoreError(f"{str(out)!r} is merged and overwritten at once; give another folder (--out)")
    plan = Plan(first.study)
    found = [store.commits() for store in stores]
    every = chain.from_iterable(commits.values() for commits in found)
    for _, difference in strangers(every, first.study, first.bits, first.whose):
        raise StoreError(f"results that are not of one training cannot be merged: {difference}")
    with claim(files_at(out), Wish(first.study, first.keep, overwrite, first.bits.told())) as target:
        _check_same(first, target)
        if target.facts()["complete"]:
            raise StoreError(f"results folder {target.files.place!r} is complete already; give another one with --out")
        present = set(target.commits())
        for store, commits in zip(stores, found, strict=True):
            for commit in commits.values():
                plan.check(commit)
                if commit.shard not in present:
                    target.copy_part(store, commit)
                    present.add(commit.shard)
        return complete(Training(plan, target, Limits(runs=0), progress), partial(ThreadExecutor, 1), start)


def _check_same(first: StoreReader, other: StoreReader) -> None:
    """Refuse a result whose rows are not of the same training."""
    one, two = first.facts(), other.facts()
    for name, what in _SAME.items():
        if name in BITS and name not in compared(first.study):
            continue
        if name in _NEWER and None in (one.get(name), two.get(name)):
            continue
        if one.get(name) != two.get(name):
            raise StoreError(f"{other.files.place!r} cannot be merged with {first.files.place!r}: it {what}")
