"""The kernels of this process: those that were used last are kept, without what compiling them leaves behind."""

from __future__ import annotations

import gc
from collections import OrderedDict
from threading import Lock
from typing import Any

from kernels.loop.turns import make_kernel
from kernels.recipe import Recipe
from kernels.simd.compiling import Kernel, compile_for, is_compiled, is_loaded
from kernels.simd.parts import forget_parts
from kernels.variant import Variant

# Kernels that are kept, of two or three megabytes each. Another is read from the disk in some hundredths of a second.
MOST_KEPT = 64

_lock = Lock()
_kept: OrderedDict[tuple[Recipe, Variant], Kernel] = OrderedDict()


def kernel_for(recipe: Recipe, variant: Variant) -> Kernel:
    """Return the kernel of :func:`kernels.loop.turns.make_kernel`, made once however many threads ask."""
    key = recipe, variant
    with _lock:
        kernel = _kept.get(key)
        if kernel is None:
            kernel = _kept[key] = _make(recipe, variant)
        _kept.move_to_end(key)
        if len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)  # those who call it still have it
    return kernel


def ready_kernel(recipe: Recipe, variant: Variant, arguments: tuple[Any, ...]) -> Kernel:
    """Return a kernel for such arguments whose machine code is there.

    Notes
    -----
    Numba's objects for a kernel and its hundred parts take some 20 MB once they are compiled. So another one than the
    kernel that is kept is compiled, and let go of as soon as its machine code is stored, from where the kernel has it.
    """
    kernel = kernel_for(recipe, variant)
    if not (is_loaded(kernel) or is_compiled(kernel, arguments)):
        with _lock:
            compiled = _make(recipe, variant)
        compile_for(compiled, arguments)
        del compiled
        gc.collect()
    return kernel


def _make(recipe: Recipe, variant: Variant) -> Kernel:
    """Make a kernel, and let no other hold its parts."""
    forget_parts()
    kernel = make_kernel(recipe, variant)
    forget_parts()
    return kernel
