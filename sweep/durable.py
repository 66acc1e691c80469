"""Files of a results folder: whole on the disk before they count, and read only as they were written."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.errors import StoreError, SweepError
from sweep.paths import local_folder

# Folders that cannot be synced: the file system does not offer it.
_NO_SYNC = (errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EOPNOTSUPP)

# No common file system takes longer names; folders above one would be made in vain.
_MOST_NAME_BYTES = 255

_NAMES: dict[type, str] = {
    str: "text",
    int: "a whole number of at least 0",
    float: "a finite number",
    bool: "true or false",
    type(None): "null",
}


def check_name(folder: Path) -> None:
    """Refuse what cannot be the path of a results folder.

    Raises
    ------
    StoreError
        If it is an address, or has a name that no folder can have.
    """
    local_folder(folder)
    if "\0" in str(folder):
        raise StoreError(f"results folder {str(folder)!r} given; its name must not hold a zero byte")
    if any(len(os.fsencode(name)) > _MOST_NAME_BYTES for name in folder.parts):
        raise StoreError(f"results folder {str(folder)!r} given; a name in it is too long (above 255 bytes)")


def check_parent(path: Path) -> None:
    """Refuse a file to write in a folder that does not exist, before the work for it is done.

    Raises
    ------
    SweepError
    """
    if not path.parent.is_dir():
        raise SweepError(f"{str(path)!r} cannot be written: there is no folder {str(path.parent)!r}")


def read_file(path: Path) -> bytes:
    """Read a regular file; a pipe or a device in its place might be read without end.

    Raises
    ------
    StoreError
        If it cannot be read, or is something else.
    """
    try:
        with open(path, "rb", opener=_open_regular) as file:
            return file.read()
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be read: {error.strerror}") from None


def _open_regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file")
    return descriptor


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, and wait until the disk has it; its name is safe when its folder is."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def link_new(draft: Path, path: Path) -> None:
    """Give a file its name, if that is not taken.

    Raises
    ------
    FileExistsError
        If it is taken by another file; network file systems may say so of this one.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        if not os.path.samefile(draft, path):
            raise


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file so that readers see the old or the new one, whole, also after a loss of power.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_new(draft, content)
        os.replace(draft, path)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of the files in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def json_bytes(facts: Mapping[str, Any]) -> bytes:
    """Encode facts together with their own hash."""
    return (json.dumps({**facts, "check": _check(facts)}, indent=2) + "\n").encode()


def read_json(path: Path) -> dict[str, Any]:
    """Read facts and verify their hash.

    Raises
    ------
    StoreError
        If the file cannot be read, or is not as it was written.
    """
    try:
        facts = json.loads(read_file(path))
        check = facts.pop("check")
        expected = _check(facts)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise StoreError(f"{str(path)!r} is damaged: it is not the JSON that was written") from None
    if check != expected:
        raise StoreError(f"{str(path)!r} is damaged or was changed: its contents do not match its check")
    return dict(facts)


def check_kinds(path: Path, facts: Mapping[str, Any], kinds: Mapping[str, tuple[type, ...]]) -> None:
    """Require keys whose values are of certain types; a float may be written as an integer.

    Raises
    ------
    StoreError
        If one is missing or of another type.
    """
    for key, allowed in kinds.items():
        if key not in facts:
            raise StoreError(f"{str(path)!r} is damaged: it has no {key!r}")
        if not any(_is_a(facts[key], kind) for kind in allowed):
            names = " or ".join(_NAMES[kind] for kind in allowed)
            raise StoreError(f"{str(path)!r} is damaged: its {key!r} is {facts[key]!r:.50} and must be {names}")


def _is_a(value: Any, kind: type) -> bool:
    if kind in (int, float) and type(value) is int:
        return bool(0 <= value < 2**63)
    return type(value) is kind and not (isinstance(value, float) and not math.isfinite(value))


def _check(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
