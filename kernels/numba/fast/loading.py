"""Numba's own functions, loaded faster."""

from __future__ import annotations

import sys

from numba.np import linalg


def load_without_blas() -> None:
    """Load Numba's array functions without scipy.linalg, unless they are loaded.

    Numba imports scipy.linalg to find routines of linear algebra, which takes a third of the time that a kernel
    takes to load. Functions that need these routines look for them again.
    """
    if "numba.np.arraymath" in sys.modules:
        return
    look = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        from numba.np import arraymath
    finally:
        linalg.ensure_blas = look
    arraymath.ensure_blas = look
