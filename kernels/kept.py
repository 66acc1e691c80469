"""The kernels of this process: those that were used last are kept, without what compiling them leaves behind."""

from __future__ import annotations

import gc
from functools import lru_cache
from threading import Lock
from typing import Any

from numba.core.compiler_lock import global_compiler_lock

from kernels.loop.turns import make_kernel
from kernels.recipe import Recipe
from kernels.simd.compiling import Kernel, is_compiled, is_loaded
from kernels.simd.parts import forget_parts
from kernels.variant import Variant

# Kernels that are kept, of two or three megabytes each. Another is read from the disk in some hundredths of a second.
MOST_KEPT = 64

_lock = Lock()


def kernel_for(recipe: Recipe, variant: Variant) -> Kernel:
    """Return the kernel of :func:`kernels.loop.turns.make_kernel`, made once however many threads ask."""
    with _lock:
        return _kept(recipe, variant)


def ready_kernel(recipe: Recipe, variant: Variant, arguments: tuple[Any, ...]) -> Kernel:
    """Return a kernel for such arguments whose machine code is there.

    Notes
    -----
    Numba's objects for a kernel and its hundred parts take some 20 MB once they are compiled. So another one than the
    kernel that is kept is compiled, and let go of as soon as its machine code is stored, from where the kernel has it.
    """
    kernel = kernel_for(recipe, variant)
    if not (is_loaded(kernel) or is_compiled(kernel, arguments)):
        with global_compiler_lock:  # one at a time, which counts as waiting for machine code
            if not is_compiled(kernel, arguments):  # by another thread
                _compile(recipe, variant, arguments)
                gc.collect()
    return kernel


def _compile(recipe: Recipe, variant: Variant, arguments: tuple[Any, ...]) -> None:
    """Compile a kernel and leave nothing but its machine code, where others find it."""
    with _lock:
        kernel: Any = _make(recipe, variant)
    kernel.compile(tuple(map(kernel.typeof_pyval, arguments)))


def _make(recipe: Recipe, variant: Variant) -> Kernel:
    """Make a kernel that shares no part with another one."""
    forget_parts()
    kernel = make_kernel(recipe, variant)
    forget_parts()
    return kernel


# Threads that call one that is dropped still have it.
_kept = lru_cache(MOST_KEPT)(_make)
