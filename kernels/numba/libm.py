"""The logarithm of the C library, as NumPy calls it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable


def log(value: float) -> float:
    """Return the natural logarithm, with the last bit of the C library."""
    return math.log(value)


@type_callable(log)
def _type_log(context: Any) -> Callable[..., Any]:
    return lambda value: types.float64 if value == types.float64 else None


@lower_builtin(log, types.float64)
def _lower_log(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
    """Call the function itself, which LLVM must not replace by a vector function such as those of Intel SVML."""
    kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()])
    function = cgutils.get_or_insert_function(builder.module, kind, "log")
    function.attributes.add("nobuiltin")
    return builder.call(function, args)
