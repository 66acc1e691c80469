"""Read whole files that users name: regular files of a bounded size."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

# Most bytes of one file, encoded and decoded. A study of 65,536 patterns and a dozen inputs has 20 MB.
MAX_BYTES = 64 * 2**20
# Most numbers of one file, as floats of eight bytes.
MAX_NUMBERS = MAX_BYTES // 8
_CHUNK = 2**20

_OWN_PIPE = re.compile(r"/dev/(stdin|fd/\d+)|/proc/(self|\d+)/fd/\d+", re.ASCII)


def read_bytes(path: Path) -> bytes:
    """Return the content of a file of up to 64 MiB, or raise ValueError with part of a sentence.

    Regular files are read, and pipes that the process inherited: those of ``<(command)`` in a shell and ``/dev/stdin``.
    Named pipes and devices are refused, since they may never end.
    """
    too_large = ValueError(f"it is larger than {MAX_BYTES:,} bytes, the limit for one file")
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
    return bytes(content)


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, without a byte order mark; refuse zero bytes, and more as in read_bytes."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not a text file in UTF-8") from None
    if "\0" in text:
        raise ValueError("it is not a text file: it holds a zero byte")
    return text


def _check_kind(path: Path, mode: int) -> None:
    """Raise ValueError for anything but a regular file or an inherited pipe."""
    if stat.S_ISDIR(mode):
        raise ValueError("it is a folder")
    own_pipe = stat.S_ISFIFO(mode) and _OWN_PIPE.fullmatch(os.path.normpath(path))
    if not stat.S_ISREG(mode) and not own_pipe:
        raise ValueError("it is a pipe or a device, not a regular file")
