"""Which compiler makes machine code of kernels: the fast one, where the private parts of Numba that it needs are known.

Importing this module imports nothing, so programs that compile nothing can say which one it will be.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple, Protocol

from kernels.numba.fast.relied_on import changes

# Names a compiler, whatever is known of Numba.
VARIABLE = "XOR_SWEEP_COMPILER"


class Compiler(Protocol):
    """A way to compile kernels of parts: further options of ``numba.njit``, and calls by the type of an argument.

    Kernels of all compilers are kept and loaded by :mod:`kernels.numba.disk_cache`.
    """

    NAME: str
    DEVICE: dict[str, Any]  # for parts that are copied into their callers
    ROUTINE: dict[str, Any]  # for parts that are called
    KERNEL: dict[str, Any]  # for what Python calls
    QUICK_KERNEL: dict[str, Any]  # .. for so short a time that compiling quickly matters more

    def call_by_type(
        self, functions: Sequence[Callable[..., Any]], parts_for: Callable[[Any], dict[str, Any]], /
    ) -> None:
        """Have a part called in place of each function: that of its name among ``parts_for(type of the argument)``."""


class CompilerChoice(NamedTuple):
    """The compiler of this process."""

    name: Literal["fast", "plain"]
    why: str = ""  # a clause; empty where the fast one is used, or the environment asks for the plain one


class CompilerError(ValueError):
    """The environment names a compiler that does not exist, or has kernels compiled to other bits."""


@cache
def choose_compiler() -> CompilerChoice:
    """Return the compiler that the environment names, or else the fast one if it can be used.

    CompilerError if the environment names no compiler, or the fast one, which cannot be used.
    """
    named = os.environ.get(VARIABLE, "")
    if named not in ("", "fast", "plain"):
        raise CompilerError(f"{VARIABLE}: must be fast or plain, got {named!r}")
    if named == "plain":
        return CompilerChoice("plain")
    if not changes(_folder("numba"), _folder("llvmlite")):
        return CompilerChoice("fast")
    why = f"the fast compiler does not know numba {version('numba')} with llvmlite {version('llvmlite')}"
    if named == "fast":
        raise CompilerError(f"{VARIABLE}: must be plain, got fast; {why}")
    return CompilerChoice("plain", why)


def _folder(package: str) -> str:
    """Return the folder of a package without importing it."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return spec.submodule_search_locations[0]
