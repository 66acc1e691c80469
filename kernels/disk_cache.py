"""A compile cache that can be neither stale nor harmful.

Numba's own cache compares the time stamp of one source file, so an edit in a
sibling module yields old machine code; it also cannot hold closures over other
compiled functions, and a truncated file ends the process. Here an entry is one
file, in a folder named by a hash of every kernel source, the versions of Python,
Numba, llvmlite and NumPy, and the target CPU; its content carries its own
SHA-256 and is ignored, then replaced, when that does not match.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

_DIGEST_BYTES = hashlib.sha256().digest_size


def cache_root() -> Path:
    """Return the folder that holds all compiled kernels of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "xor-sweep"


@cache
def sources_digest() -> str:
    """Hash everything but the CPU that machine code depends on."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    versions = (platform.python_version(), numba.__version__, llvmlite.__version__, np.__version__)
    digest.update(repr(versions).encode())
    return digest.hexdigest()


class DiskCache:
    """Machine code of one kernel, in the form that a Numba dispatcher asks for.

    Parameters
    ----------
    name
        Name of the kernel, for people who look at the folder.
    key
        What distinguishes this kernel from others of that name.
    """

    def __init__(self, name: str, key: str) -> None:
        self._name = name.rpartition(".")[2]
        self._key = key

    @property
    def cache_path(self) -> str:
        """Folder of all entries (read by Numba's statistics)."""
        return str(cache_root())

    def load_overload(self, signature: Any, target_context: Any) -> CompileResult | None:
        """Return the compiled function for ``signature``, or None when it must be made."""
        target_context.refresh()
        try:
            content = self._path(signature, target_context).read_bytes()
        except (OSError, RuntimeError):  # no such file, or no home folder
            return None
        payload = content[_DIGEST_BYTES:]
        if hashlib.sha256(payload).digest() != content[:_DIGEST_BYTES]:
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(payload))

    def save_overload(self, signature: Any, result: CompileResult) -> None:
        """Write the compiled function; a folder that cannot be written is no fault."""
        payload = dumps(result._reduce())
        try:
            path = self._path(signature, result.target_context)
        except RuntimeError:
            return
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(hashlib.sha256(payload).digest() + payload)
            os.replace(draft, path)
        except OSError:
            with suppress(OSError):
                draft.unlink()

    def flush(self) -> None:
        """Do nothing: entries are never stale."""

    def _path(self, signature: Any, target_context: Any) -> Path:
        target = repr(target_context.codegen().magic_tuple())
        folder = hashlib.sha256((sources_digest() + target).encode()).hexdigest()[:16]
        entry = hashlib.sha256(f"{self._key}\0{signature}".encode()).hexdigest()[:32]
        return cache_root() / folder / f"{self._name}-{entry}.bin"
