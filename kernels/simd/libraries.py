"""How the functions of a kernel become machine code: all of them at once, as one module of LLVM.

Numba optimizes each function that it compiles, and again in each of its callers, and generates machine code of it.
Kernels here are made of about a hundred functions, of which Python calls one. So of the others, the parts, there is
only LLVM's text until the kernel is complete. Then LLVM takes them from the bottom up: each is optimized once, and
then inlined into its callers, or if it is called, rarely or for long, stays a function of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from llvmlite import ir
from llvmlite.binding import newpassmanagers, parse_assembly, set_option
from numba.core import cgutils
from numba.core import ir as numba_ir
from numba.core.callconv import CPUCallConv
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.cpu import CPUContext
from numba.core.funcdesc import PythonFunctionDescriptor
from numba.core.lowering import Lower
from numba.core.runtime.nrt import rtsys
from numba.core.typed_passes import NativeLowering

# In llvmlite these inherit a method that frees nothing: 16 MB of each compiled kernel would never be freed.
for manager in (newpassmanagers.ModulePassManager, newpassmanagers.FunctionPassManager):
    manager._dispose = newpassmanagers.NewPassManager._dispose

# Functions with this hint are inlined whatever their size. Those with "alwaysinline" would be before anything is
# optimized, which is then done once for each place where they are called.
_INLINED, _CALLED = "inlinehint", "noinline"
set_option("kernels", "-inlinehint-threshold=1000000")


class _Library(JITCodeLibrary):
    """The code of a function, and the libraries of those that it calls."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self._texts: list[str] = []
        self._called: dict[Any, None] = {}

    def add_linking_library(self, library: Any) -> None:
        """Remember a library; that of reference counts, which Numba always gives, is not needed."""
        if library is not rtsys.library:
            self._called[library] = None

    def add_ir_module(self, ir_module: Any) -> None:
        """Keep code as text, which takes little memory and can become part of several kernels."""
        self._texts.append(str(ir_module))

    def modules(self) -> Iterator[Any]:
        """Make the modules of this function alone."""
        return map(parse_assembly, self._texts)

    def all_called(self, known: dict[Any, None]) -> dict[Any, None]:
        """Add the libraries of all that is called from here, directly or not, to those that are known."""
        for library in self._called:
            if library not in known:
                known[library] = None
                if isinstance(library, _Part):
                    library.all_called(known)
        return known


class _Part(_Library):
    """A function that other functions of ours call.

    Attributes
    ----------
    attribute
        What LLVM is told of it.
    """

    attribute: str

    def finalize(self) -> None:
        """Do nothing: kernels that call the function take in its text."""
        self._finalized = True


class _Device(_Part):
    """A function that is inlined into others."""

    attribute = _INLINED


class _Routine(_Part):
    """A function that others call, and whose code is not inlined into theirs."""

    attribute = _CALLED


class _Kernel(_Library):
    """A function that Python calls: it holds the code of all that it is made of."""

    def finalize(self) -> None:
        """Join all code, optimize it and generate machine code."""
        module = self._final_module
        for own in self.modules():
            module.link_in(own)
        called_from_outside = {function.name for function in module.functions if not function.is_declaration}
        for library in self.all_called({}):
            if isinstance(library, _Part):
                for part in library.modules():
                    module.link_in(part)
            else:
                module.link_in(library._get_module_for_linking(), preserve=True)
        for function in module.functions:
            if not function.is_declaration and function.name not in called_from_outside:
                function.linkage = "internal"
        for _ in range(2):  # the second time sees what the first has inlined
            builder = self._codegen._pass_builder()
            builder.getModulePassManager().run(module, builder)
        module.verify()
        self._finalize_final_module()


def make_codegen() -> Any:
    """Return a code generator for one kernel, which frees its machine code; Numba's own keeps all until the end."""
    return JITCPUCodegen("kernel")


def _declare(context: Any, module: ir.Module, part: Any) -> ir.Function:
    """Declare a part in a module: it takes values as they are, and returns one.

    Numba would pass each number in a tuple or array as an argument of its own, of which there are a hundred in some
    calls, and return the result through memory, beside a status.
    """
    kind = ir.FunctionType(context.get_value_type(part.restype), list(map(context.get_value_type, part.argtypes)))
    return cgutils.get_or_insert_function(module, kind, part.mangled_name)


