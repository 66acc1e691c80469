"""Formulas of components as parts of kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from kernels.elementary.by_dtype import elementary
from kernels.elementary.lane_functions import ELEMENTARY
from kernels.lanes.lowering import LanesType
from kernels.numba import jit

F = TypeVar("F", bound=Callable[..., Any])


def formula(function: F) -> F:
    """Compile a function for use inside kernels, which may call those of :mod:`kernels.elementary.lane_functions`."""
    return jit.device(function)


def _elementary_of(argument: Any) -> dict[str, Any]:
    """Return the elementary functions, by name, for lanes of the type of an argument."""
    if not isinstance(argument, LanesType) or not argument.floating:
        return {}
    return elementary(str(argument.dtype))._asdict()


if jit.ENABLED:
    jit.call_by_type(ELEMENTARY, _elementary_of)
