"""The only module that calls Numba's decorators, with strict floating point and our cache.

Every compiled function of the project is made by one of three decorators:

- :func:`kernel`: an entry point called from Python; releases the GIL and is
  kept in the disk cache under a key that its maker chooses,
- :func:`routine`: called by a kernel and compiled on its own, for code that
  runs rarely, or for so long that a call costs nothing,
- :func:`device`: copied into its caller by LLVM, so that constants of
  the caller fold and values stay in registers.

With ``NUMBA_DISABLE_JIT=1`` all three return the Python function itself. A function that makes routines or
devices is decorated with :func:`made_once`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numba

from kernels.numba.choice import Compiler, CompilerError, choose_compiler
from kernels.numba.disk_cache import DiskCache

F = TypeVar("F", bound=Callable[..., Any])

# Numba reads its options again whenever it compiles, but entries on disk are found under its options before that.
numba.config.reload_config()

ENABLED: bool = not numba.config.DISABLE_JIT


def _load_compiler() -> Compiler:
    """Import the compiler of this process, and nothing of the other one."""
    if ENABLED and choose_compiler().name == "fast":
        from kernels.numba.fast import pipelines

        return pipelines
    from kernels.numba.plain import plain_compiler

    return plain_compiler


_compiler = _load_compiler()
if ENABLED and numba.config.USING_SVML and _compiler.NAME != "fast":
    raise CompilerError(
        f"NUMBA_DISABLE_INTEL_SVML: must be 1 with numba {numba.__version__}, since Intel SVML changes square roots"
    )
call_by_type = _compiler.call_by_type

# Strict IEEE arithmetic: no reassociation, no contraction to FMA (multiply_add of lanes
# asks for one that changes no bit), and division by zero gives an infinity or a NaN
# instead of raising.
_STRICT: dict[str, Any] = {
    "nogil": True,
    "fastmath": False,
    "error_model": "numpy",
    "boundscheck": False,
    # No reference counts: kernels allocate nothing, so nothing is ever freed.
    "_nrt": False,
}

# Python calls kernels only: their parts need no wrapper for Python.
_INTERNAL: dict[str, Any] = {**_STRICT, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def device(function: F) -> F:
    """Compile ``function`` for use inside kernels, inlined where it is called."""
    compiled: F = numba.njit(**_INTERNAL, **_compiler.DEVICE)(function)
    return compiled


def routine(function: F) -> F:
    """Compile ``function`` for use inside kernels, called rather than inlined."""
    compiled: F = numba.njit(**_INTERNAL, **_compiler.ROUTINE)(function)
    return compiled


def kernel(key: str, *, quick: bool = False) -> Callable[[F], F]:
    """Compile an entry point that Python calls, and keep its machine code on disk.

    The key is everything, beyond the sources of this package and the argument types, that the compiled code depends on:
    above all the values of closure variables. Two kernels with one key must be the same function. With ``quick``, loops
    over many patterns are not unrolled.
    """
    options = _compiler.QUICK_KERNEL if quick else _compiler.KERNEL

    def decorate(function: F) -> F:
        compiled: Any = numba.njit(no_cfunc_wrapper=True, **_STRICT, **options)(function)
        if ENABLED:
            compiled._cache = DiskCache(function.__qualname__, f"{_compiler.NAME}\0{key}")
        compiled.kernel_key = function.__qualname__, key
        made: F = compiled
        return made

    return decorate


_makers: list[Any] = []


def made_once(make: F) -> F:
    """Let a function that makes parts of kernels return the same ones for the same arguments, until they are forgotten.

    Numba keeps a megabyte or so of intermediate code and types for a compiled part as long as anything refers to the
    part. A kernel on disk needs none of it.
    """
    maker: Any = cache(make)
    _makers.append(maker)
    made: F = maker
    return made


def forget_parts() -> None:
    """Forget all parts, so that the next request makes them again; kernels keep theirs."""
    for maker in _makers:
        maker.cache_clear()
