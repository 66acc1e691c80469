"""Read whole files that users name: regular files of a bounded size."""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import StoreError, cut, shown, shown_names
from sweep.system.escaping import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray


# A Path turns "s3://bucket" into "s3:/bucket", and "s3://" into "s3:".
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?:/+(.*))?", re.ASCII | re.DOTALL)


def address_of(place: str | Path) -> tuple[str, str] | None:
    """Return scheme and rest of an address such as ``s3://bucket/results``; None for a path.

    >>> address_of("s3://bucket/results")
    ('s3', 'bucket/results')
    """
    address = _ADDRESS.fullmatch(str(place))
    return (address[1], address[2] or "") if address else None


def local_folder(path: str | Path) -> Path:
    """Return the path of a file or folder on this machine; refuse an address such as ``s3://bucket/results``."""
    address = address_of(path)
    if address:
        raise StoreError(f"path: must be a local path, got the address {shown('://'.join(address))}")
    return Path(path)


# Most bytes of one file, encoded and decoded. A study of 65,536 patterns and 60 inputs has 42 MB.
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


_SUFFIX = ".npy"


def read_array(path: Path) -> Any:
    """Return the array of at most 2^23 numbers in a .npy file as nested lists; ValueError with part of a sentence."""
    return _array(read_bytes(path)).tolist()


def read_arrays(path: Path) -> dict[str, Any]:
    """Return the arrays in a .npz file by name, each as by :func:`read_array`; names must differ."""
    try:
        with zipfile.ZipFile(io.BytesIO(read_bytes(path))) as archive:
            members = archive.infolist()
            names = [member.filename.removesuffix(_SUFFIX) for member in members]
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise ValueError(f"it has several arrays named {shown(twice)}")
            if sum(member.file_size for member in members) > MAX_BYTES:
                raise ValueError(f"its arrays take more than {MAX_BYTES:,} bytes, the limit for one file")
            # No more is decompressed than the directory states.
            contents = {name: archive.read(member) for name, member in zip(names, members, strict=True)}
    except ValueError:
        raise
    except Exception as error:  # zipfile has many kinds for damaged files
        raise ValueError(f"it is not an archive of arrays: {cut(str(error), 100)}") from None
    arrays = {}
    for name, content in contents.items():
        try:
            arrays[name] = _array(content)
        except ValueError as error:
            raise ValueError(f"array {shown(name)}: {error}") from None
    if sum(array.size for array in arrays.values()) > MAX_NUMBERS:
        raise ValueError(f"{shown_names(arrays)} have more than {MAX_NUMBERS:,} numbers, the limit for one file")
    return {name: array.tolist() for name, array in arrays.items()}


def _array(content: bytes) -> NDArray[Any]:
    import numpy as np

    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # the header is a Python literal, which may be anything
        raise ValueError(f"it is not a .npy file of numbers: {cut(one_line(error), 100)}") from None
    if not isinstance(array, np.ndarray):
        raise ValueError("it must be one array, got an archive")
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise ValueError(f"values must be integers or floats of up to 64 bits, got {array.dtype}")
    if array.size > MAX_NUMBERS:
        raise ValueError(f"it must have at most {MAX_NUMBERS:,} numbers, got {array.size:,}")
    return array
