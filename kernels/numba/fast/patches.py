"""Changes of Numba and llvmlite for the whole process, without which kernels would be slow, wrong or leak."""

from __future__ import annotations

import itertools
import secrets

from llvmlite.binding import newpassmanagers
from numba.core.bytecode import FunctionIdentity
from numba.np import linalg


def start_counts_at_random() -> None:
    """Make Numba's count of functions start at random.

    Numba names machine code by this count, and the linker takes the first of equal names. So kernels
    from the disk that other processes compiled could call each other's routines.
    """
    FunctionIdentity._unique_ids = itertools.count(next(FunctionIdentity._unique_ids) + secrets.randbits(60))


def free_pass_managers() -> None:
    """Make llvmlite free its pass managers: they inherit a method that keeps 16 MB of each compiled kernel."""
    for manager in (newpassmanagers.ModulePassManager, newpassmanagers.FunctionPassManager):
        manager._dispose = newpassmanagers.NewPassManager._dispose


def load_without_blas() -> None:
    """Load Numba's array functions without scipy.linalg.

    Numba imports scipy.linalg to find routines of linear algebra, which takes a third of the time that a kernel
    takes to load. Functions that need these routines look for them again.
    """
    look = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        from numba.np import arraymath
    finally:
        linalg.ensure_blas = look
    arraymath.ensure_blas = look
