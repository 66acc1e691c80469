"""The state of the floating-point unit: how numbers are rounded, and whether the smallest ones are kept.

Each thread has a state of its own, which any code in the process may change: a library that is linked with
``-ffast-math`` flushes denormal numbers to zero from when it is loaded, and C's ``fesetround`` changes all rounding. So
what computes numbers sets the default state of IEEE 754 first, through the C library's ``<fenv.h>``.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

# No C library stores more: 32 bytes on x86-64 and 8 on ARM with glibc, 16 on macOS.
_State = ctypes.c_char * 256

# As a PyDLL it keeps the lock of the interpreter, since these functions take nanoseconds.
_c_library = ctypes.PyDLL(None)
_get_state, _set_state = _c_library.fegetenv, _c_library.fesetenv

# FE_DFL_ENV is an address: that of a variable on macOS, and a number that is none in glibc and musl.
_DEFAULT_STATE = ctypes.c_void_p(
    ctypes.addressof(ctypes.c_char.in_dll(_c_library, "_FE_DFL_ENV")) if sys.platform == "darwin" else -1
)


def default_floating_point(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Have a function compute with the default state: round to nearest, keep denormals, trap nothing.

    The state that a call finds in its thread is put back when it ends.
    """

    @wraps(function)
    def guarded(*given: Given.args, **named: Given.kwargs) -> Returned:
        found = _State()
        _get_state(found)
        _set_state(_DEFAULT_STATE)
        try:
            return function(*given, **named)
        finally:
            _set_state(found)

    return guarded
