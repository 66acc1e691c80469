"""LLVM code behind the functions of :mod:`kernels.simd.lanes`, beside the operators of :mod:`kernels.simd.lowering`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer, infer_global
from numba.extending import lower_builtin, type_callable

from kernels.simd.lowering import FLOATING, UNSIGNED, LanesType, MaskType, broadcast, common_lanes


def register_functions(
    select: Callable[..., Any],
    any_lane: Callable[..., Any],
    absolute: Callable[..., Any],
    sqrt: Callable[..., Any],
    constant: Callable[..., Any],
) -> None:
    """Teach Numba the functions of lanes that are single instructions.

    Parameters
    ----------
    select, any_lane, absolute, sqrt, constant
        Those of :mod:`kernels.simd.functions` and :mod:`kernels.simd.lanes`.
    """

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

    @type_callable(any_lane)
    def type_any(context: Any) -> Callable[..., Any]:
        def typer(mask: types.Type) -> types.Type | None:
            return types.boolean if isinstance(mask, MaskType) else None

        return typer

    @lower_builtin(any_lane, MaskType)
    def lower_any(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        word = builder.bitcast(args[0], ir.IntType(signature.args[0].width))
        return builder.icmp_unsigned("!=", word, word.type(0))

    @type_callable(constant)
    def type_constant(context: Any) -> Callable[..., Any]:
        return lambda number, like: like if isinstance(like, LanesType) and isinstance(number, types.Number) else None

    @lower_builtin(constant, types.Number, LanesType)
    def lower_constant(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return broadcast(context, builder, args[0], signature.args[0], signature.return_type)

    floating = {dtype: dtype for dtype in UNSIGNED}
    _register_cast(absolute, floating, lambda builder, value, vector: _intrinsic(builder, "fabs", value))
    _register_cast(sqrt, floating, lambda builder, value, vector: _intrinsic(builder, "sqrt", value))


def register_elementary(functions: Sequence[Callable[..., Any]]) -> None:
    """Teach Numba to call the elementary function of the same name for the dtype of the argument."""
    for function in functions:
        template = type(f"{function.__name__}_of_lanes", (_OfLanes,), {"key": function})
        infer_global(function, types.Function(infer(template)))


class _OfLanes(AbstractTemplate):
    """A call of an elementary function."""

    key: Callable[..., Any]

    def generic(self, args: tuple[types.Type, ...], kws: dict[str, types.Type]) -> Any:
        """Return the signature of the call."""
        if len(args) == 1 and isinstance(args[0], LanesType):
            return self._dispatcher(args[0]).get_call_type(self.context, args, kws)
        return None

    def get_impl_key(self, signature: Any) -> Any:
        """Return the function that is called."""
        return self._dispatcher(signature.args[0]).get_impl_key(signature)

    def _dispatcher(self, lanes: LanesType) -> types.Dispatcher:
        from kernels.simd.elementary import elementary  # which is written with lanes

        return types.Dispatcher(getattr(elementary(str(lanes.dtype)), self.key.__name__))


def register_casts(
    bits: Callable[..., Any],
    from_bits: Callable[..., Any],
    floating: Callable[..., Any],
    widen: Callable[..., Any],
    narrow: Callable[..., Any],
) -> None:
    """Teach Numba the conversions between dtypes.

    Parameters
    ----------
    bits, from_bits, floating, widen, narrow
        Those of :mod:`kernels.simd.lanes`.
    """
    _register_cast(bits, UNSIGNED, ir.IRBuilder.bitcast)
    _register_cast(from_bits, FLOATING, ir.IRBuilder.bitcast)
    _register_cast(floating, {types.uint32: types.float64}, ir.IRBuilder.uitofp)
    _register_cast(widen, {types.float32: types.float64}, ir.IRBuilder.fpext)
    _register_cast(narrow, {types.float64: types.float32}, ir.IRBuilder.fptrunc)


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


def _intrinsic(builder: ir.IRBuilder, name: str, *operands: ir.Value) -> ir.Value:
    """Call a function of LLVM from vectors to a vector of one floating type."""
    vector = operands[0].type
    full_name = f"llvm.{name}.v{vector.count}f{64 if vector.element == ir.DoubleType() else 32}"
    function_type = ir.FunctionType(vector, [vector] * len(operands))
    return builder.call(cgutils.get_or_insert_function(builder.module, function_type, full_name), operands)


def register_multiply_add(multiply_add: Callable[..., Any]) -> None:
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


def register_align_frame(align_frame: Callable[[], None], alignment: int) -> None:
    """Teach Numba to align the stack frame of the caller."""

    @type_callable(align_frame)
    def type_align(context: Any) -> Callable[..., Any]:
        return lambda: types.none

    @lower_builtin(align_frame)
    def lower_align(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        builder.function.attributes.add("nounwind")  # llvmlite writes the alignment only next to another attribute
        builder.function.attributes.alignstack = alignment
        return context.get_dummy_value()
