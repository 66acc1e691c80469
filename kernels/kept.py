"""The kernels of this process: those used last are kept, without the objects that compiling them leaves behind."""

from __future__ import annotations

import gc
from functools import lru_cache
from threading import Lock
from typing import Any

from kernels.loop.kernel import make_kernel
from kernels.numba.compiling import claimed
from kernels.numba.jit import forget_parts
from kernels.numba.machine_code import Kernel, compile_kernel, compiler_lock, is_compiled, is_loaded
from kernels.recipe import Recipe
from kernels.variant import Variant

# How many kernels are kept, of two or three megabytes each. Another is read from the disk in some 20 ms.
MOST_KEPT = 64

_lock = Lock()


def kernel_for(recipe: Recipe, variant: Variant) -> Kernel:
    """Return the kernel of :func:`kernels.loop.kernel.make_kernel`, made once for all threads."""
    with _lock:
        return kept_kernel(recipe, variant)


def ready_kernel(recipe: Recipe, variant: Variant, arguments: tuple[Any, ...]) -> Kernel:
    """Return a kernel whose machine code is in this process or on disk; compile it for these arguments if necessary.

    Numba's objects for a compiled kernel and its hundred parts take some 20 MB. So a second kernel is compiled, stored
    and deleted, and the one that is kept reads its machine code from there.
    """
    kernel = kernel_for(recipe, variant)
    if not (is_loaded(kernel) or is_compiled(kernel, arguments)):
        with claimed(kernel), compiler_lock:  # one at a time, which counts as waiting for machine code
            if not is_compiled(kernel, arguments):  # by another thread or process
                _compile(recipe, variant, arguments)
                gc.collect()
    return kernel


def _compile(recipe: Recipe, variant: Variant, arguments: tuple[Any, ...]) -> None:
    """Compile a kernel and keep nothing but its machine code on disk, or in memory where the disk cannot be written."""
    with _lock:
        kernel = make_alone(recipe, variant)
    compile_kernel(kernel, arguments)


def make_alone(recipe: Recipe, variant: Variant) -> Kernel:
    """Make a kernel that shares no part with another kernel."""
    forget_parts()
    kernel = make_kernel(recipe, variant)
    forget_parts()
    return kernel


# Threads keep a kernel that they call while it is dropped here.
kept_kernel = lru_cache(MOST_KEPT)(make_alone)
