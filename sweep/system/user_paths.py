"""Addresses and paths of folders and files that users name."""

from __future__ import annotations

import re
from pathlib import Path

from sweep.errors import StoreError, shown

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
