"""LLVM code behind rows of lanes: :class:`kernels.lanes.lane_rows.Memory`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable

from kernels.lanes.lowering import ALIGNMENT, INDEX, NUMBA_TYPES, LanesType, RowsType, broadcast, common_lanes
from kernels.numba.entries import MADE_FOR


def _is_rows(kind: types.Type, lanes: LanesType) -> bool:
    """Return whether values of a type are rows of ``lanes``."""
    if isinstance(kind, RowsType):
        return kind.lanes == lanes
    return isinstance(kind, types.Array) and kind.ndim == 2 and kind.layout == "C" and kind.dtype == lanes.dtype


def _address(
    context: Any, builder: ir.IRBuilder, lanes: LanesType, signature: Any, args: Sequence[ir.Value]
) -> ir.Value:
    """Return the address of a row from rows and its index."""
    kind = signature.args[0]
    rows = args[0]
    if not isinstance(kind, RowsType):
        rows = builder.bitcast(context.make_array(kind)(context, builder, rows).data, lanes.vector.as_pointer())
    return builder.gep(rows, [context.cast(builder, args[1], signature.args[1], types.intp)])


def _alignment(lanes: LanesType) -> int:
    """Return the alignment of rows in bytes."""
    return min(ALIGNMENT, lanes.width * int(lanes.dtype.bitwidth) // 8)


def register_memory(
    load: Callable[..., Any], store: Callable[..., Any], rows_of: Callable[..., Any], dtype: str, width: int
) -> None:
    """Teach Numba to load and store lanes of one dtype and width."""
    if width < 1 or width & (width - 1):
        raise ValueError(f"width: must be a power of two, got {width}")
    lanes = LanesType(NUMBA_TYPES[dtype], width)
    for function in (load, store, rows_of):
        vars(function)[MADE_FOR] = dtype, width

    def is_rows(kind: types.Type) -> bool:
        return _is_rows(kind, lanes)

    def address(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return _address(context, builder, lanes, signature, args)

    @type_callable(rows_of)
    def type_rows_of(context: Any) -> Callable[..., Any]:
        return lambda rows, first: RowsType(lanes) if is_rows(rows) and isinstance(first, types.Integer) else None

    for kind in (types.Array, RowsType):
        lower_builtin(rows_of, kind, types.Integer)(address)

    @type_callable(load)
    def type_load(context: Any) -> Callable[..., Any]:
        def typer(rows: types.Type, index: types.Type) -> types.Type | None:
            return lanes if is_rows(rows) and isinstance(index, types.Integer) else None

        return typer

    def lower_load(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return builder.load(address(context, builder, signature, args), align=_alignment(lanes))

    @type_callable(store)
    def type_store(context: Any) -> Callable[..., Any]:
        def typer(rows: types.Type, index: types.Type, value: types.Type) -> types.Type | None:
            known = is_rows(rows) and isinstance(index, types.Integer) and common_lanes(lanes, value) == lanes
            return types.none if known else None

        return typer

    def lower_store(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        value = broadcast(context, builder, args[2], signature.args[2], lanes)
        builder.store(value, address(context, builder, signature, args), align=_alignment(lanes))
        return context.get_dummy_value()

    for kind in (types.Array, RowsType):
        lower_builtin(load, kind, types.Integer)(lower_load)
        for value in (LanesType, types.Number):
            lower_builtin(store, kind, types.Integer, value)(lower_store)


def register_fill(fill: Callable[..., Any], dtype: str, width: int) -> None:
    """Teach Numba to make lanes that all hold one number."""
    lanes = LanesType(NUMBA_TYPES[dtype], width)
    vars(fill)[MADE_FOR] = dtype, width

    @type_callable(fill)
    def type_fill(context: Any) -> Callable[..., Any]:
        def typer(value: types.Type) -> types.Type | None:
            return lanes if isinstance(value, types.Number) else None

        return typer

    @lower_builtin(fill, types.Number)
    def lower_fill(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return broadcast(context, builder, args[0], signature.args[0], lanes)


def register_group(
    load_group: Callable[..., Any], store_group: Callable[..., Any], dtype: str, width: int, count: int
) -> None:
    """Teach Numba to load and store ``count`` rows as one value."""
    lanes, group = LanesType(NUMBA_TYPES[dtype], width), LanesType(NUMBA_TYPES[dtype], count * width)
    alignment = _alignment(lanes)
    for function in (load_group, store_group):
        vars(function)[MADE_FOR] = dtype, width, count

    def shuffle(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, first: int, length: int) -> ir.Value:
        index = ir.VectorType(ir.IntType(32), length)
        return builder.shuffle_vector(a, b, ir.Constant(index, list(range(first, first + length))))

    @type_callable(load_group)
    def type_load(context: Any) -> Callable[..., Any]:
        return lambda rows, first: group if _is_rows(rows, lanes) and isinstance(first, types.Integer) else None

    def lower_load(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        start = _address(context, builder, lanes, signature, args)
        parts = [builder.load(builder.gep(start, [INDEX(k)]), align=alignment) for k in range(count)]
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [shuffle(builder, a, b, 0, 2 * a.type.count) for a, b in pairs]
        return parts[0]

    @type_callable(store_group)
    def type_store(context: Any) -> Callable[..., Any]:
        def typer(rows: types.Type, first: types.Type, value: types.Type) -> types.Type | None:
            known = _is_rows(rows, lanes) and isinstance(first, types.Integer) and value == group
            return types.none if known else None

        return typer

    def lower_store(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        start = _address(context, builder, lanes, signature, args)
        for k in range(count):
            part = shuffle(builder, args[2], args[2], k * width, width)
            builder.store(part, builder.gep(start, [INDEX(k)]), align=alignment)
        return context.get_dummy_value()

    for kind in (types.Array, RowsType):
        lower_builtin(load_group, kind, types.Integer)(lower_load)
        lower_builtin(store_group, kind, types.Integer, LanesType)(lower_store)


def register_stack(rows: Callable[..., Any], dtype: str, width: int, count: int) -> None:
    """Teach Numba to make ``count`` rows in the stack frame of the caller."""
    stack = RowsType(LanesType(NUMBA_TYPES[dtype], width))
    vars(rows)[MADE_FOR] = dtype, width, count

    @type_callable(rows)
    def type_rows(context: Any) -> Callable[..., Any]:
        return lambda: stack

    @lower_builtin(rows)
    def lower_rows(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return cgutils.alloca_once(builder, stack.lanes.vector, INDEX(count))
