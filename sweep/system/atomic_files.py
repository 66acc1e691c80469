"""Atomic files of a results folder: a file gets its final name only once all of it is on the disk."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from sweep.errors import StoreError, SweepError, shown
from sweep.system.user_files import local_folder

# Error numbers of file systems without hard links, such as those of memory cards.
_NO_LINKS = (errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
# Error numbers of systems or file systems that cannot rename without replacing.
_NO_RENAMING = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)

# Error numbers of file systems that cannot sync a folder.
_NO_SYNC = (errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EOPNOTSUPP)

# No common file system allows longer names. Refuse them before any folder is created.
_MOST_NAME_BYTES = 255


def check_name(folder: Path) -> None:
    """Refuse a path that is an address, holds a zero byte, or has a name of more than 255 bytes."""
    local_folder(folder)
    if "\0" in str(folder):
        raise StoreError(f"results folder: must not contain a zero byte, got {str(folder)!r}")
    if any(len(os.fsencode(name)) > _MOST_NAME_BYTES for name in folder.parts):
        raise StoreError(f"results folder: names must have at most {_MOST_NAME_BYTES} bytes, got {shown(str(folder))}")


def check_parent(path: Path) -> None:
    """Check that the folder of an output file exists, before any work for the file."""
    if not path.parent.is_dir():
        raise SweepError(f"{str(path)!r} cannot be written: there is no folder {str(path.parent)!r}")


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file. Pipes and devices are refused, since reading them may never end."""
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
        raise OSError(errno.EINVAL, "it is not a regular file")
    return descriptor


def write_new(path: Path, content: bytes) -> None:
    """Write a new file and wait until the disk holds its content; syncing its folder makes its name durable too."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def link_new(draft: Path, path: Path) -> None:
    """Give a file its final name unless that exists; without hard links, rename the draft.

    FileExistsError if another file has this name: network file systems may report it for this very file. Another
    OSError if linking fails, as on a file system with neither hard links nor a rename that replaces nothing.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        if not os.path.samefile(draft, path):
            raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename_new(draft, path)


def _rename_new(draft: Path, path: Path) -> None:
    """Rename a file unless the new name exists, by a system call for which Python has no function."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    old = os.fsencode(draft)
    new = os.fsencode(path)
    if hasattr(library, "renameat2"):  # Linux, with AT_FDCWD twice and RENAME_NOREPLACE
        failed = library.renameat2(-100, old, -100, new, 1)
    elif hasattr(library, "renamex_np"):  # macOS, with RENAME_EXCL
        failed = library.renamex_np(old, new, 4)
    else:
        failed = ctypes.set_errno(errno.ENOSYS) or -1
    number = ctypes.get_errno() if failed else 0
    if number in _NO_RENAMING:
        raise OSError(
            number,
            "its file system has neither hard links nor a rename that replaces nothing, so files cannot be created "
            "atomically; choose a folder on another file system (--out)",
        )
    if number:
        raise OSError(number, os.strerror(number))


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: readers see the old or the new content, also after a loss of power."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_new(draft, content)
        os.replace(draft, path)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):  # a draft that cannot be removed is a leftover; after the rename there is none
            draft.unlink()


def check_output(path: Path) -> None:
    """Refuse an output file that is an address, has no folder, or is no regular file, before any work for it."""
    check_parent(local_folder(path))
    if os.path.lexists(path) and not path.is_file():
        raise SweepError(f"{str(path)!r} cannot be written: it is not a regular file")


def sync_folder(folder: Path) -> None:
    """Wait until the disk holds the names of the files in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)
