"""A cache of the machine code of kernels, which replaces Numba's.

Numba's cache compares the time stamp of one source file, so an edit in a sibling module yields old machine code. It
cannot hold closures over other compiled functions, and a truncated file crashes the process.
"""

from __future__ import annotations

from typing import Any

from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from kernels.numba import entries
from kernels.numba.entries import Entry
from kernels.numba.fast.libraries import make_codegen


class DiskCache:
    """The machine code of one kernel, with the interface of the caches of Numba's dispatchers.

    Its name is part of the names of files; its key distinguishes it from other kernels of that name.
    """

    def __init__(self, name: str, key: str) -> None:
        self._name = name.rpartition(".")[2]
        self._key = key

    @property
    def cache_path(self) -> str:
        """Folder of all entries (read by Numba's statistics)."""
        return str(entries.cache_root())

    def holds(self, signature: Any) -> bool:
        """Return whether an entry for ``signature`` exists; only loading it shows whether it is intact."""
        return entries.is_there(self._entry(signature))

    def load_overload(self, signature: Any, target_context: Any) -> CompileResult | None:
        """Return the compiled function for ``signature``, or None if it must be compiled."""
        target_context.refresh()
        reduced = entries.read(self._entry(signature))
        if reduced is None:
            return None
        context = target_context.subtarget(_internal_codegen=make_codegen())
        return CompileResult._rebuild(context, *reduced)

    def save_overload(self, signature: Any, result: CompileResult) -> None:
        """Write the compiled function, or keep it in memory if the folder cannot be used."""
        entries.write({self._entry(signature): dumps(result._reduce())})

    def flush(self) -> None:
        """Do nothing: entries are never stale."""

    def _entry(self, signature: Any) -> Entry:
        content = f"{self._name}\0{self._key}\0{signature}"
        return Entry(entries.conditions(), content, self._name, "bin")
