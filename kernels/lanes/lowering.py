"""Numba types of lanes, masks and rows, and the LLVM code of their operators.

A value of :class:`LanesType` is an LLVM vector ``<W x T>``, a :class:`MaskType`
a vector of bits, a :class:`RowsType` the address of the first of several such vectors.
No instruction carries a fast-math flag.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, models, register_model, type_callable

# Rows of this many bytes or more start on a cache line.
ALIGNMENT = 64

INDEX = ir.IntType(64)
LLVM_TYPES = {
    types.float64: ir.DoubleType(),
    types.float32: ir.FloatType(),
    types.uint64: ir.IntType(64),
    types.uint32: ir.IntType(32),
}
NUMBA_TYPES = {str(dtype): dtype for dtype in LLVM_TYPES}
UNSIGNED = {types.float64: types.uint64, types.float32: types.uint32}
FLOATING = {integer: floating for floating, integer in UNSIGNED.items()}


class LanesType(types.Type):
    """``width`` numbers of one dtype in a vector."""

    def __init__(self, dtype: types.Number, width: int) -> None:
        self.dtype = dtype
        self.width = width
        super().__init__(f"lanes({dtype} x {width})")

    @property
    def vector(self) -> ir.VectorType:
        """LLVM type of a value."""
        return ir.VectorType(LLVM_TYPES[self.dtype], self.width)

    @property
    def floating(self) -> bool:
        """Whether the lanes hold floating-point numbers."""
        return self.dtype in UNSIGNED


class MaskType(types.Type):
    """``width`` booleans in a vector."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(f"mask({width})")


class RowsType(types.Type):
    """Rows of lanes, in an array or in the stack frame of a kernel."""

    def __init__(self, lanes: LanesType) -> None:
        self.lanes = lanes
        super().__init__(f"rows({lanes})")


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: LanesType) -> None:
        super().__init__(manager, lanes, lanes.vector)


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, mask: MaskType) -> None:
        super().__init__(manager, mask, ir.VectorType(ir.IntType(1), mask.width))


@register_model(RowsType)
class _RowsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, rows: RowsType) -> None:
        super().__init__(manager, rows, rows.lanes.vector.as_pointer())


def common_lanes(*operands: types.Type) -> LanesType | None:
    """Return the lanes type of an operation on lanes and scalars, or None for other operands."""
    kinds = {operand for operand in operands if isinstance(operand, LanesType)}
    scalars = all(isinstance(operand, (LanesType, types.Number)) for operand in operands)
    return kinds.pop() if len(kinds) == 1 and scalars else None


def broadcast(context: Any, builder: ir.IRBuilder, value: ir.Value, kind: types.Type, lanes: LanesType) -> ir.Value:
    """Round a scalar to the dtype of lanes and repeat it; lanes are returned unchanged."""
    if isinstance(kind, LanesType):
        return value
    scalar = context.cast(builder, value, kind, lanes.dtype)
    single = builder.insert_element(ir.Constant(lanes.vector, ir.Undefined), scalar, INDEX(0))
    first = ir.Constant(ir.VectorType(ir.IntType(32), lanes.width), [0] * lanes.width)
    return builder.shuffle_vector(single, single, first)


def _register_binary(
    function: Callable[..., Any],
    emit: Callable[[ir.IRBuilder, LanesType, ir.Value, ir.Value], ir.Value],
    compares: bool,
) -> None:
    """Make ``function(a, b)`` work on two lanes values or one and a scalar."""

    @type_callable(function)
    def type_binary(context: Any) -> Callable[..., Any]:
        def typer(a: types.Type, b: types.Type) -> types.Type | None:
            lanes = common_lanes(a, b)
            return MaskType(lanes.width) if lanes and compares else lanes

        return typer

    def lower(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        lanes = common_lanes(*signature.args)
        assert lanes is not None
        a, b = (
            broadcast(context, builder, value, kind, lanes) for value, kind in zip(args, signature.args, strict=True)
        )
        return emit(builder, lanes, a, b)

    for kinds in ((LanesType, LanesType), (LanesType, types.Number), (types.Number, LanesType)):
        lower_builtin(function, *kinds)(lower)


def _arithmetic(floating: str | None, integer: str | None) -> Callable[..., ir.Value]:
    def emit(builder: ir.IRBuilder, lanes: LanesType, a: ir.Value, b: ir.Value) -> ir.Value:
        name = floating if lanes.floating else integer
        if name is None:
            raise TypeError(f"operation not defined for {lanes}")
        return getattr(builder, name)(a, b)

    return emit


def _comparison(symbol: str) -> Callable[..., ir.Value]:
    def emit(builder: ir.IRBuilder, lanes: LanesType, a: ir.Value, b: ir.Value) -> ir.Value:
        if not lanes.floating:
            return builder.icmp_unsigned(symbol, a, b)
        # As in IEEE 754 a comparison with NaN is false, except "not equal".
        compare = builder.fcmp_unordered if symbol == "!=" else builder.fcmp_ordered
        return compare(symbol, a, b)

    return emit


def _register_mask(function: Callable[..., Any], name: str, operands: int) -> None:
    @type_callable(function)
    def type_mask(context: Any) -> Callable[..., Any]:
        def binary(a: types.Type, b: types.Type) -> types.Type | None:
            return a if isinstance(a, MaskType) and a == b else None

        def unary(a: types.Type) -> types.Type | None:
            return a if isinstance(a, MaskType) else None

        return binary if operands == 2 else unary

    @lower_builtin(function, *[MaskType] * operands)
    def lower(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return getattr(builder, name)(*args)


def register_operators() -> None:
    """Teach Numba the operators of lanes and masks."""
    for function, floating, integer in (
        (operator.add, "fadd", "add"),
        (operator.sub, "fsub", "sub"),
        (operator.mul, "fmul", "mul"),
        (operator.truediv, "fdiv", None),
        (operator.xor, None, "xor"),
        (operator.and_, None, "and_"),
        (operator.or_, None, "or_"),
        (operator.lshift, None, "shl"),
        (operator.rshift, None, "lshr"),
    ):
        _register_binary(function, _arithmetic(floating, integer), compares=False)
    for function, symbol in (
        (operator.lt, "<"),
        (operator.le, "<="),
        (operator.gt, ">"),
        (operator.ge, ">="),
        (operator.eq, "=="),
        (operator.ne, "!="),
    ):
        _register_binary(function, _comparison(symbol), compares=True)
    _register_mask(operator.and_, "and_", operands=2)
    _register_mask(operator.or_, "or_", operands=2)
    _register_mask(operator.invert, "not_", operands=1)

    @type_callable(operator.neg)
    def type_negation(context: Any) -> Callable[..., Any]:
        def typer(value: types.Type) -> types.Type | None:
            return value if isinstance(value, LanesType) and value.floating else None

        return typer

    @lower_builtin(operator.neg, LanesType)
    def lower_negation(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return builder.fneg(args[0])
