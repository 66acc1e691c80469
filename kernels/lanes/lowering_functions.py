"""LLVM code behind :mod:`kernels.lanes.arithmetic` and :mod:`kernels.lanes.operations`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable

from kernels.lanes.arithmetic import absolute, constant, select, sqrt
from kernels.lanes.lowering import (
    ALIGNMENT,
    FLOATING,
    UNSIGNED,
    LanesType,
    MaskType,
    broadcast,
    common_lanes,
    register_operators,
)
from kernels.lanes.operations import align_frame, any_lane, bits, floating, from_bits, multiply_add, narrow, widen


@cache
def register_functions() -> None:
    """Teach Numba operators and functions of lanes, once in a process."""
    register_operators()
    _register_select()
    _register_any_lane()
    _register_constant()
    _register_multiply_add()
    _register_align_frame()
    for function, dtypes, emit in _CASTS:
        _register_cast(function, dtypes, emit)


def _register_select() -> None:
    @type_callable(select)
    def type_select(context: Any) -> Callable[..., Any]:
        def typer(mask: types.Type, chosen: types.Type, otherwise: types.Type) -> types.Type | None:
            if isinstance(chosen, MaskType) and chosen == otherwise:
                return chosen if mask in (chosen, types.boolean) else None
            return common_lanes(chosen, otherwise) if isinstance(mask, MaskType) or mask == types.boolean else None

        return typer

    def lower_select(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        a, b = (
            broadcast(context, builder, value, kind, signature.return_type)
            for value, kind in zip(args[1:], signature.args[1:], strict=True)
        )
        return builder.select(args[0], a, b)

    for kinds in ((LanesType, LanesType), (LanesType, types.Number), (types.Number, LanesType)):
        lower_builtin(select, MaskType, *kinds)(lower_select)
        lower_builtin(select, types.Boolean, *kinds)(lower_select)

    def lower_masks(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return builder.select(*args)

    for condition in (MaskType, types.Boolean):
        lower_builtin(select, condition, MaskType, MaskType)(lower_masks)


def _register_any_lane() -> None:
    @type_callable(any_lane)
    def type_any(context: Any) -> Callable[..., Any]:
        def typer(mask: types.Type) -> types.Type | None:
            return types.boolean if isinstance(mask, MaskType) else None

        return typer

    @lower_builtin(any_lane, MaskType)
    def lower_any(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        word = builder.bitcast(args[0], ir.IntType(signature.args[0].width))
        return builder.icmp_unsigned("!=", word, word.type(0))


def _register_constant() -> None:
    @type_callable(constant)
    def type_constant(context: Any) -> Callable[..., Any]:
        return lambda number, like: like if isinstance(like, LanesType) and isinstance(number, types.Number) else None

    @lower_builtin(constant, types.Number, LanesType)
    def lower_constant(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return broadcast(context, builder, args[0], signature.args[0], signature.return_type)


def _register_cast(function: Callable[..., Any], dtypes: dict[Any, Any], emit: Callable[..., ir.Value]) -> None:
    """Make ``function(value)`` work on lanes of some dtypes; ``dtypes`` maps them to those of the results."""

    @type_callable(function)
    def type_cast(context: Any) -> Callable[..., Any]:
        def typer(value: types.Type) -> types.Type | None:
            if not isinstance(value, LanesType) or value.dtype not in dtypes:
                return None
            return LanesType(dtypes[value.dtype], value.width)

        return typer

    @lower_builtin(function, LanesType)
    def lower(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return emit(builder, args[0], signature.return_type.vector)


def _register_multiply_add() -> None:
    """Teach Numba to multiply and add in one operation, or in two on a CPU without a fused one."""

    @type_callable(multiply_add)
    def type_multiply_add(context: Any) -> Callable[..., Any]:
        def typer(value: types.Type, factor: types.Type, term: types.Type) -> types.Type | None:
            return common_lanes(value, factor, term)

        return typer

    @lower_builtin(multiply_add, LanesType, types.Number, LanesType)
    @lower_builtin(multiply_add, LanesType, types.Number, types.Number)
    def lower_multiply_add(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        operands = (
            broadcast(context, builder, value, kind, signature.return_type)
            for value, kind in zip(args, signature.args, strict=True)
        )
        return _intrinsic(builder, "fmuladd", *operands)


def _register_align_frame() -> None:
    """Teach Numba to align the stack frame of the caller."""

    @type_callable(align_frame)
    def type_align(context: Any) -> Callable[..., Any]:
        return lambda: types.none

    @lower_builtin(align_frame)
    def lower_align(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        builder.function.attributes.add("nounwind")  # llvmlite writes the alignment only next to another attribute
        builder.function.attributes.alignstack = ALIGNMENT
        return context.get_dummy_value()


def _intrinsic(builder: ir.IRBuilder, name: str, *operands: ir.Value) -> ir.Value:
    """Call a function of LLVM from vectors to a vector of one floating type."""
    vector = operands[0].type
    full_name = f"llvm.{name}.v{vector.count}f{64 if vector.element == ir.DoubleType() else 32}"
    function_type = ir.FunctionType(vector, [vector] * len(operands))
    return builder.call(cgutils.get_or_insert_function(builder.module, function_type, full_name), operands)


_SAME = {dtype: dtype for dtype in UNSIGNED}

# Functions of one value: the dtype of the result for each dtype, and the instruction from a value and the LLVM type.
_CASTS: tuple[tuple[Callable[..., Any], dict[Any, Any], Callable[..., ir.Value]], ...] = (
    (absolute, _SAME, lambda builder, value, vector: _intrinsic(builder, "fabs", value)),
    (sqrt, _SAME, lambda builder, value, vector: _intrinsic(builder, "sqrt", value)),
    (bits, UNSIGNED, ir.IRBuilder.bitcast),
    (from_bits, FLOATING, ir.IRBuilder.bitcast),
    (floating, {types.uint32: types.float64}, ir.IRBuilder.uitofp),
    (widen, {types.float32: types.float64}, ir.IRBuilder.fpext),
    (narrow, {types.float64: types.float32}, ir.IRBuilder.fptrunc),
)
