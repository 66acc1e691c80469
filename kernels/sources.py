"""The digest of the sources of a package: the bits of results, and machine code, depend on those of this one."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def sources_digest(package: Path = Path(__file__).parent) -> str:
    """Return the SHA-256 of the sources of kernels, or of a package, as they were at the first call."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
