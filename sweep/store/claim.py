"""How a run gets its results folder: exclusively at first, then shared with runs of the same study.

Only with the exclusive lock does a run create or empty the folder. Another run may come in before the shared lock, so
the run then reads which study the folder holds. Without locks, one of several runs creates run.json, the others join.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sweep.errors import StoreError, shown
from sweep.store.bits import Bits
from sweep.store.commits import COMMIT_NAME, MixtureError, encode_record
from sweep.store.contents import FILES, FOLDERS, collect_leftovers, fitting, holds_results, remove_results
from sweep.store.files import Files, Lock
from sweep.store.run_facts import FORMAT, read_facts, read_identity, read_study, refuse_later_format
from sweep.store.store import Store
from sweep.study.model import Study

# Attempts to get either lock, as several runs may start at once.
_MOST_TRIES = 100

_logger = logging.getLogger("sweep")


@dataclass(frozen=True)
class FolderRequest:
    """What a run needs of its results folder; bits and waves are those of a new result."""

    study: Study
    keep: str
    overwrite: bool  # whether to remove earlier results first
    bits: Bits  # facts of the training on which bits depend, for a new result
    waves: tuple[int, ...]  # number of seeds of a cell in each wave, for a new result


@contextmanager
def claim(files: Files, request: FolderRequest) -> Iterator[Store]:
    """Hold a results folder for a study: a new one, or one that holds part or all of the study."""
    files.make()
    lock = files.lock()
    try:
        store = _agree(files, lock, request)
        try:
            yield store
        except BaseException as error:
            with suppress(StoreError):
                store.sync_commits()
            if _is_of_removal(error, store):
                raise store.removed_error() from None
            raise
    finally:
        lock.release()


def _is_of_removal(error: BaseException, store: Store) -> bool:
    """Tell whether an error was caused by another process that removed the results, where there are no locks."""
    if store.lock.excludes or not isinstance(error, StoreError) or isinstance(error, MixtureError):
        return False
    return store.was_removed()


def _agree(files: Files, lock: Lock, request: FolderRequest) -> Store:
    """Share the lock of a folder that holds the wanted study."""
    refuse_later_format(files)
    overwrite = request.overwrite
    for _ in range(_MOST_TRIES):
        holder = None if lock.take_alone() else lock.holder()
        if holder is None:
            _prepare(files, request, overwrite, tidy=lock.excludes)
            overwrite = False
        elif overwrite:
            raise StoreError(
                f"results folder {files.place!r} is in use by {holder} for {_present(files)}; "
                "wait until it ends, or choose another folder (--out)"
            )
        lock.take_shared()
        if files.has("study.toml"):
            try:
                _check_same(files, request, holder)
                store = Store.open(files)
            except StoreError:
                if files.has("study.toml"):
                    raise
            else:
                store.trained_by(request.bits)
                store.lock = lock
                store.shared = holder is not None or not lock.excludes
                _warn(store, holder, lock.refusal)
                return store
        time.sleep(secrets.randbelow(20) / 1000)  # the folder was emptied, or the lock's holder was killed
    raise StoreError(f"results folder {files.place!r} cannot be used: other processes empty it again and again")


def _present(files: Files) -> str:
    try:
        study = read_study(files)
    except StoreError:
        return "a study"
    return f"study {study.name!r} ({study.identity[:12]})"


def _warn(store: Store, holder: str | None, refusal: str | None) -> None:
    """Log who else may write into the folder."""
    if refusal:
        _logger.warning(
            "%r cannot be locked (%s): do not run another study in it at the same time", store.files.place, refusal
        )
    if holder and not store.facts()["complete"]:
        _logger.warning("%s also trains this study in %r: both share the work", holder, store.files.place)


def _prepare(files: Files, request: FolderRequest, overwrite: bool, tidy: bool) -> None:
    """Create or empty a folder that is held exclusively; remove leftovers if nobody else can be writing."""
    facts = {"format": FORMAT, "identity": request.study.identity, "keep": request.keep, "waves": request.waves}
    facts |= request.bits.as_dict() | {"complete": False}
    record = encode_record(facts)
    if overwrite and holds_results(files):
        remove_results(files, facts)
        if not files.on_file_system:  # run.json marks the place as ours, so it always exists
            files.replace("run.json", record)
    if files.has("study.toml"):
        _check_same(files, request, None)
    else:
        _check_unused(files, request)
    begun = files.has("run.json")
    if not (begun and read_facts(files)["complete"]):
        for folder in FOLDERS:
            files.make_folder(folder)
    if not begun:
        if fitting(files, "commits", COMMIT_NAME) and not files.has("run.json"):  # others may have started meanwhile
            raise StoreError(f"results in {files.place!r} have lost run.json; 'sweep verify --repair' restores it")
        files.create("run.json", record)
        files.settle()
    if not files.has("study.toml"):
        _check_facts(files, request)  # without locks, a run of another study may have created run.json at any moment
        if not files.create("study.toml", request.study.to_toml().encode()):
            _check_same(files, request, None)
        files.settle()
    if tidy:
        collect_leftovers(files, request.study)


def _check_same(files: Files, request: FolderRequest, holder: str | None) -> None:
    """Refuse a folder that holds another study, or the same study with another ``keep``."""
    begun = files.has("run.json")
    if not begun and not holds_results(files):
        raise StoreError(f"folder {files.place!r} holds a study.toml but no results; choose another folder (--out)")
    present = read_identity(files)
    if present != request.study.identity:
        names = f"(identity {present[:12]}; yours has {request.study.identity[:12]})"
        remedy = _remedy(files, holder)
        raise StoreError(f"results folder {files.place!r} holds another study {names}{remedy}")
    if begun:
        _check_facts(files, request)


def _remedy(files: Files, holder: str | None) -> str:
    """Return the advice for a folder that holds another study, some of whose runs may be those of this one."""
    if holder:
        return f", which {holder} is training; choose another folder (--out)"
    keeps_runs = files.has("run.json") and read_facts(files)["keep"] == "runs"
    reuse = f" (--reuse {shown(files.place)} copies the runs that the studies share)" if keeps_runs else ""
    return f"; choose another folder with --out DIR{reuse}, or replace these results with --overwrite"


def _check_facts(files: Files, request: FolderRequest) -> None:
    """Refuse a run.json of another study, or of the same study with another ``keep``."""
    facts = read_facts(files)
    if facts["identity"] != request.study.identity:
        raise StoreError(f"results folder {files.place!r} holds another study; choose another folder (--out)")
    if facts["keep"] != request.keep:
        raise StoreError(
            f"keep: must be {facts['keep']!r} as in results folder {files.place!r}, got {request.keep!r}; change it "
            "or choose another folder (--out)"
        )


def _check_unused(files: Files, request: FolderRequest) -> None:
    """Refuse a folder without a study that holds any other files than leftovers of this study."""
    if files.has("run.json"):
        _check_facts(files, request)
    if holds_results(files):
        return
    strange = [name for name in files.names() if name not in {*FOLDERS, *FILES} and not name.startswith(".")]
    if strange:
        raise StoreError(f"results folder {files.place!r} holds other files ({strange[0]!r}); choose a new one (--out)")
