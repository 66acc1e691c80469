"""The compiler of kernels over what Numba documents; see :class:`kernels.numba.choice.Compiler`.

Numba optimizes each part, makes machine code of it, and optimizes it again in each of its callers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba.extending import overload

NAME = "plain"
DEVICE: dict[str, Any] = {"forceinline": True}
ROUTINE: dict[str, Any] = {}
KERNEL: dict[str, Any] = {}
QUICK_KERNEL: dict[str, Any] = {}


def call_by_type(functions: Sequence[Callable[..., Any]], parts_for: Callable[[Any], dict[str, Any]]) -> None:
    """Teach Numba to call a part in place of each function: the one of that name for the type of the argument."""
    for function in functions:
        overload(function, jit_options=DEVICE | {"error_model": "numpy"})(_chooser(function.__name__, parts_for))


def _chooser(name: str, parts_for: Callable[[Any], dict[str, Any]]) -> Callable[[Any], Any]:
    """Return the function that finds the part of a name for the type of its argument."""

    def choose(x: Any) -> Any:
        part: Any = parts_for(x).get(name)

        def call(x: Any) -> Any:  # annotated like the other one, as Numba wants
            return part(x)

        return part and call

    return choose
