"""Operations on lanes beside operators and those in formulas."""

from __future__ import annotations

import numpy as np

from kernels.lanes.arithmetic import Lanes, Mask

_UNSIGNED = {4: np.uint32, 8: np.uint64}
_FLOATING = {4: np.float32, 8: np.float64}


def any_lane(mask: Mask) -> bool:
    """Return whether the mask holds in some lane."""
    return bool(mask.any())


def multiply_add(value: Lanes, factor: float, term: Lanes | float) -> Lanes:
    """Return ``value * factor + term``, rounded once or twice, depending on the CPU; the factor is a number.

    The caller must ensure that both are equal: the product must be exact, or overflow only where the sum does.
    """
    return value * factor + term


def bits(value: Lanes) -> Lanes:
    """Read floating lanes as unsigned integers of the same size."""
    return value.view(_UNSIGNED[value.dtype.itemsize])


def from_bits(value: Lanes) -> Lanes:
    """Read unsigned integers as floating lanes of the same size."""
    return value.view(_FLOATING[value.dtype.itemsize])


def floating(value: Lanes) -> Lanes:
    """Convert uint32 lanes to the float64 lanes of equal numbers."""
    return value.astype(np.float64)


def widen(value: Lanes) -> Lanes:
    """Convert float32 lanes to the float64 lanes of equal numbers."""
    return value.astype(np.float64)


def narrow(value: Lanes) -> Lanes:
    """Round float64 lanes to float32."""
    return value.astype(np.float32)


def align_frame() -> None:
    """Start the stack frame of the calling kernel on a cache line.

    Lanes that do not fit in registers are kept there. LLVM gives them slots where
    the caller's stack happens to end, and one that straddles two cache lines costs
    twice.
    """
