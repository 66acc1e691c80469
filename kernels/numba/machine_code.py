"""Kernels and their machine code: in this process, on disk, or still to be compiled."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from kernels.numba import jit

Kernel = Callable[..., Any]

# Identifies a kernel by its name and the key of its machine code.
KernelKey = tuple[str, str]

# Threads compile one at a time.
compiler_lock = global_compiler_lock


def load_compiler() -> None:
    """Load all that Numba loads when it compiles, which an interrupt in another thread would leave incomplete."""
    import_module("numba.core.boxing")
    with compiler_lock:  # another call may be compiling, and two refreshes at once leave an incomplete context
        cpu_target.typing_context.refresh()
        cpu_target.target_context.refresh()


def kernel_key(kernel: Kernel) -> KernelKey:
    """Return the name and key that distinguish a kernel from all others."""
    made: Any = kernel  # by jit.kernel, which sets it
    key: KernelKey = made.kernel_key
    return key


def is_compiled(kernel: Kernel, arguments: tuple[Any, ...]) -> bool:
    """Return whether this process or the disk has machine code of a kernel for the types of these arguments."""
    if not jit.ENABLED:
        return True
    dispatcher: Any = kernel
    signature = tuple(map(dispatcher.typeof_pyval, arguments))
    return signature in dispatcher.overloads or bool(dispatcher._cache.holds(signature))


def is_loaded(kernel: Kernel) -> bool:
    """Return whether this process has machine code of a kernel."""
    dispatcher: Any = kernel
    return not jit.ENABLED or bool(dispatcher.overloads)


def compile_kernel(kernel: Kernel, arguments: tuple[Any, ...]) -> None:
    """Compile a kernel for the types of these arguments, and keep its machine code on disk."""
    dispatcher: Any = kernel
    dispatcher.compile(tuple(map(dispatcher.typeof_pyval, arguments)))
