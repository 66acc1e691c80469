"""Parameter updates."""

from __future__ import annotations

from kernels.simd.jit import device
from kernels.simd.lanes import Lanes


@device
def gradient_descent(parameter: Lanes, gradient: Lanes, learning_rate: Lanes) -> Lanes:
    """Return the updated parameter."""
    return parameter - learning_rate * gradient
