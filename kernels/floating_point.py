"""The state of the floating-point unit: how numbers are rounded, and whether denormal numbers are kept.

Each thread has its own state, which any code in the process may change: loading a library that was linked with
``-ffast-math`` flushes denormal numbers to zero, and C's ``fesetround`` changes all rounding. So functions that
compute numbers set the default state of IEEE 754 first, through the C library's ``<fenv.h>``.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cached_property, wraps
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# Larger than the state in any C library: 32 bytes on x86-64 and 8 on ARM with glibc, 16 on macOS.
_State = ctypes.c_char * 256

# A PyDLL keeps the GIL, since these functions take nanoseconds.
_c_library = ctypes.PyDLL(None)
_get_state, _set_state = _c_library.fegetenv, _c_library.fesetenv

# FE_DFL_ENV is a pointer: to a variable on macOS, and the invalid address -1 in glibc and musl.
_DEFAULT_STATE = ctypes.c_void_p(
    ctypes.addressof(ctypes.c_char.in_dll(_c_library, "_FE_DFL_ENV")) if sys.platform == "darwin" else -1
)


def default_floating_point(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Wrap a function so that it computes with the default state: round to nearest, keep denormals, trap nothing.

    The state that a call finds in its thread is restored when it ends.
    """

    @wraps(function)
    def guarded(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        found = _State()
        _get_state(found)
        _set_state(_DEFAULT_STATE)
        try:
            return function(*arguments, **named)
        finally:
            _set_state(found)

    return guarded


class DefaultFloatingPoint:
    """A base of classes whose public methods and properties, and those of their subclasses, compute with that state."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Wrap what the class defines."""
        super().__init_subclass__(**options)
        for name, member in list(vars(cls).items()):
            if name.startswith("_") and name != "_repr_html_":
                continue
            if isinstance(member, FunctionType):
                setattr(cls, name, default_floating_point(member))
            elif isinstance(member, property) and member.fget:
                setattr(cls, name, member.getter(default_floating_point(member.fget)))
            elif isinstance(member, cached_property):
                member.func = default_floating_point(member.func)
