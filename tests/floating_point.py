"""States of the floating-point unit that differ from the default, set in this thread as a library could."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

STATES = ("flush to zero", "round upward")

_C = ctypes.PyDLL(None)
_MACHINE = platform.machine().replace("arm64", "aarch64")
_UPWARD = {"x86_64": 0x800, "aarch64": 0x400000}[_MACHINE]  # FE_UPWARD

# Where the bits that flush denormal numbers lie in fenv_t, by word of 32 bits, and which these are.
_FLUSH = {
    ("Linux", "x86_64"): (7, 0x8040),
    ("Darwin", "x86_64"): (1, 0x8040),
    ("Linux", "aarch64"): (0, 1 << 24),
    ("Darwin", "aarch64"): (2, 1 << 24),
}


@contextmanager
def in_state(name: str) -> Iterator[None]:
    """Set a state of :data:`STATES` in this thread, then restore the previous one."""
    found, changed = ((ctypes.c_uint32 * 64)() for _ in range(2))
    _C.fegetenv(found)
    _C.fegetenv(changed)
    if name == "flush to zero":
        option, bits = _FLUSH[platform.system(), _MACHINE]
        changed[option] |= bits
        _C.fesetenv(changed)
    else:
        _C.fesetround(_UPWARD)
    try:
        assert state_here() == name
        yield
    finally:
        _C.fesetenv(found)


def state_here() -> str:
    """Return the state of this thread."""
    tiny, one = np.full(1, 5e-324), np.ones(1)
    if (tiny * one)[0] == 0.0:
        return "flush to zero"
    return "round upward" if (one + 1e-20)[0] > 1.0 else "default"
