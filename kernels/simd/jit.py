"""The only module that calls Numba's decorators, with strict floating point and our cache.

Every compiled function of the project is made by one of three decorators:

- :func:`kernel`: an entry point called from Python; releases the GIL and is
  kept in the disk cache under a key that its maker chooses,
- :func:`routine`: called by a kernel and compiled on its own, for code that
  runs rarely, or for so long that a call costs nothing,
- :func:`device`: copied into its caller by LLVM, so that constants of
  the caller fold and values stay in registers.

With ``NUMBA_DISABLE_JIT=1`` all three return the Python function itself.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import llvmlite.binding
import numba
from numba.core.bytecode import FunctionIdentity
from numba.core.registry import cpu_target
from numba.np import linalg

from kernels.simd.compilers import DeviceCompiler, KernelCompiler, QuickKernelCompiler, RoutineCompiler
from kernels.simd.disk_cache import DiskCache

F = TypeVar("F", bound=Callable[..., Any])

# Numba reads its options again whenever it compiles, but entries on disk are found under its options before that.
numba.config.reload_config()
if numba.config.USING_SVML:
    raise ImportError(
        "numba was imported before sweep and uses Intel SVML, whose logarithms differ from NumPy's; "
        "import sweep before numba, or set NUMBA_DISABLE_INTEL_SVML=1"
    )

ENABLED: bool = not numba.config.DISABLE_JIT


def _load_without_blas() -> None:
    """Load Numba's array functions without scipy.linalg.

    Numba imports scipy.linalg to find routines of linear algebra, which takes a third of the time that a kernel
    takes to load. Functions that need these routines look for them again.
    """
    look, linalg.ensure_blas = linalg.ensure_blas, lambda: None
    try:
        from numba.np import arraymath
    finally:
        linalg.ensure_blas = look
    arraymath.ensure_blas = look


if ENABLED:
    _load_without_blas()

# Numba names machine code by a number that counts functions. The linker takes the
# first of equal names, so kernels from the disk that other processes compiled could
# call each other's routines; counts that start at random never meet.
FunctionIdentity._unique_ids = itertools.count(next(FunctionIdentity._unique_ids) + secrets.randbits(60))

# Strict IEEE arithmetic: no reassociation, no contraction to FMA (lanes.multiply_add
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

# A sum as wide as the widest register of any CPU: its code uses the widest register of this CPU.
_WIDE_SUM = """
define void @wide_sum(ptr %place) {
  %numbers = load <16 x float>, ptr %place
  %sum = fadd <16 x float> %numbers, %numbers
  store <16 x float> %sum, ptr %place
  ret void
}
"""
_REGISTER_BYTES = {"xmm": 16, "ymm": 32, "zmm": 64}

# Python calls kernels only: their parts need no wrapper for Python.
_INTERNAL: dict[str, Any] = {**_STRICT, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def cpu_name() -> str:
    """Return LLVM's name of the CPU for which kernels are compiled."""
    name: str = numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()
    return name


@cache
def register_bytes() -> int:
    """Return the bytes of the widest vector register that kernels are compiled for: 16, 32 or 64.

    It is read from the machine code of a small function: the name and features of the CPU do not
    decide it, since ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` change both.
    """
    target_machine = cpu_target.target_context.codegen()._tm
    assembly = target_machine.emit_assembly(llvmlite.binding.parse_assembly(_WIDE_SUM))
    return max((_REGISTER_BYTES[name] for name in re.findall("[xyz]mm", assembly)), default=16)


def device(function: F) -> F:
    """Compile ``function`` for use inside kernels, inlined where it is called."""
    compiled: F = numba.njit(pipeline_class=DeviceCompiler, **_INTERNAL)(function)
    return compiled


def routine(function: F) -> F:
    """Compile ``function`` for use inside kernels, called rather than inlined."""
    compiled: F = numba.njit(pipeline_class=RoutineCompiler, **_INTERNAL)(function)
    return compiled


def kernel(key: str, *, quick: bool = False) -> Callable[[F], F]:
    """Compile an entry point that Python calls, and keep its machine code on disk.

    Parameters
    ----------
    key
        Everything, beyond the sources of this package and the argument types,
        that the compiled code depends on: above all the values of closure
        variables. Two kernels with one key must be the same function.
    quick
        Whether to compile quickly; then loops over many patterns are not unrolled.
    """
    compiler = QuickKernelCompiler if quick else KernelCompiler

    def decorate(function: F) -> F:
        compiled: Any = numba.njit(pipeline_class=compiler, no_cfunc_wrapper=True, **_STRICT)(function)
        if ENABLED:
            compiled._cache = DiskCache(function.__qualname__, key)
        compiled.kernel_key = function.__qualname__, key
        made: F = compiled
        return made

    return decorate