def _make_call(part: Any, library: _Part) -> Callable[..., ir.Value]:
    """Return what makes the code of a call of a part, as Numba looks it up."""

    def call(context: Any, builder: ir.IRBuilder, signature: Any, args: Sequence[ir.Value]) -> ir.Value:
        return builder.call(_declare(context, builder.module, part), args)

    found: Any = call
    found.signature, found.libs = part.argtypes, (library,)
    return call


class _NoErrors(CPUCallConv):
    """How a part ends where Numba would raise an error, as for a range whose step is 0: never."""

    def return_user_exc(self, builder: ir.IRBuilder, *error: Any, **where: Any) -> None:
        """Tell LLVM that no code gets here."""
        builder.unreachable()

    def return_status_propagate(self, builder: ir.IRBuilder, status: Any) -> None:
        """Tell LLVM that no function of Numba's own fails."""
        builder.unreachable()


class _PartContext(CPUContext):
    """What Numba knows of the CPU, in a part."""

    call_conv = property(_NoErrors)

    def refresh(self) -> None:
        """Do nothing: Numba looks for new functions wherever it has none for some types, and then tries others."""


class _PartLower(Lower):
    """Makes LLVM's code of a part, which Python never sees and which raises nothing."""

    def init(self) -> None:
        """Take a copy of the context, which Numba makes for each function, for that of a part."""
        self.context.__class__ = _PartContext
        super().init()

    def lower(self) -> None:
        """Make a module of the function and nothing else."""
        self.function = _declare(self.context, self.module, self.fndesc)
        self.function.attributes.add(self.library.attribute)
        self.builder = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.fnargs = self.function.args
        end_of_entry = self.lower_function_body()
        self.builder.position_at_end(end_of_entry)
        self.builder.branch(self.blkmap[self.firstblk])
        self.library.add_ir_module(self.module)

    def lower_block(self, block: Any) -> None:
        """Make the code of a block, without a message for each statement in case it fails."""
        for statement in block.body:
            self.loc = statement.loc
            if isinstance(statement, numba_ir.Assign):
                self.storevar(self.lower_assign(self.typeof(statement.target.name), statement), statement.target.name)
            elif isinstance(statement, numba_ir.Return):
                self.builder.ret(self.loadvar(statement.value.name))
            else:
                self.lower_inst(statement)


def _name_of(name: str, argtypes: Any, *, abi_tags: Any = (), uid: int | None = None) -> str:
    """Return a name for the machine code of a part; those that tell all types are long."""
    return f"{name}.{uid}"


class _PartLowering(LoweringPass):
    """The last step of compiling a part: its text, and how it is called."""

    library: type[_Part]

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """Make the code of a function; ``state`` holds what Numba knows of it."""
        context = state.targetctx
        state.library = self.library(context.codegen(), state.func_id.func_qualname)
        part = PythonFunctionDescriptor.from_specialized_function(
            state.func_ir, state.typemap, state.return_type, state.calltypes, _name_of, False, False, ()
        )
        with context.push_code_library(state.library):
            _PartLower(context, state.library, part, state.func_ir).lower()
        # Callers find the code by an entry point that Numba takes to be a function for Python.
        entry_point: Any = {}.get
        context._defns[entry_point].append(_make_call(part, state.library), part.argtypes)
        state["cr"] = SimpleNamespace(fndesc=part, call_helper=None, cfunc=entry_point, env=None)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class DeviceLowering(_PartLowering):
    """The last step of compiling a function that is inlined."""

    _name, library = "device_lowering", _Device


@register_pass(mutates_CFG=True, analysis_only=False)
class RoutineLowering(_PartLowering):
    """The last step of compiling a function that kernels call."""

    _name, library = "routine_lowering", _Routine


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(NativeLowering):
    """The last step of compiling a function that Python calls."""

    _name = "kernel_lowering"

    def run_pass(self, state: Any) -> bool:
        """Make the code of a kernel, and of all that it calls."""
        state.library = _Kernel(make_codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))
