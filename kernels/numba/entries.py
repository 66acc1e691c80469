"""Files of compiled code, safe from stale and harmful ones.

An entry is one file, in a folder named by a hash of every kernel source, the versions of Python, Numba, llvmlite and
NumPy, Numba's options, and the target CPU. It begins with a SHA-256 of its identity (all of these, and what it is) and
its content. So an entry that is damaged, or replaced by another one, is ignored and then written again. An entry
that cannot be written is kept in memory.

Entries are unpickled, so only files are read that nobody else can have written: files of this user in folders of this
user, writable by no one else. Folders have the mode 0700 and files 0600. All entries together are kept below
``MOST_BYTES``; the least recently used ones are removed first.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import re
import secrets
import stat
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite
import numba
import numpy as np
from numba.core.registry import cpu_target

from kernels.sources import sources_digest

MOST_BYTES = 2**28

_DIGEST_BYTES = hashlib.sha256().digest_size

# Numba's options that change no machine code of ours: they concern messages and counters, or other targets.
# All others are part of the identity of an entry, including those of later versions.
_CHANGE_NO_CODE = re.compile("CACHE|COLOR|COVERAGE|CUDA|DUMP|GDB|HELP|HIGHLIGHT|HTML|PROFIL|THREAD|TIMINGS|TRACE|WARN")


class Entry(NamedTuple):
    """The identity of an entry."""

    conditions: str  # those under which it was compiled; see :func:`conditions`
    content: str  # identifies everything else that it depends on
    label: str  # the beginning of its file name, for human readers
    kind: str  # the suffix of its file name


# Attribute of a function that Numba compiles in a special way, with the purpose of the function.
MADE_FOR = "made_for"

# Entries that could not be written.
_unwritten: dict[Entry, bytes] = {}


def cache_root() -> Path:
    """Return the folder that holds all compiled code of this user, or raise RuntimeError if there is no home folder.

    As the XDG specification requires, an ``XDG_CACHE_HOME`` that is not absolute is ignored.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "xor-sweep"


@cache
def _made_from() -> str:
    """Hash everything but the CPU that machine code depends on."""
    versions = (platform.python_version(), numba.__version__, llvmlite.__version__, np.__version__)
    return hashlib.sha256(f"{sources_digest()}\0{versions!r}".encode()).hexdigest()


def compiler_options() -> dict[str, str]:
    """Return the current values of the Numba options on which machine code may depend."""
    options = sorted(name for name in vars(numba.config) if name.isupper() and not _CHANGE_NO_CODE.search(name))
    return {name: repr(getattr(numba.config, name)) for name in options}


def conditions() -> str:
    """Return all that code depends on: sources, versions, options, and the CPU that it is compiled for."""
    return f"{_made_from()}\0{compiler_options()}\0{cpu_target.target_context.codegen().magic_tuple()!r}"


def is_there(entry: Entry) -> bool:
    """Return whether an entry exists; only reading it shows whether it is intact."""
    try:
        path = _path(entry)
        return entry in _unwritten or (path.is_file() and _are_private(path.parent.parent, path.parent))
    except (OSError, RuntimeError):
        return entry in _unwritten


def read(entry: Entry) -> Any:
    """Return the content of an entry, or None if no intact entry of this user exists."""
    payload = _unwritten.get(entry) or _read(entry)
    return None if payload is None else pickle.loads(payload)


def keep(entry: Entry, content: object) -> None:
    """Pickle the content of an entry and write it."""
    write({entry: pickle.dumps(content)})


def write(pickled: dict[Entry, bytes]) -> None:
    """Write pickled entries, and keep in memory those that cannot be written."""
    for entry, payload in pickled.items():
        if not _write(entry, payload):
            _unwritten[entry] = payload
    with suppress(OSError, RuntimeError):
        forget_oldest(cache_root(), MOST_BYTES)


def n_unwritten() -> int:
    """Return how many entries this process could not write."""
    return len(_unwritten)


def forget_oldest(root: Path, most_bytes: int) -> None:
    """Remove the least recently used files below ``root`` until the rest have at most ``most_bytes`` bytes."""
    files = []
    for path in root.rglob("*"):
        with suppress(OSError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                files.append((status.st_mtime_ns, status.st_size, path))
    excess = sum(size for _, size, _ in files) - most_bytes
    for _, size, path in sorted(files):
        if excess <= 0:
            break
        excess -= size
        with suppress(OSError):
            path.unlink()
    for folder in root.glob("*"):
        with suppress(OSError):
            folder.rmdir()  # fails where entries are left


def _path(entry: Entry) -> Path:
    """Return the path of an entry, in the folder of all entries compiled under the same conditions."""
    folder, file = (hashlib.sha256(text.encode()).hexdigest() for text in (entry.conditions, entry.content))
    return cache_root() / folder[:16] / f"{entry.label}-{file[:32]}.{entry.kind}"


def _read(entry: Entry) -> bytes | None:
    """Return the content of an entry's file, or None if no intact file of this user exists."""
    try:
        path = _path(entry)
        if not _are_private(path.parent.parent, path.parent):
            return None
        content = _read_private(path)
    except (OSError, RuntimeError):  # no such file, or no home folder
        return None
    payload = content[_DIGEST_BYTES:]
    if _checksum(entry, payload) != content[:_DIGEST_BYTES]:
        return None
    with suppress(OSError):
        os.utime(path)  # mark it as used now
    return payload


def _write(entry: Entry, payload: bytes) -> bool:
    """Write the file of an entry, and return whether that succeeded."""
    try:
        path = _path(entry)
        path.parent.parent.parent.mkdir(parents=True, exist_ok=True)
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        if not _are_private(path.parent.parent, path.parent):
            return False
        _write_private(path, _checksum(entry, payload) + payload)
    except (OSError, RuntimeError):
        return False
    return True


def _checksum(entry: Entry, payload: bytes) -> bytes:
    return hashlib.sha256("\0".join((entry.conditions, entry.content, "")).encode() + payload).digest()


def _are_private(*folders: Path) -> bool:
    """Check that folders belong to this user, and remove the permissions of others."""
    for folder in folders:
        status = folder.stat()
        if status.st_uid != os.geteuid():
            _say_unused(folder, "belongs to another user")
            return False
        if status.st_mode & 0o077:
            with suppress(OSError):  # a file system that cannot be written
                folder.chmod(0o700)
            if folder.stat().st_mode & 0o022:
                _say_unused(folder, "can be written by others, and chmod does not change that")
                return False
    return True


@cache
def _say_unused(folder: Path, why: str) -> None:
    """Print once why the cache cannot be used."""
    print(
        f"{folder} {why}: each process compiles its kernels again; set XDG_CACHE_HOME to a folder of yours",
        file=sys.stderr,
    )


def _read_private(path: Path) -> bytes:
    """Read a file that only this user can have written; OSError if there is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        os.close(descriptor)
        raise PermissionError(f"{path} may have been written by others")
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _write_private(path: Path, content: bytes) -> None:
    """Replace a file atomically by one that only this user can read and write."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        os.replace(draft, path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
