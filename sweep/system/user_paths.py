"""Checks of files and folders that users name, before they are read or written."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from sweep.errors import StoreError, shown

# A study of 65,536 patterns and a dozen inputs has 20 MB. Larger files would need gigabytes of memory to parse.
MAX_BYTES = 64 * 2**20
_CHUNK = 2**20

_OWN_PIPE = re.compile(r"/dev/(stdin|fd/\d+)|/proc/(self|\d+)/fd/\d+", re.ASCII)
# Of "s3://bucket" a Path leaves "s3:/bucket", and of "s3://" only "s3:".
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?:/+(.*))?", re.ASCII | re.DOTALL)


def read_text(path: Path) -> str:
    """Return the text of a file, without a byte order mark.

    Regular files are read, and pipes that the process inherited: those of ``<(command)`` in a
    shell and ``/dev/stdin``. Named pipes and devices are refused, since they may never end.

    Raises
    ------
    ValueError
        If the file cannot be read, is larger than 64 MiB or is not UTF-8 text; the message is part of a sentence.
    """
    too_large = ValueError(f"it is larger than {MAX_BYTES:,} bytes, the most that are read of one file")
    content = bytearray()
    try:
        status = path.stat()
        _check_kind(path, status.st_mode)
        if status.st_size > MAX_BYTES:
            raise too_large
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                content += chunk
                if len(content) > MAX_BYTES:
                    raise too_large
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not a text file in UTF-8") from None


def _check_kind(path: Path, mode: int) -> None:
    """Raise ValueError for anything but a regular file or an inherited pipe."""
    if stat.S_ISDIR(mode):
        raise ValueError("it is a folder")
    own_pipe = stat.S_ISFIFO(mode) and _OWN_PIPE.fullmatch(os.path.normpath(path))
    if not stat.S_ISREG(mode) and not own_pipe:
        raise ValueError("it is a pipe or a device, not a regular file")


def address_of(place: str | Path) -> tuple[str, str] | None:
    """Return scheme and rest of an address such as ``s3://bucket/results``; None for a path.

    >>> address_of("s3://bucket/results")
    ('s3', 'bucket/results')
    """
    address = _ADDRESS.fullmatch(str(place))
    return (address[1], address[2] or "") if address else None


def local_folder(path: str | Path) -> Path:
    """Return the path of a file or folder of this machine.

    Raises
    ------
    StoreError
        If it is an address such as ``s3://bucket/results``.
    """
    address = address_of(path)
    if address:
        raise StoreError(f"{shown('://'.join(address))} given; addresses are not supported here, so give a local path")
    return Path(path)
