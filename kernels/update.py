"""Parameter updates."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from kernels import lanes
from kernels.jit import device
from kernels.lanes import Lanes, Mask, Rows


@cache
def gradient_descent(dtype: str, width: int) -> Callable[[Rows, int, Lanes, Lanes], Mask]:
    """Return the update p - (learning_rate * gradient) of one parameter.

    The function takes ``(parameters, index, gradient, learning_rate)``, writes the
    new value and returns the lanes where it differs from the old one.
    """
    memory = lanes.memory(dtype, width)
    load, store = memory.load, memory.store

    @device
    def update(parameters: Rows, index: int, gradient: Lanes, learning_rate: Lanes) -> Mask:
        old = load(parameters, index)
        new = old - learning_rate * gradient
        store(parameters, index, new)
        return new != old

    return update
