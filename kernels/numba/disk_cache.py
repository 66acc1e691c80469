"""A cache of the machine code of kernels, which replaces Numba's.

Numba's cache compares the time stamp of one source file, so an edit in a sibling module yields old machine code. It
cannot hold closures over other compiled functions, and a truncated file crashes the process. Of Numba's private parts
this one uses what all versions from 0.60 on have in common, as Numba's own cache does.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from numba.core.codegen import JITCPUCodegen
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from kernels.numba import entries
from kernels.numba.entries import Entry


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
        try:
            return CompileResult._rebuild(target_context.subtarget(_internal_codegen=make_codegen()), *reduced)
        except Exception as error:  # whatever a later version of Numba has changed
            _say_not_kept(f"{error}")
            return None

    def save_overload(self, signature: Any, result: CompileResult) -> None:
        """Write the compiled function, or keep it in memory if the folder cannot be used."""
        try:
            pickled = dumps(result._reduce())
        except Exception as error:  # whatever a later version of Numba has changed
            _say_not_kept(f"{error}")
        else:
            entries.write({self._entry(signature): pickled})

    def flush(self) -> None:
        """Do nothing: entries are never stale."""

    def _entry(self, signature: Any) -> Entry:
        content = f"{self._name}\0{self._key}\0{signature}"
        return Entry(entries.conditions(), content, self._name, "bin")


@cache
def _say_not_kept(why: str) -> None:
    """Print once that kernels are not kept."""
    text = f"this version of Numba does not let kernels be kept, so each process compiles them again ({why})"
    print(text, file=sys.stderr)


def make_codegen() -> Any:
    """Return a code generator for one kernel, which frees its machine code; Numba's generator never does."""
    return JITCPUCodegen("kernel")
