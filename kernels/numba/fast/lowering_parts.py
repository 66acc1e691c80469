"""The last step of compiling a function of a kernel: its code as LLVM text, and how others call it."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from llvmlite import ir
from numba.core import cgutils
from numba.core import ir as numba_ir
from numba.core.callconv import CPUCallConv
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.cpu import CPUContext
from numba.core.funcdesc import PythonFunctionDescriptor
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering
from numba.core.types.containers import StarArgUniTuple

from kernels.numba.disk_cache import make_codegen
from kernels.numba.fast.libraries import OWN, Kernel, Part, symbol

_INLINED, _CALLED = "inlinehint", "noinline"


def _own_name(name: str, argtypes: Any, *, abi_tags: Any = (), uid: int | None = None) -> str:
    """Return the name of a part in its own text."""
    return OWN


def _declare(context: Any, module: ir.Module, part: Part, name: str) -> ir.Function:
    """Declare a part by a name in a module, its own or that of a caller: it takes values whole, and returns one.

    Numba would pass each number in a tuple or array as a separate argument, of which there are a hundred in some
    calls, and return the result through memory, beside a status.
    """
    kind = ir.FunctionType(context.get_value_type(part.result), list(map(context.get_value_type, part.arguments)))
    return cgutils.get_or_insert_function(module, kind, name)


def publish(context: Any, part: Part) -> Any:
    """Let callers find a part, through an entry point that Numba treats as a function for Python."""

    def call(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        caller = context.active_code_library
        caller.add_linking_library(part)
        return builder.call(_declare(context, builder.module, part, symbol(caller.parts.index(part))), args)

    found, entry_point = cast(Any, call), cast(Any, {}.get)
    found.signature = part.arguments
    context._defns[entry_point].append(call, part.arguments)
    return entry_point


class _NoErrors(CPUCallConv):
    """Ends of parts where Numba would raise an error, such as a range with step 0: they are unreachable."""

    def return_user_exc(self, builder: ir.IRBuilder, *error: Any, **where: Any) -> None:
        """Tell LLVM that no code gets here."""
        builder.unreachable()

    def return_status_propagate(self, builder: ir.IRBuilder, status: Any) -> None:
        """Tell LLVM that no function of Numba's own fails."""
        builder.unreachable()


class _PartContext(CPUContext):
    """Numba's target context in a part."""

    call_conv = property(_NoErrors)

    def refresh(self) -> None:
        """Do nothing: Numba would look for new functions wherever it finds none for some types."""

    def add_dynamic_addr(self, builder: ir.IRBuilder, intaddr: int, info: str) -> ir.Value:
        """Return null for the address of a Python object, such as a called part: no code reads it."""
        return ir.Constant(cgutils.voidptr_t, None)


class _PartLower(Lower):
    """Generates LLVM code of a part, which Python never calls and which raises nothing."""

    def init(self) -> None:
        """Use the context of a part in place of the one that Numba makes for each function."""
        self.context.__class__ = _PartContext
        super().init()

    def lower(self) -> None:
        """Make a module of the function and nothing else."""
        self.function = _declare(self.context, self.module, self.library, OWN)
        self.function.attributes.add(self.library.attribute)
        self.builder = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.fnargs = self.function.args
        end_of_entry = self.lower_function_body()
        self.builder.position_at_end(end_of_entry)
        self.builder.branch(self.blkmap[self.firstblk])
        self.library.add_ir_module(self.module)

    def fold_call_args(self, function: Any, signature: Any, given: Any, variable: Any, named: Any) -> list[ir.Value]:
        """Return the arguments of a call.

        Numba packs variable arguments into a structure; those of one type are passed as one array.
        """
        folded = super().fold_call_args(function, signature, given, variable, named)
        return [
            self.context.make_tuple(self.builder, kind, cgutils.unpack_tuple(self.builder, value))
            if isinstance(kind, StarArgUniTuple)
            else value
            for kind, value in zip(signature.args, folded, strict=True)
        ]

    def lower_block(self, block: Any) -> None:
        """Generate the code of a block, without preparing an error message for each statement."""
        for statement in block.body:
            self.loc = statement.loc
            if isinstance(statement, numba_ir.Assign):
                self.storevar(self.lower_assign(self.typeof(statement.target.name), statement), statement.target.name)
            elif isinstance(statement, numba_ir.Return):
                self.builder.ret(self.loadvar(statement.value.name))
            else:
                self.lower_inst(statement)


class _PartLowering(LoweringPass):
    """The last step of compiling a part: its text, and how it is called."""

    attribute: str

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """Generate the code of a function; ``state`` is Numba's state of compiling it."""
        context, part = state.targetctx, state.library
        described = PythonFunctionDescriptor.from_specialized_function(
            state.func_ir, state.typemap, state.return_type, state.calltypes, _own_name, False, False, ()
        )
        part.attribute = self.attribute
        part.result = described.restype
        with context.push_code_library(part):
            _PartLower(context, part, described, state.func_ir).lower()
        state["cr"] = SimpleNamespace(fndesc=described, call_helper=None, cfunc=publish(context, part), env=None)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class DeviceLowering(_PartLowering):
    """The last step of compiling a function that is inlined."""

    _name = "device_lowering"
    attribute = _INLINED


@register_pass(mutates_CFG=True, analysis_only=False)
class RoutineLowering(_PartLowering):
    """The last step of compiling a function that kernels call without inlining it."""

    _name = "routine_lowering"
    attribute = _CALLED


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(NativeLowering):
    """The last step of compiling a function that Python calls."""

    _name = "kernel_lowering"
    n_passes = 2  # the second pass sees what the first has inlined

    def run_pass(self, state: Any) -> bool:
        """Generate the code of a kernel, and of all that it calls."""
        state.library = Kernel(make_codegen(), state.func_id.func_qualname)
        state.library.n_passes = self.n_passes
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


@register_pass(mutates_CFG=True, analysis_only=False)
class QuickKernelLowering(KernelLowering):
    """The last step of compiling a function that Python calls only for a short time."""

    _name, n_passes = "quick_kernel_lowering", 1
