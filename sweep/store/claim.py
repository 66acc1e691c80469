"""How a run gets its results folder: alone at first, then together with others that run the same study.

A run takes the lock of the folder for itself if it can. Only then does it make the
folder, remove what `--overwrite` asks for, or tidy up after killed processes. It
goes on with a lock that others may share. As another may come in between these two,
it reads then which study the folder holds. If the lock is not to be had alone,
somebody is training: the same study shares the work, another one is refused.

Where there are no locks, as in object stores, everybody takes the folder for their own.
Of several that begin in it, one creates run.json, which the others read and obey.
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
from sweep.store.run_facts import read_facts, read_study
from sweep.store.store import Store
from sweep.study.model import Study

# Of several that come at once each tries so often to be the first.
_MOST_TRIES = 100

_logger = logging.getLogger("sweep")


@dataclass(frozen=True)
class Wish:
    """What a run wants of a folder.

    Attributes
    ----------
    study, keep
        What it will hold.
    overwrite
        Whether to remove earlier results first.
    bits
        By what a study is trained that begins.
    waves
        Seeds of a cell in each wave of a study that begins.
    """

    study: Study
    keep: str
    overwrite: bool
    bits: Bits
    waves: tuple[int, ...]


@contextmanager
def claim(files: Files, wish: Wish) -> Iterator[Store]:
    """Hold a results folder for a study: a new one, or one that holds part or all of it.

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
    """Tell whether an error came of others who began anew in a place without locks, whatever it says."""
    if store.lock.excludes or not isinstance(error, StoreError) or isinstance(error, MixtureError):
        return False
    return store.was_removed()


def _agree(files: Files, lock: Lock, wish: Wish) -> Store:
    """Share the lock of a folder that holds what is wished for."""
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
        time.sleep(secrets.randbelow(20) / 1000)  # it was emptied since, or who had it for itself was killed
    raise StoreError(f"results folder {files.place!r} cannot be used: others remove what is in it")


def _present(files: Files) -> str:
    """Name the study in a folder."""
    try:
        study = read_study(files)
    except StoreError:
        return "a study"
    return f"study {study.name!r} ({study.identity[:12]})"


def _tell(store: Store, holder: str | None, refusal: str | None) -> None:
    """Say what users should know of who else may write into the folder."""
    if refusal:
        _logger.warning(
            "%r cannot be locked (%s): see to it that no other study is run in it", store.files.place, refusal
        )
    if holder and not store.facts()["complete"]:
        _logger.warning("%s is training this study in %r too: the work is shared", holder, store.files.place)


def _prepare(files: Files, wish: Wish, overwrite: bool, tidy: bool) -> None:
    """Make or empty a folder that this run has for itself, and tidy up if that is certain."""
    facts = {"identity": wish.study.identity, "keep": wish.keep, "waves": wish.waves, "complete": False}
    record = encode_record(facts | wish.bits.told())
    if overwrite and holds_results(files):
        remove_results(files)
        if not files.on_file_system:  # where run.json says that the place is ours, and so is never gone
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
    """Refuse a folder that holds another study, or the same one kept otherwise."""
    begun = files.has("run.json")
    if not begun and not holds_results(files):
        raise StoreError(f"folder {files.place!r} holds a study.toml that is no result; give another one (--out)")
    present = read_study(files)
    if present.identity != wish.study.identity:
        names = f"({present.identity[:12]}, not {wish.study.identity[:12]})"
        remedy = _remedy(files, wish, present, holder)
        raise StoreError(f"results folder {files.place!r} holds another study {names}{remedy}")
    if begun:
        _check_facts(files, wish)


def _remedy(files: Files, wish: Wish, present: Study, holder: str | None) -> str:
    """Say what to do about a folder that holds another study: with runs of this one they need not be trained again."""
    if holder:
        return f", in use by {holder}; give another one with --out"
    if wish.study.shares_runs_with(present) and files.has("run.json") and read_facts(files)["keep"] == "runs":
        return (
            ", some of whose runs are runs of this one; give another folder with --out and take them from here with "
            f"--reuse {shown(files.place)}, or remove them with --overwrite"
        )
    return "; --overwrite removes it, or give another one with --out"


def _check_facts(files: Files, wish: Wish) -> None:
    """Refuse a run.json of another study, or of the same one kept otherwise."""
    facts = read_facts(files)
    if facts["identity"] != wish.study.identity:
        raise StoreError(f"results folder {files.place!r} holds another study; give another one with --out")
    if facts["keep"] != wish.keep:
        raise StoreError(
            f"results folder {files.place!r} keeps {facts['keep']}, not {wish.keep}; give another one with --out"
        )


def _check_unused(files: Files, wish: Wish) -> None:
    """Refuse a folder without a study that holds anything but what is left of this study."""
    if files.has("run.json"):
        _check_facts(files, wish)
    if holds_results(files):
        return
    strange = [name for name in files.names() if name not in {*FOLDERS, *FILES} and not name.startswith(".")]
    if strange:
        raise StoreError(f"results folder {files.place!r} holds other files ({strange[0]!r}); give a new one (--out)")
