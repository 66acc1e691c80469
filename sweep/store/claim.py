"""How a run gets its results folder: exclusively at first, then shared with runs of the same study.

A run first tries to lock the folder exclusively. Only with that lock it creates the folder, removes results for
`--overwrite`, or removes leftovers of killed processes. It continues with a shared lock. As another run may come in
between the two locks, it then reads which study the folder holds. If the exclusive lock is taken, another process is
training: a run of the same study joins in, another study is refused.

Without locks, as in object stores, every run acts as if it had the folder exclusively. If several begin at once, one
creates run.json, and the others read and follow it.
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
from sweep.store.commits import COMMIT_NAME
from sweep.store.contents import FILES, FOLDERS, collect_leftovers, fitting, holds_results, remove_results
from sweep.store.files import Files, Lock
from sweep.store.mixture import MixtureError
from sweep.store.records import encode_record
from sweep.store.run_facts import FORMAT, read_facts, read_study, refuse_later_format
from sweep.store.store import Store
from sweep.study.model import Study

# Attempts to get either lock, as several runs may start at once.
_MOST_TRIES = 100

_logger = logging.getLogger("sweep")


@dataclass(frozen=True)
class Wish:
    """The requirements of a run for its results folder.

    Attributes
    ----------
    study, keep
        Contents of the folder.
    overwrite
        Whether to remove earlier results first.
    bits
        Facts of the training on which bits depend, for a new result.
    waves
        Number of seeds of a cell in each wave, for a new result.
    """

    study: Study
    keep: str
    overwrite: bool
    bits: Bits
    waves: tuple[int, ...]


@contextmanager
def claim(files: Files, wish: Wish) -> Iterator[Store]:
    """Hold a results folder for a study: a new one, or one that holds part or all of the study.

    Raises
    ------
    StoreError
        If the folder holds something else, cannot be written, or is in use for another study.
    """
    files.make()
    lock = files.lock()
    try:
        store = _agree(files, lock, wish)
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


def _agree(files: Files, lock: Lock, wish: Wish) -> Store:
    """Share the lock of a folder that holds the wanted study."""
    refuse_later_format(files)
    overwrite = wish.overwrite
    for _ in range(_MOST_TRIES):
        holder = None if lock.take_alone() else lock.holder()
        if holder is None:
            _prepare(files, wish, overwrite, tidy=lock.excludes)
            overwrite = False
        elif overwrite:
            raise StoreError(
                f"results folder {files.place!r} is in use by {holder} for {_present(files)}; "
                "wait for its end or give another folder (--out)"
            )
        lock.take_shared()
        if files.has("study.toml"):
            try:
                _check_same(files, wish, holder)
                store = Store.open(files)
            except StoreError:
                if files.has("study.toml"):
                    raise
            else:
                store.trained_by(wish.bits)
                store.lock = lock
                store.shared = holder is not None or not lock.excludes
                _tell(store, holder, lock.refusal)
                return store
        time.sleep(secrets.randbelow(20) / 1000)  # the folder was emptied, or the lock's holder was killed
    raise StoreError(f"results folder {files.place!r} cannot be used: other processes keep emptying it")


def _present(files: Files) -> str:
    """Name the study in a folder."""
    try:
        study = read_study(files)
    except StoreError:
        return "a study"
    return f"study {study.name!r} ({study.identity[:12]})"


def _tell(store: Store, holder: str | None, refusal: str | None) -> None:
    """Inform users who else may write into the folder."""
    if refusal:
        _logger.warning(
            "%r cannot be locked (%s): see to it that no other study is run in it", store.files.place, refusal
        )
    if holder and not store.facts()["complete"]:
        _logger.warning("%s is training this study in %r too: the work is shared", holder, store.files.place)


def _prepare(files: Files, wish: Wish, overwrite: bool, tidy: bool) -> None:
    """Create or empty a folder that is held exclusively; remove leftovers if nobody else can be writing."""
    facts = {"format": FORMAT, "identity": wish.study.identity, "keep": wish.keep, "waves": wish.waves}
    facts |= wish.bits.told() | {"complete": False}
    record = encode_record(facts)
    if overwrite and holds_results(files):
        remove_results(files, facts)
        if not files.on_file_system:  # run.json marks the place as ours, so it always exists
            files.replace("run.json", record)
    if files.has("study.toml"):
        _check_same(files, wish, None)
    else:
        _check_unused(files, wish)
    begun = files.has("run.json")
    if not (begun and read_facts(files)["complete"]):
        for folder in FOLDERS:
            files.make_folder(folder)
    if not begun:
        if fitting(files, "commits", COMMIT_NAME) and not files.has("run.json"):  # others may have begun meanwhile
            raise StoreError(f"results in {files.place!r} have lost their run.json; sweep verify --repair restores it")
        if not files.create("run.json", record):
            _check_facts(files, wish)
        files.settle()
    if not files.has("study.toml"):
        if not files.create("study.toml", wish.study.to_toml().encode()):
            _check_same(files, wish, None)
        files.settle()
    if tidy:
        collect_leftovers(files, wish.study)


def _check_same(files: Files, wish: Wish, holder: str | None) -> None:
    """Refuse a folder that holds another study, or the same study with other parts (``keep``)."""
    begun = files.has("run.json")
    if not begun and not holds_results(files):
        raise StoreError(f"folder {files.place!r} holds a study.toml but no results; give another one (--out)")
    present = read_study(files)
    if present.identity != wish.study.identity:
        names = f"({present.identity[:12]}, not {wish.study.identity[:12]})"
        remedy = _remedy(files, wish, present, holder)
        raise StoreError(f"results folder {files.place!r} holds another study {names}{remedy}")
    if begun:
        _check_facts(files, wish)


def _remedy(files: Files, wish: Wish, present: Study, holder: str | None) -> str:
    """Return the advice for a folder that holds another study; runs shared with this study can be reused."""
    if holder:
        return f", in use by {holder}; give another one with --out"
    if wish.study.shares_runs_with(present) and files.has("run.json") and read_facts(files)["keep"] == "runs":
        return (
            " that shares runs with this one; give another folder with --out and reuse these runs with "
            f"--reuse {shown(files.place)}, or remove them with --overwrite"
        )
    return "; --overwrite removes it, or give another one with --out"


def _check_facts(files: Files, wish: Wish) -> None:
    """Refuse a run.json of another study, or of the same study with other parts (``keep``)."""
    facts = read_facts(files)
    if facts["identity"] != wish.study.identity:
        raise StoreError(f"results folder {files.place!r} holds another study; give another one with --out")
    if facts["keep"] != wish.keep:
        raise StoreError(
            f"results folder {files.place!r} keeps {facts['keep']}, not {wish.keep}; give another one with --out"
        )


def _check_unused(files: Files, wish: Wish) -> None:
    """Refuse a folder without a study that holds other files than remains of this study."""
    if files.has("run.json"):
        _check_facts(files, wish)
    if holds_results(files):
        return
    strange = [name for name in files.names() if name not in {*FOLDERS, *FILES} and not name.startswith(".")]
    if strange:
        raise StoreError(f"results folder {files.place!r} holds other files ({strange[0]!r}); give a new one (--out)")
