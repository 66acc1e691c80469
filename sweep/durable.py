"""Files of a results folder: whole on the disk before they count, and read only as they were written."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from sweep.errors import StoreError, SweepError
from sweep.paths import local_folder

# Folders that cannot be synced: the file system does not offer it.
_NO_SYNC = (errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EOPNOTSUPP)

# No common file system takes longer names; folders above one would be made in vain.
_MOST_NAME_BYTES = 255


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
        If it cannot be read, is something else, or does not fit into memory.
    """
    try:
        with open(path, "rb", opener=_open_regular) as file:
            return file.read()
    except MemoryError:
        raise StoreError(f"{str(path)!r} cannot be read: it does not fit into memory") from None
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
        with suppress(OSError):  # a draft that stays is a leftover; what was renamed has gone
            draft.unlink()


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
